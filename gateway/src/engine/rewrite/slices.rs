//! `array[from:to]`, with one pair of bounds for each dimension.
//!
//! Owns: which subscripts are a slice. Must never know: element types.
//! <https://www.postgresql.org/docs/16/arrays.html#ARRAYS-ACCESSING>

use sqlparser::ast::{AccessExpr, Expr, Subscript};

use super::expand::call;
use super::literals::{narrow, number};
use super::syntax::taken;
use crate::error::{Error, Result};

/// The bounds of a dimension that the slice does not name reach beyond every array.
const FIRST: i32 = 1;
const LAST: i32 = i32::MAX;

pub(super) fn rewrite(expr: &mut Expr) -> Result<()> {
    let Expr::CompoundFieldAccess { root, access_chain } = expr else { return Ok(()) };
    let is_slice = |access: &AccessExpr| matches!(access, AccessExpr::Subscript(Subscript::Slice { .. }));
    if !access_chain.iter().any(is_slice) {
        return Ok(());
    }
    let mut arguments = vec![taken(root)];
    for access in std::mem::take(access_chain) {
        let (from, to) = match access {
            AccessExpr::Subscript(Subscript::Slice { lower_bound, upper_bound, stride: None }) => {
                (lower_bound.unwrap_or_else(|| number(FIRST)), upper_bound.unwrap_or_else(|| number(LAST)))
            }
            // Among slices, a subscript is a slice from the first.
            AccessExpr::Subscript(Subscript::Index { index }) => (number(FIRST), index),
            other => return Err(Error::unsupported(format!("the subscript {other} beside a slice is not supported"))),
        };
        for mut bound in [from, to] {
            narrow(&mut bound);
            arguments.push(bound);
        }
    }
    *expr = call("lakegate_array_slice", arguments);
    Ok(())
}
