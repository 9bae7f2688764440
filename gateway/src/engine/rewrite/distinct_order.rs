//! `f(DISTINCT x ORDER BY y)`.
//!
//! Owns: which sorts DISTINCT allows in an aggregate (42P10). Must never know: what the aggregate computes.
//! <https://www.postgresql.org/docs/16/sql-expressions.html#SYNTAX-AGGREGATES>

use std::ops::ControlFlow;

use sqlparser::ast::{
    DuplicateTreatment, Expr, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments, Query,
    visit_expressions,
};

use crate::error::{Error, Result, SqlState};

/// Refuses a sort by what is no argument, where names are resolved.
pub(super) fn check(query: &Query) -> Result<()> {
    let found = visit_expressions(query, |expr| {
        let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
        let FunctionArguments::List(list) = &function.args else { return ControlFlow::Continue(()) };
        if list.duplicate_treatment != Some(DuplicateTreatment::Distinct) {
            return ControlFlow::Continue(());
        }
        let arguments: Vec<String> = list.args.iter().filter_map(argument).collect();
        let keys = list.clauses.iter().filter_map(|clause| match clause {
            FunctionArgumentClause::OrderBy(keys) => Some(keys),
            _ => None,
        });
        match keys.flatten().all(|key| arguments.contains(&key.expr.to_string())) {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    });
    match found {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => {
            let message = "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list";
            Err(Error::new(SqlState::InvalidColumnReference, message))
        }
    }
}

fn argument(argument: &FunctionArg) -> Option<String> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.to_string()),
        _ => None,
    }
}
