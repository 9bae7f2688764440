//! `repeat(text, n)`, `lpad(text, n [, fill])`, `rpad(text, n [, fill])`, `levenshtein(a, b)` - with a bound on their cost.
//!
//! They are PostgreSQL's, but a result above 16 MiB is 54000 instead of 1 GB of memory, and `levenshtein` takes texts of
//! 255 characters at most, as PostgreSQL's module does. A length below zero is zero. NULL gives NULL.
//! <https://www.postgresql.org/docs/16/functions-string.html>
//!
//! ```sql
//! SELECT lpad('abc', 5, 'xy'), repeat('ab', 2);  -- xyabc  abab
//! ```

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::Int32Type;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::Error;
use crate::function::{Args, Overload, TEXT_BYTES_MAX, Ty, function, overload, some};

/// The greatest text that a function of this file makes, in characters and in bytes.
pub(crate) const CHARS_MAX: usize = TEXT_BYTES_MAX;
const LEVENSHTEIN_CHARS_MAX: usize = 255;

/// `repeat`.
pub fn repeat() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Text, Ty::Int], Ty::Text, |args| {
        let (texts, counts) = (args.text(0)?, args.int(1)?);
        let mut total = Budget::default();
        args.build_text(|row| {
            let (text, count) = (some!(texts.get(row)), some!(counts.get(row)));
            let count = if text.is_empty() { 0 } else { usize::try_from(count.max(0)).unwrap_or(usize::MAX) };
            total.spend(text.len().saturating_mul(count))?;
            Ok(Some(text.repeat(count)))
        })
    })];
    function("repeat", &OVERLOADS)
}

/// `lpad`.
pub fn lpad() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload(&[Ty::Text, Ty::Int], Ty::Text, |args| pad(args, true)),
        overload(&[Ty::Text, Ty::Int, Ty::Text], Ty::Text, |args| pad(args, true)),
    ];
    function("lpad", &OVERLOADS)
}

/// `rpad`.
pub fn rpad() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload(&[Ty::Text, Ty::Int], Ty::Text, |args| pad(args, false)),
        overload(&[Ty::Text, Ty::Int, Ty::Text], Ty::Text, |args| pad(args, false)),
    ];
    function("rpad", &OVERLOADS)
}

/// `levenshtein`.
pub fn levenshtein() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Text, Ty::Text], Ty::Int4, |args| {
        let (lefts, rights) = (args.text(0)?, args.text(1)?);
        args.build::<Int32Type>(|row| Ok(Some(distance(some!(lefts.get(row)), some!(rights.get(row)))?)))
    })];
    function("levenshtein", &OVERLOADS)
}

fn pad(args: &Args<'_>, before: bool) -> Result<ArrayRef> {
    let (texts, lengths) = (args.text(0)?, args.int(1)?);
    let fills = if args.len() > 2 { Some(args.text(2)?) } else { None };
    let mut total = Budget::default();
    args.build_text(|row| {
        let (text, length) = (some!(texts.get(row)), some!(lengths.get(row)));
        let fill = match &fills {
            Some(fills) => some!(fills.get(row)),
            None => " ",
        };
        let length = usize::try_from(length.max(0)).unwrap_or(usize::MAX);
        let missing = length.saturating_sub(text.chars().count());
        if missing == 0 {
            return Ok(Some(text.chars().take(length).collect()));
        }
        total.spend(if fill.is_empty() { 0 } else { missing })?;
        let padding: String = fill.chars().cycle().take(missing).collect();
        Ok(Some(if before { padding + text } else { format!("{text}{padding}") }))
    })
}

/// How much one batch may make: no value above the bound, and no batch above what its offsets can count.
#[derive(Default)]
struct Budget(usize);

impl Budget {
    fn spend(&mut self, bytes: usize) -> Result<(), Error> {
        self.0 = self.0.saturating_add(bytes);
        if bytes > CHARS_MAX || self.0 > 16 * CHARS_MAX { Err(too_long()) } else { Ok(()) }
    }
}

/// 54000: a text beyond the bound.
pub(crate) fn too_long() -> Error {
    Error::LimitExceeded(format!("result of text function is larger than {CHARS_MAX} bytes"))
}

fn distance(left: &str, right: &str) -> Result<i32, Error> {
    let (left, right): (Vec<_>, Vec<_>) = (left.chars().collect(), right.chars().collect());
    if left.len().max(right.len()) > LEVENSHTEIN_CHARS_MAX {
        let message = format!("levenshtein argument exceeds maximum length of {LEVENSHTEIN_CHARS_MAX} characters");
        return Err(Error::InvalidParameter(message));
    }
    let mut above: Vec<i32> = (0..).take(right.len() + 1).collect();
    for (row, of_left) in (1..).zip(&left) {
        let mut diagonal = row - 1;
        let mut before = row;
        for (cell, of_right) in above.iter_mut().skip(1).zip(&right) {
            let changed = diagonal + i32::from(of_left != of_right);
            diagonal = *cell;
            *cell = changed.min(diagonal + 1).min(before + 1);
            before = *cell;
        }
        if let Some(first) = above.first_mut() {
            *first = row;
        }
    }
    Ok(above.last().copied().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{shown, text};
    use datafusion::common::ScalarValue;

    #[test]
    fn results_are_postgres_s_and_bounded() {
        let int = |value: i64| ScalarValue::Int64(Some(value));
        assert_eq!(shown(&lpad(), &[text("abc"), int(5), text("xy")]), "xyabc");
        assert_eq!(shown(&lpad(), &[text("abc"), int(2)]), "ab");
        assert_eq!(shown(&rpad(), &[text("abc"), int(6), text("xy")]), "abcxyx");
        assert_eq!(shown(&rpad(), &[text("abc"), int(6), text("")]), "abc");
        assert_eq!(shown(&repeat(), &[text("a"), int(-1)]), "");
        for udf in [repeat(), lpad(), rpad()] {
            assert_eq!(
                shown(&udf, &[text("a"), int(2_000_000_000)]),
                "result of text function is larger than 16777216 bytes"
            );
        }
        for (left, right, expect) in
            [("kitten", "sitting", "3"), ("", "abc", "3"), ("a", "a", "0"), ("GUMBO", "GAMBOL", "2")]
        {
            assert_eq!(shown(&levenshtein(), &[text(left), text(right)]), expect);
        }
        let long = text(&"a".repeat(256));
        assert_eq!(
            shown(&levenshtein(), &[long, text("a")]),
            "levenshtein argument exceeds maximum length of 255 characters"
        );
    }
}
