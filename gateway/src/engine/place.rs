//! Where in a message an error of an operator, a function or a literal is, once the planner has refused it.
//!
//! Owns: the search by what the error names. It costs nothing while queries are right. Must never know: types.

use std::ops::ControlFlow;

use sqlparser::ast::{BinaryOperator, Expr, Query, Value, Visit, Visitor};
use sqlparser::tokenizer::{Location, Span};

use super::parse::offset;
use crate::error::{Error, SqlState};
use crate::session::fold;

/// The error with the place of what it names, if only one thing in the query can be meant.
pub(super) fn placed(error: Error, query: &Query, message: &str) -> Error {
    if error.position.is_some() {
        return error;
    }
    let function = match error.state {
        SqlState::UndefinedFunction | SqlState::AmbiguousFunction => {
            error.message.strip_prefix("function ").and_then(|rest| rest.split('(').next())
        }
        SqlState::InvalidTextRepresentation
        | SqlState::InvalidDatetimeFormat
        | SqlState::DatetimeFieldOverflow
        | SqlState::NumericValueOutOfRange => None,
        _ => return error,
    };
    let mut named = Named { function, literals: &error.message, found: Vec::new() };
    let _ = query.visit(&mut named);
    named.found.dedup();
    match named.found.as_slice() {
        [start] => {
            let position = offset(message, *start);
            error.at(position)
        }
        _ => error,
    }
}

/// Collects the places of calls of a function, or of literals that a message quotes.
struct Named<'e> {
    function: Option<&'e str>,
    literals: &'e str,
    found: Vec<Location>,
}

impl Visitor for Named<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let start = match (expr, self.function) {
            (Expr::Function(call), Some(function)) => {
                let name = call.name.0.last().and_then(|part| part.as_ident());
                name.filter(|name| fold(name) == function).map(|name| name.span.start)
            }
            (Expr::Value(value), None) => match &value.value {
                Value::SingleQuotedString(text) if self.literals.ends_with(&format!(": \"{text}\"")) => {
                    Some(value.span.start)
                }
                _ => None,
            },
            _ => None,
        };
        self.found.extend(start.filter(|start| start.line > 0));
        ControlFlow::Continue(())
    }
}

/// The place of the operator between two operands; one of them may have come from nowhere in the text.
pub(super) fn operator(message: &str, left: Span, op: &BinaryOperator, right: Span) -> Option<usize> {
    let at = |location: Location| (location.line > 0).then(|| offset(message, location) - 1);
    let (from, to) = (at(left.end), at(right.start));
    if from.is_none() && to.is_none() {
        return None;
    }
    let chars: Vec<char> = message.chars().collect();
    let region = chars.get(from.unwrap_or_default()..to.unwrap_or(chars.len()))?;
    let find = |symbol: &str| {
        let symbol: Vec<char> = symbol.chars().collect();
        let mut places = region.windows(symbol.len().max(1)).enumerate().filter(|(_, part)| **part == symbol);
        let found = if from.is_some() { places.next() } else { places.next_back() };
        found.map(|(index, _)| from.unwrap_or_default() + index + 1)
    };
    // One operator has two spellings.
    find(&op.to_string()).or_else(|| (*op == BinaryOperator::NotEq).then(|| find("!=")).flatten())
}
