//! ROLLUP, CUBE and GROUPING SETS, also inside and beside each other, as one list of grouping sets.
//!
//! Owns: PostgreSQL's `expand_grouping_sets`. The planner reads one of them, of plain columns. Must never know: names.
//! <https://www.postgresql.org/docs/16/queries-table-expressions.html#QUERIES-GROUPING-SETS>

use std::collections::HashSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Query, Select, VisitMut, VisitorMut,
};

use super::folded;
use crate::engine::tokens::clauses::DISTINCT_SETS;
use crate::error::{Error, Result, SqlState};

/// PostgreSQL's limits.
const SETS_MAX: usize = 4096;
const CUBE_MAX: usize = 12;

type Set = Vec<Expr>;

/// Writes out the sets of every SELECT that has more than one plain ROLLUP, CUBE or GROUPING SETS.
pub(super) fn rewrite(query: &mut Query) -> Result<()> {
    match query.visit(&mut Selects) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Selects;

impl VisitorMut for Selects {
    type Break = Error;

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        match of_select(select) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

fn of_select(select: &mut Select) -> Result<()> {
    let GroupByExpr::Expressions(keys, _) = &mut select.group_by else { return Ok(()) };
    let is_distinct = keys.first().is_some_and(is_distinct);
    if is_distinct {
        keys.remove(0);
    }
    let count = keys.iter().filter(|key| sets_of(key).is_some()).count();
    let is_plain = |key: &Expr| match key {
        Expr::Rollup(parts) | Expr::Cube(parts) => {
            parts.iter().all(|part| matches!(part.as_slice(), [one] if !matches!(one, Expr::Function(_))))
        }
        Expr::GroupingSets(sets) => !sets.iter().flatten().any(|key| sets_of(key).is_some()),
        _ => true,
    };
    if count == 0 || (!is_distinct && keys.len() == 1 && keys.iter().all(is_plain)) {
        return Ok(());
    }
    let mut sets: Vec<Set> = vec![Vec::new()];
    for key in keys.iter() {
        let own = match sets_of(key) {
            Some(own) => own?,
            None => vec![columns(key)],
        };
        if sets.len() * own.len() > SETS_MAX {
            let message = format!("too many grouping sets present (maximum {SETS_MAX})");
            return Err(Error::new(SqlState::StatementTooComplex, message));
        }
        let with = |set: &Set| own.iter().map(|more| union(set, more)).collect::<Vec<_>>();
        sets = sets.iter().flat_map(with).collect();
    }
    if is_distinct {
        sets = each_once(sets);
    }
    *keys = vec![Expr::GroupingSets(sets)];
    Ok(())
}

/// Whether the key stands for the DISTINCT of GROUP BY DISTINCT.
fn is_distinct(key: &Expr) -> bool {
    matches!(key, Expr::Identifier(ident) if ident.value == DISTINCT_SETS)
}

/// The sets of GROUP BY DISTINCT: what has the same keys in another order is the same set.
fn each_once(sets: Vec<Set>) -> Vec<Set> {
    let mut seen = HashSet::new();
    let mut kept = Vec::new();
    for set in sets {
        let mut keys: Vec<String> = set.iter().map(ToString::to_string).collect();
        keys.sort_unstable();
        if seen.insert(keys) {
            kept.push(set);
        }
    }
    kept
}

/// The sets that a key of GROUP BY stands for; `None` for a plain key.
fn sets_of(key: &Expr) -> Option<Result<Vec<Set>>> {
    let (kind, parts) = match key {
        Expr::Rollup(parts) => ("rollup", parts.clone()),
        Expr::Cube(parts) => ("cube", parts.clone()),
        Expr::GroupingSets(sets) => {
            return Some(sets.iter().map(within).collect::<Result<Vec<_>>>().map(|sets| sets.concat()));
        }
        // The parser knows the words at the beginning of a key only.
        Expr::Function(function) => {
            let name = function.name.0.last().and_then(|part| part.as_ident()).map(folded)?;
            let FunctionArguments::List(list) = &function.args else { return None };
            let parts = list.args.iter().filter_map(|arg| match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(columns(expr)),
                _ => None,
            });
            (["rollup", "cube"].into_iter().find(|kind| *kind == name)?, parts.collect())
        }
        Expr::Nested(inner) => return sets_of(inner),
        _ => return None,
    };
    Some(match kind {
        "rollup" => Ok((0..=parts.len()).rev().map(|length| joined(parts.iter().take(length))).collect()),
        _ if parts.len() > CUBE_MAX => {
            let message = format!("CUBE is limited to {CUBE_MAX} elements");
            Err(Error::new(SqlState::TooManyColumns, message))
        }
        _ => Ok(subsets(&parts)),
    })
}

/// The sets of an element of GROUPING SETS.
fn within(set: &Set) -> Result<Vec<Set>> {
    match set.as_slice() {
        [key] => sets_of(key).unwrap_or_else(|| Ok(vec![columns(key)])),
        keys => Ok(vec![joined(keys.iter().map(columns).collect::<Vec<_>>().iter())]),
    }
}

/// Every choice of the parts, the larger ones first.
fn subsets(parts: &[Set]) -> Vec<Set> {
    let chosen = |mask: usize| {
        let parts = parts.iter().enumerate().filter(move |(at, _)| mask >> at & 1 == 0).map(|(_, part)| part);
        joined(parts)
    };
    (0..1_usize << parts.len()).map(chosen).collect()
}

fn columns(key: &Expr) -> Set {
    match key {
        Expr::Tuple(keys) => keys.clone(),
        Expr::Nested(inner) => columns(inner),
        other => vec![other.clone()],
    }
}

fn joined<'s>(sets: impl Iterator<Item = &'s Set>) -> Set {
    sets.fold(Vec::new(), |all, set| union(&all, set))
}

/// The keys of both, each once.
fn union(set: &Set, more: &Set) -> Set {
    let mut all = set.clone();
    for key in more {
        if !all.contains(key) {
            all.push(key.clone());
        }
    }
    all
}
