//! `substr(text | bytea, from [, for])` - the characters or bytes from a place on.
//!
//! Places count from 1; those before the text are counted and give nothing. A negative number of characters is 22011,
//! where DataFusion raises an error of its own. NULL gives NULL.
//! <https://www.postgresql.org/docs/16/functions-string.html>
//!
//! ```sql
//! SELECT substr('alphabet', 3, 2), substr('alphabet', -1, 4);  -- ph  al
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::Error;
use crate::function::{Args, Overload, Ty, function, overload, some};

/// The function.
pub fn substr() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 4] = [
        overload(&[Ty::Text, Ty::Int], Ty::Text, slice),
        overload(&[Ty::Text, Ty::Int, Ty::Int], Ty::Text, slice),
        overload(&[Ty::Bytea, Ty::Int], Ty::Bytea, slice_bytes),
        overload(&[Ty::Bytea, Ty::Int, Ty::Int], Ty::Bytea, slice_bytes),
    ];
    function("substr", &OVERLOADS)
}

pub(super) fn slice(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, starts) = (args.text(0)?, args.int(1)?);
    let counts = if args.len() > 2 { Some(args.int(2)?) } else { None };
    args.build_text(|row| {
        let (text, start) = (some!(texts.get(row)), some!(starts.get(row)));
        let count = match &counts {
            Some(counts) => some!(counts.get(row)),
            None => i64::MAX,
        };
        if count < 0 {
            return Err(Error::NegativeSubstring.into());
        }
        Ok(Some(characters(text, start, count)))
    })
}

pub(super) fn slice_bytes(args: &Args<'_>) -> Result<ArrayRef> {
    let (values, starts) = (args.bytes(0)?, args.int(1)?);
    let counts = if args.len() > 2 { Some(args.int(2)?) } else { None };
    let mut out = BinaryBuilder::new();
    for row in 0..args.rows {
        let count = counts.as_ref().map_or(Some(i64::MAX), |counts| counts.get(row));
        match (values.get(row), starts.get(row), count) {
            (Some(_), Some(_), Some(..0)) => return Err(Error::NegativeSubstring.into()),
            (Some(bytes), Some(start), Some(count)) => {
                let (from, to) = places(start, count);
                let to = to.min(bytes.len());
                out.append_value(bytes.get(from.min(to)..to).unwrap_or_default());
            }
            _ => out.append_null(),
        }
    }
    Ok(Arc::new(out.finish()))
}

/// The first place and the one behind the last, counted from 0.
fn places(start: i64, count: i64) -> (usize, usize) {
    let place = |at: i64| usize::try_from(at.saturating_sub(1)).unwrap_or(0);
    (place(start), place(start.saturating_add(count)))
}

/// The part of `count` characters that begins at the character `start`.
pub(super) fn characters(text: &str, start: i64, count: i64) -> &str {
    let (from, to) = places(start, count);
    let offset = |at: usize| match text.is_ascii() {
        true => at.min(text.len()),
        false => text.char_indices().nth(at).map_or(text.len(), |(offset, _)| offset),
    };
    text.get(offset(from)..offset(to.max(from))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call, shown, text};
    use datafusion::common::ScalarValue;

    #[test]
    fn places_count_as_in_postgres() {
        let int = |value: i64| ScalarValue::Int64(Some(value));
        for (given, start, count, expect) in [
            ("alphabet", 3, Some(2), "ph"),
            ("alphabet", -1, Some(4), "al"),
            ("alphabet", 0, None, "alphabet"),
            ("alphabet", 20, Some(1), ""),
            ("äöü", 2, Some(1), "ö"),
            ("abc", i64::MIN, Some(i64::MAX), ""),
            ("abc", 2, Some(i64::MAX), "bc"),
            ("abc", 1, Some(-1), "negative substring length not allowed"),
        ] {
            let mut args = vec![text(given), int(start)];
            args.extend(count.map(int));
            assert_eq!(shown(&substr(), &args), expect, "{given} {start} {count:?}");
        }
        let bytes = |value: &[u8]| ScalarValue::Binary(Some(value.to_vec()));
        for (start, expect) in [(2, &b"bc"[..]), (-1, b"abc"), (9, b"")] {
            assert_eq!(call(&substr(), &[bytes(b"abc"), int(start)], true), Ok(bytes(expect)), "{start}");
        }
    }
}
