//! Refuses functions that do not exist, by name and place, before the planner answers in its own words.
//!
//! Owns: 42883 for names. Must never know: argument types, which only planning finds.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, FunctionArguments, Ident, ObjectName, Query, TableFactor, Value, Visit, Visitor};
use sqlparser::tokenizer::Span;

use super::{Names, folded, json, located, refused_functions, rows_from, sets};
use crate::error::{Error, Result, SqlState};

/// Functions by syntax or by rewrite: no registry has them.
const BY_REWRITE: &[&str] = &[
    "array",
    "current_catalog",
    "current_role",
    "current_time",
    "current_timestamp",
    "generate_series",
    "generate_subscripts",
    "grouping",
    "localtime",
    "localtimestamp",
    "overlaps",
    "pg_typeof",
    "regexp_matches",
    "regexp_split_to_table",
    "row",
    "string_to_table",
    "timezone",
    "unnest",
    "user",
];

/// Checks every function that the query calls.
pub(super) fn check(query: &Query, names: &dyn Names) -> Result<()> {
    match query.visit(&mut Calls { names }) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Calls<'n> {
    names: &'n dyn Names,
}

impl Calls<'_> {
    fn check(&self, name: &ObjectName, arguments: Option<usize>) -> ControlFlow<Error> {
        let parts: Vec<&Ident> = name.0.iter().filter_map(|part| part.as_ident()).collect();
        let Some((last, schema)) = parts.split_last() else { return ControlFlow::Continue(()) };
        let function = folded(last);
        let in_catalog = schema.last().is_none_or(|schema| is_catalog_schema(&folded(schema)));
        if in_catalog && let Err(error) = json::refuse(&function) {
            return ControlFlow::Break(error);
        }
        let name = function.as_str();
        let is_set = sets::composite(name).is_some() || sets::OF_ONE_COLUMN.contains(&name) || json::returns_rows(name);
        let is_relation = arguments == Some(0) && self.names.relation_of(name).is_some();
        let is_cast = arguments == Some(1) && self.names.is_type(name);
        let by_rewrite = BY_REWRITE.contains(&name) || is_set || is_relation || is_cast;
        if in_catalog && (by_rewrite || self.names.is_function(&function)) {
            return ControlFlow::Continue(());
        }
        if in_catalog && let Some(error) = refused_functions::refusal(&function) {
            return ControlFlow::Break(error);
        }
        let written = parts.iter().map(|part| folded(part)).collect::<Vec<_>>().join(".");
        let unknown = vec!["unknown"; arguments.unwrap_or_default()].join(", ");
        let error = Error::new(SqlState::UndefinedFunction, format!("function {written}({unknown}) does not exist"))
            .hint("No function matches the given name and argument types. You might need to add explicit type casts.");
        let span = parts.first().map_or_else(Span::empty, |part| part.span);
        ControlFlow::Break(located(error, span, self.names))
    }
}

impl Calls<'_> {
    /// 0A000 for a function of rows that only FROM calls here.
    fn refuse_relation(&self, name: &ObjectName, arguments: Option<usize>) -> ControlFlow<Error> {
        let Some(ident) = name.0.last().and_then(|part| part.as_ident()) else { return ControlFlow::Continue(()) };
        let function = folded(ident);
        if arguments != Some(0) || self.names.is_function(&function) || self.names.relation_of(&function).is_none() {
            return ControlFlow::Continue(());
        }
        let message = format!("{function}() is only supported in FROM");
        ControlFlow::Break(located(Error::unsupported(message), ident.span, self.names))
    }
}

impl Visitor for Calls<'_> {
    type Break = Error;

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Error> {
        match expr {
            Expr::Function(function) => {
                let arguments = match &function.args {
                    FunctionArguments::List(list) => Some(list.args.len()),
                    FunctionArguments::None | FunctionArguments::Subquery(_) => None,
                };
                self.check(&function.name, arguments)?;
                self.refuse_relation(&function.name, arguments)
            }
            // Elsewhere in the engine these literals stand for bytes, as in other dialects.
            Expr::Value(value)
                if matches!(value.value, Value::HexStringLiteral(_) | Value::SingleQuotedByteStringLiteral(_)) =>
            {
                let error =
                    Error::unsupported("bit strings are not supported").hint("'\\x1F'::bytea is a string of bytes.");
                ControlFlow::Break(located(error, value.span, self.names))
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Error> {
        match factor {
            // Its functions are looked at one by one.
            TableFactor::Table { name, .. } if rows_from::is(name) => ControlFlow::Continue(()),
            TableFactor::Table { name, args: Some(args), .. } => self.check(name, Some(args.args.len())),
            TableFactor::Function { name, args, .. } => self.check(name, Some(args.len())),
            _ => ControlFlow::Continue(()),
        }
    }
}

/// The schemas whose functions need no qualification.
pub(super) fn is_catalog_schema(schema: &str) -> bool {
    matches!(schema, "pg_catalog" | "information_schema")
}

/// The place of a span in a text, counted in characters from 1; `None` for a span that the parser did not set.
pub(crate) fn position(sql: &str, span: Span) -> Option<usize> {
    let line = usize::try_from(span.start.line).ok()?.checked_sub(1)?;
    let column = usize::try_from(span.start.column).ok()?;
    let before: usize = sql.split_inclusive('\n').take(line).map(|line| line.chars().count()).sum();
    Some(before + column)
}
