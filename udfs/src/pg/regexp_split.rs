//! `regexp_split_to_array(text, pattern text [, flags text]) -> text[]` - splits a text where a pattern matches.
//!
//! A match of nothing at the beginning, at the end or behind another match does not split. NULL gives NULL.
//! <https://www.postgresql.org/docs/16/functions-matching.html#FUNCTIONS-POSIX-REGEXP>
//!
//! ```sql
//! SELECT regexp_split_to_array('hello world', '\s+');  -- {hello,world}
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringBuilder};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::posix::{Expression, Subject};
use super::regexp::Patterns;
use crate::Error;
use crate::function::{Args, Overload, Ty, function, overload};

/// The function.
pub fn regexp_split_to_array() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload(&[Ty::Text, Ty::Text], Ty::TextArray, kernel),
        overload(&[Ty::Text, Ty::Text, Ty::Text], Ty::TextArray, kernel),
    ];
    function("regexp_split_to_array", &OVERLOADS)
}

fn kernel(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, mut patterns) = (args.text(0)?, Patterns::new(args, 2, Some("regexp_split_to_array"))?);
    let mut out = ListBuilder::new(StringBuilder::new());
    for row in 0..args.rows {
        let Some(text) = texts.get(row) else {
            out.append(false);
            continue;
        };
        let Some((expression, _)) = patterns.get(row)? else {
            out.append(false);
            continue;
        };
        for part in parts(&Subject::new(text), expression)? {
            out.values().append_value(part);
        }
        out.append(true);
    }
    Ok(Arc::new(out.finish()))
}

fn parts<'t>(subject: &Subject<'t>, expression: &Expression) -> Result<Vec<&'t str>, Error> {
    let mut parts = Vec::new();
    // Where the part begins, and where the last match ended, which may have split nothing.
    let (mut from, mut last) = (0, 0);
    for found in expression.matches(subject, 0) {
        let Some((begin, end)) = found?.first().copied().flatten() else { break };
        if begin < subject.len() && end > last {
            parts.push(subject.part((from, begin)));
            from = end;
        }
        last = end;
    }
    parts.push(subject.part((from, subject.len())));
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{shown, text};

    #[test]
    fn splits_are_postgres_s() {
        for (given, pattern, expect) in [
            ("hello world", "\\s+", "[hello, world]"),
            ("abc", "", "[a, b, c]"),
            ("a1b22c", "[0-9]*", "[a, b, c]"),
            ("foobar", "o*", "[f, b, a, r]"),
            (",a,", ",", "[, a, ]"),
            ("", ",", "[]"),
            ("the quick", "x", "[the quick]"),
            ("a bc", "\\m", "[a , bc]"),
        ] {
            assert_eq!(shown(&regexp_split_to_array(), &[text(given), text(pattern)]), expect, "{given} {pattern}");
        }
        let refused = shown(&regexp_split_to_array(), &[text("a"), text("b"), text("ig")]);
        assert_eq!(refused, "regexp_split_to_array() does not support the \"global\" option");
    }
}
