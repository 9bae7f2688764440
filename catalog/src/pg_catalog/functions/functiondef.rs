//! `pg_get_functiondef`: the CREATE FUNCTION of a function, which psql's `\sf` shows.
//!
//! NULL for what does not exist, and for the functions whose bodies the dump has only as parsed trees. An aggregate is
//! 42809.
//! <https://www.postgresql.org/docs/16/functions-info.html#FUNCTIONS-INFO-CATALOG-TABLE>

use datafusion::common::Result;

use super::function::{Argument, Spec};
use super::procs::{Proc, proc};
use super::scope::Scope;
use crate::pg_catalog::LookupError;
use crate::pg_catalog::ident::quoted;
use crate::pg_catalog::rows::Cell;

pub(super) const FUNCTIONS: &[Spec] = &[Spec::new("pg_get_functiondef", (1, 1), "text", definition)];

fn definition<'a>(_: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let Some(proc) = proc(arguments) else { return Ok(Cell::Null) };
    if proc.is_aggregate() {
        return Err(LookupError::IsAggregate(proc.name.to_owned()).into());
    }
    Ok(create(proc).into())
}

/// Its lines, as PostgreSQL breaks them.
fn create(proc: &Proc) -> Option<String> {
    let language = proc.language()?;
    let kind = if proc.returned().is_some() { "FUNCTION" } else { "PROCEDURE" };
    let mut lines = vec![format!("CREATE OR REPLACE {kind} pg_catalog.{}({})", quoted(proc.name), proc.arguments())];
    lines.extend(proc.returned().map(|returned| format!(" RETURNS {returned}")));
    lines.push(format!(" LANGUAGE {language}"));
    let clauses = proc.clauses();
    if !clauses.is_empty() {
        lines.push(format!(" {}", clauses.join(" ")));
    }
    let library = proc.library.map(|library| format!("'{library}', ")).unwrap_or_default();
    lines.push(format!("AS {library}$function${}$function$\n", proc.source));
    Some(lines.join("\n"))
}
