//! `substring(text | bytea, from [, for])` and `substring(text, pattern [, escape])`.
//!
//! Places are those of `substr`. A pattern is a regular expression, whose first group is given, or the match where it has
//! none; with an escape it is one of `SIMILAR TO`, and the part between escaped quotes is given. An argument without a type
//! is a text. NULL gives NULL, and no match too.
//! <https://www.postgresql.org/docs/16/functions-matching.html>
//!
//! ```sql
//! SELECT substring('foobar', 'o(.)b'), substring('foobar', 4);  -- o  bar
//! ```

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::like_escape::escape;
use super::posix::{Expression, Subject};
use super::regexp::{Flags, Patterns, compile};
use super::similar::to_regex;
use super::substr::{slice, slice_bytes};
use crate::Error;
use crate::function::{Args, Overload, Ty, function, overload, some};

/// The function.
pub fn substring() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 6] = [
        overload(&[Ty::Text, Ty::Text], Ty::Text, pattern),
        overload(&[Ty::Text, Ty::Int], Ty::Text, slice),
        overload(&[Ty::Bytea, Ty::Int], Ty::Bytea, slice_bytes),
        overload(&[Ty::Text, Ty::Text, Ty::Text], Ty::Text, similar),
        overload(&[Ty::Text, Ty::Int, Ty::Int], Ty::Text, slice),
        overload(&[Ty::Bytea, Ty::Int, Ty::Int], Ty::Bytea, slice_bytes),
    ];
    function("substring", &OVERLOADS)
}

fn pattern(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, mut patterns) = (args.text(0)?, Patterns::new(args, 2, None)?);
    args.build_text(|row| {
        let text = some!(texts.get(row));
        let (expression, _) = some!(patterns.get(row)?);
        Ok(part(text, expression)?)
    })
}

fn similar(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, patterns, escapes) = (args.text(0)?, args.text(1)?, args.text(2)?);
    let mut last: Option<(&str, &str, Expression)> = None;
    args.build_text(|row| {
        let (text, pattern) = (some!(texts.get(row)), some!(patterns.get(row)));
        let with = some!(escapes.get(row));
        if !matches!(&last, Some((known, by, _)) if (*known, *by) == (pattern, with)) {
            let regex = to_regex(pattern, escape(with)?)?;
            last = Some((pattern, with, compile(&regex, Flags::default())?));
        }
        let (_, _, expression) = some!(&last);
        Ok(part(text, expression)?)
    })
}

fn part<'t>(text: &'t str, expression: &Expression) -> Result<Option<&'t str>, Error> {
    if !expression.is_match(text)? {
        return Ok(None);
    }
    let subject = Subject::new(text);
    let found = some!(expression.find(&subject, 0)?);
    let group = usize::from(expression.groups() > 0);
    Ok(found.get(group).copied().flatten().map(|range| subject.part(range)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{shown, text};
    use datafusion::common::ScalarValue;

    #[test]
    fn the_first_group_or_the_match_is_given() {
        let of = |pattern: &str| shown(&substring(), &[text("foobar"), text(pattern)]);
        assert_eq!([of("o(.)b"), of("o.b"), of("(x)?b"), of("z")], ["o", "oob", "NULL", "NULL"]);
        assert_eq!(shown(&substring(), &[text("foobar"), ScalarValue::Int32(Some(4))]), "bar");
        assert_eq!(shown(&substring(), &[text("foobar"), text("%#\"o_b#\"%"), text("#")]), "oob");
    }
}
