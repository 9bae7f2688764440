//! Operators and collations by name: what casts to and from `regoper`, `regoperator` and `regcollation` find.
//!
//! Owns: the names of PostgreSQL's own, which are the only ones. Must never know: what an operator computes.

use std::sync::LazyLock;

use super::names::signature as parse_signature;
use super::scope::{Scope, single};
use crate::pg_catalog::columns::lines;
use crate::pg_catalog::error::LookupError;
use crate::pg_catalog::format_type::{Typmod, format_type};
use crate::pg_catalog::ident::quoted;

struct Operator {
    oid: u32,
    name: &'static str,
    left: u32,
    right: u32,
}

static OPERATORS: LazyLock<Vec<Operator>> = LazyLock::new(|| {
    let mut rows = lines(include_str!("../data/pg_operator.tsv"));
    let header: Vec<&str> = rows.next().unwrap_or_default().split('\t').collect();
    let at = |name: &str| header.iter().position(|column| *column == name);
    let (oid, name, left, right) = (at("oid"), at("oprname"), at("oprleft"), at("oprright"));
    let read = |line: &'static str| {
        let cells: Vec<&str> = line.split('\t').collect();
        let number = |at: Option<usize>| cells.get(at?)?.parse().ok();
        Some(Operator { oid: number(oid)?, name: cells.get(name?)?, left: number(left)?, right: number(right)? })
    };
    rows.filter_map(read).collect()
});

static COLLATIONS: LazyLock<Vec<(u32, &'static str)>> = LazyLock::new(|| {
    let rows = lines(include_str!("../data/pg_collation.tsv")).filter_map(|line| {
        let mut cells = line.split('\t');
        Some((cells.next()?.parse().ok()?, cells.next()?))
    });
    rows.collect()
});

/// The symbol without `pg_catalog.`.
fn symbol(name: &str) -> &str {
    name.trim().strip_prefix("pg_catalog.").unwrap_or(name.trim())
}

pub(super) fn by_name(_: &Scope, name: &str) -> Result<u32, LookupError> {
    let mut found = OPERATORS.iter().filter(|operator| operator.name == symbol(name));
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one.oid),
        (Some(_), Some(_)) => Err(LookupError::AmbiguousOperator(name.trim().to_owned())),
        (None, _) => Err(LookupError::UndefinedOperator(name.trim().to_owned())),
    }
}

/// A symbol that several operators share is shown with its schema, as PostgreSQL does.
pub(super) fn name(_: &Scope, oid: u32) -> Option<String> {
    let operator = OPERATORS.iter().find(|operator| operator.oid == oid)?;
    let shared = OPERATORS.iter().filter(|other| other.name == operator.name).count() > 1;
    Some(if shared { format!("pg_catalog.{}", operator.name) } else { operator.name.to_owned() })
}

/// `symbol(left, right)`; `NONE` stands for a missing side.
pub(super) fn by_signature(_: &Scope, text: &str) -> Result<u32, LookupError> {
    let (name, types) = parse_signature(text)?;
    let fits = |operator: &&Operator| operator.name == symbol(name) && types == [operator.left, operator.right];
    let found = OPERATORS.iter().find(fits).map(|operator| operator.oid);
    found.ok_or_else(|| LookupError::UndefinedOperator(text.trim().to_owned()))
}

pub(super) fn signature(_: &Scope, oid: u32) -> Option<String> {
    let operator = OPERATORS.iter().find(|operator| operator.oid == oid)?;
    let side = |of: u32| if of == 0 { "NONE".to_owned() } else { format_type(of, Typmod::Absent) };
    Some(format!("{}({},{})", operator.name, side(operator.left), side(operator.right)))
}

pub(super) fn collation(_: &Scope, text: &str) -> Result<u32, LookupError> {
    let name = single(text.trim().strip_prefix("pg_catalog.").unwrap_or(text))?;
    let found = COLLATIONS.iter().find(|(_, known)| *known == name).map(|(oid, _)| *oid);
    found.ok_or(LookupError::UndefinedCollation(name))
}

pub(super) fn collation_name(_: &Scope, oid: u32) -> Option<String> {
    COLLATIONS.iter().find(|(known, _)| *known == oid).map(|(_, name)| quoted(name))
}
