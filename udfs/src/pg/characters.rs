//! `chr(int)`, `ascii(text)`, `to_hex(int)`, `split_part(text, delimiter, n)`, `pg_size_pretty(bytes)`.
//!
//! `chr(0)` and a number that is no character are 54000; `split_part` counts from the end where `n` is negative and refuses
//! 0 (22023). NULL gives NULL.
//! <https://www.postgresql.org/docs/16/functions-string.html>
//!
//! ```sql
//! SELECT split_part('a,b,c', ',', -1), pg_size_pretty(10485760);  -- c  10 MB
//! ```

use std::sync::Arc;

use arrow::datatypes::{DataType, Int32Type};
use datafusion::logical_expr::ScalarUDF;

use crate::Error;
use crate::function::{Overload, Ty, function, overload, some};

/// `chr`.
pub fn chr() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Int], Ty::Text, |args| {
        let codes = args.int(0)?;
        args.build_text(|row| {
            let code = some!(codes.get(row));
            if code == 0 {
                return Err(Error::LimitExceeded("null character not permitted".to_owned()).into());
            }
            if code < 0 {
                return Err(Error::LimitExceeded("character number must be positive".to_owned()).into());
            }
            match u32::try_from(code).ok().and_then(char::from_u32) {
                Some(c) => Ok(Some(c.to_string())),
                None => Err(Error::LimitExceeded(format!("requested character too large for encoding: {code}")).into()),
            }
        })
    })];
    function("chr", &OVERLOADS)
}

/// `ascii`.
pub fn ascii() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Text], Ty::Int4, |args| {
        let texts = args.text(0)?;
        args.build::<Int32Type>(|row| {
            let first = some!(texts.get(row)).chars().next().map_or(0, u32::from);
            Ok(i32::try_from(first).ok())
        })
    })];
    function("ascii", &OVERLOADS)
}

/// `split_part`.
pub fn split_part() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Text, Ty::Text, Ty::Int], Ty::Text, |args| {
        let (texts, delimiters, positions) = (args.text(0)?, args.text(1)?, args.int(2)?);
        args.build_text(|row| {
            let (text, delimiter, at) = (some!(texts.get(row)), some!(delimiters.get(row)), some!(positions.get(row)));
            Ok(Some(part(text, delimiter, at)?))
        })
    })];
    function("split_part", &OVERLOADS)
}

/// `pg_size_pretty`.
pub fn pg_size_pretty() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload(&[Ty::Int], Ty::Text, |args| {
            let sizes = args.int(0)?;
            args.build_text(|row| Ok(sizes.get(row).map(pretty)))
        }),
        overload(&[Ty::Numeric], Ty::Text, |args| {
            let sizes = args.numeric(0)?;
            let scale = match args.array(0)?.data_type() {
                DataType::Decimal128(_, scale) => u32::try_from(*scale).unwrap_or_default(),
                _ => 0,
            };
            let unit = 10_i128.checked_pow(scale).unwrap_or(i128::MAX);
            args.build_text(|row| {
                let Some(size) = sizes.get(row) else { return Ok(None) };
                // A fraction of a byte shows only where bytes are shown, and sums of sizes have none.
                let whole = i64::try_from(size / unit).map_err(|_| Error::NumericOverflow("bigint"))?;
                Ok(Some(pretty(whole)))
            })
        }),
    ];
    function("pg_size_pretty", &OVERLOADS)
}

fn part<'a>(text: &'a str, delimiter: &str, at: i64) -> Result<&'a str, Error> {
    let index = |n: i64| usize::try_from(n - 1).unwrap_or(usize::MAX);
    if at == 0 {
        return Err(Error::InvalidParameter("field position must not be zero".to_owned()));
    }
    let found = match (delimiter.is_empty(), at) {
        (true, 1 | -1) => Some(text),
        (true, _) => None,
        (false, 1..) => text.split(delimiter).nth(index(at)),
        (false, _) => text.rsplit(delimiter).nth(index(at.saturating_neg())),
    };
    Ok(found.unwrap_or_default())
}

fn pretty(size: i64) -> String {
    const UNITS: [&str; 6] = ["bytes", "kB", "MB", "GB", "TB", "PB"];
    // One bit more than needed is kept, so that the last halving rounds.
    let mut value = size;
    let mut halves = false;
    for (index, unit) in UNITS.iter().enumerate() {
        let limit = if halves { 20 * 1024 - 1 } else { 10 * 1024 };
        if value.unsigned_abs() < limit || index + 1 == UNITS.len() {
            let shown = if halves { (value + value.signum()) / 2 } else { value };
            return format!("{shown} {unit}");
        }
        value /= if halves { 1 << 10 } else { 1 << 9 };
        halves = true;
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{shown, text};
    use datafusion::common::ScalarValue;

    #[test]
    fn texts_are_postgres_s() {
        for (size, expect) in [
            (0, "0 bytes"),
            (1_023, "1023 bytes"),
            (10_239, "10239 bytes"),
            (10_240, "10 kB"),
            (10_485_248, "10 MB"),
            (1_048_576_000, "1000 MB"),
            (-20_000, "-20 kB"),
            (123_456_789_012_345, "112 TB"),
        ] {
            assert_eq!(pretty(size), expect);
        }
        for (at, expect) in [(-1, "c"), (4, ""), (1, "a"), (-4, ""), (i64::MIN, "")] {
            assert_eq!(part("a,b,c", ",", at), Ok(expect));
        }
        assert!(part("a", ",", 0).is_err());
        assert_eq!(shown(&chr(), &[ScalarValue::Int64(Some(0))]), "null character not permitted");
        assert_eq!(shown(&ascii(), &[text("é")]), "233");
        assert_eq!(shown(&ascii(), &[text("")]), "0");
    }
}
