//! `lakegate_matches_any(text, patterns, operator)` and `lakegate_matches_all` - `text operator ANY (patterns)`, for the operators
//! that match: `~~`, `~~*`, `~`, `~*` and those with `!` before them.
//!
//! As with every ANY and ALL, a NULL among the patterns is NULL unless another decides. Patterns are those of LIKE and of POSIX
//! regular expressions (2201B for what is none). Users never name it.
//! <https://www.postgresql.org/docs/16/functions-comparisons.html>
//!
//! ```sql
//! SELECT 'abc' LIKE ANY (string_to_array('x%,a%', ','));  -- true
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::array_items::flat;
use super::like::is_like;
use super::posix::{Expression, lower};
use super::regexp::{Flags, compile};
use crate::Error;
use crate::function::{Args, Overload, Ty, function, overload, some};

/// `lakegate_matches_any`.
pub fn matches_any() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] =
        [overload(&[Ty::Text, Ty::TextArray, Ty::Text], Ty::Bool, |args| kernel(args, true))];
    function("lakegate_matches_any", &OVERLOADS)
}

/// `lakegate_matches_all`.
pub fn matches_all() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] =
        [overload(&[Ty::Text, Ty::TextArray, Ty::Text], Ty::Bool, |args| kernel(args, false))];
    function("lakegate_matches_all", &OVERLOADS)
}

/// `decides` is the answer that one pattern alone gives.
fn kernel(args: &Args<'_>, decides: bool) -> Result<ArrayRef> {
    let (texts, lists, operators) = (args.text(0)?, flat(&args.expanded(1)?)?, args.text(2)?);
    let lists = lists.as_list::<i32>();
    let patterns = lists.values().as_string::<i32>();
    let mut expressions = Expressions::default();
    args.build_bool(|row| {
        let operator = Operator::of(some!(operators.get(row)));
        if lists.is_null(row) {
            return Ok(None);
        }
        let (from, to) = (lists.value_offsets()[row] as usize, lists.value_offsets()[row + 1] as usize);
        if from == to {
            return Ok(Some(!decides));
        }
        let text = some!(texts.get(row));
        let mut answer = Some(!decides);
        for at in from..to {
            if patterns.is_null(at) {
                answer = None;
            } else if operator.holds(text, patterns.value(at), &mut expressions)? == decides {
                return Ok(Some(decides));
            }
        }
        Ok(answer)
    })
}

#[derive(Clone, Copy)]
struct Operator {
    is_negated: bool,
    is_regex: bool,
    ignores_case: bool,
}

impl Operator {
    fn of(symbol: &str) -> Self {
        Self {
            is_negated: symbol.starts_with('!'),
            is_regex: !symbol.contains("~~"),
            ignores_case: symbol.ends_with('*'),
        }
    }

    fn holds(self, text: &str, pattern: &str, expressions: &mut Expressions) -> Result<bool, Error> {
        let matches = match (self.is_regex, self.ignores_case) {
            (true, ignores_case) => expressions.of(pattern, ignores_case)?.is_match(text)?,
            (false, true) => is_like(text, pattern, lower)?,
            (false, false) => is_like(text, pattern, |c| c)?,
        };
        Ok(matches != self.is_negated)
    }
}

/// The expressions of the last patterns, which most often are the same in the next row.
#[derive(Default)]
struct Expressions(Vec<(String, Expression)>);

const MOST_EXPRESSIONS: usize = 64;

impl Expressions {
    /// All patterns of a call are of one operator.
    fn of(&mut self, pattern: &str, ignores_case: bool) -> Result<&Expression, Error> {
        if let Some(at) = self.0.iter().position(|(known, _)| known == pattern) {
            return Ok(&self.0[at].1);
        }
        if self.0.len() == MOST_EXPRESSIONS {
            self.0.clear();
        }
        let flags = Flags::read(if ignores_case { "i" } else { "" })?;
        self.0.push((pattern.to_owned(), compile(pattern, flags)?));
        Ok(&self.0[self.0.len() - 1].1)
    }
}
