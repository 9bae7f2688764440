//! `num_nulls(...)`, `num_nonnulls(...)` - integer -, `timeofday()` and `pg_size_bytes(text)`.
//!
//! `timeofday` is the clock of the moment in the session's zone, as text. `pg_size_bytes` reads what `pg_size_pretty`
//! writes: a number, perhaps with an exponent, and a unit (`bytes`, `kB`, `MB`, `GB`, `TB`, `PB`) of any case; else 22023.
//! <https://www.postgresql.org/docs/16/functions-comparison.html>
//!
//! ```sql
//! SELECT num_nulls(1, NULL, 2), pg_size_bytes('1.5 kB');  -- 1  1536
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{Int32Type, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::zone::Zone;
use crate::Error;
use crate::function::{Args, Overload, Ty, function, overload, some, variadic, volatile};

/// `num_nulls`.
pub fn num_nulls() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [variadic(&[Ty::Any, Ty::Any], Ty::Int4, |args| count(args, true))];
    function("num_nulls", &OVERLOADS)
}

/// `num_nonnulls`.
pub fn num_nonnulls() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [variadic(&[Ty::Any, Ty::Any], Ty::Int4, |args| count(args, false))];
    function("num_nonnulls", &OVERLOADS)
}

fn count(args: &Args<'_>, nulls: bool) -> Result<ArrayRef> {
    let nulls_of = |index| Ok(args.expanded(index)?.logical_nulls());
    let columns = (0..args.len()).map(nulls_of).collect::<Result<Vec<_>>>()?;
    args.build::<Int32Type>(|row| {
        let is_null = |column: &Option<arrow::buffer::NullBuffer>| column.as_ref().is_some_and(|it| it.is_null(row));
        Ok(i32::try_from(columns.iter().filter(|column| is_null(column) == nulls).count()).ok())
    })
}

/// `timeofday`.
pub fn timeofday() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[], Ty::Text, |args| {
        let zone = Zone::of_session(args.zone)?;
        args.build_text(|_| {
            let now = chrono::Utc::now().timestamp_micros();
            let local = chrono::DateTime::from_timestamp_micros(zone.to_local(now)?);
            let shown = local.map(|local| local.format("%a %b %d %H:%M:%S%.6f %Y").to_string()).unwrap_or_default();
            Ok(Some(format!("{shown} {}", zone.abbreviation_at(now)?)))
        })
    })];
    volatile("timeofday", &OVERLOADS)
}

/// `pg_size_bytes`.
pub fn pg_size_bytes() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Text], Ty::Int, |args| {
        let sizes = args.text(0)?;
        args.build::<Int64Type>(|row| Ok(Some(bytes(some!(sizes.get(row)))?)))
    })];
    function("pg_size_bytes", &OVERLOADS)
}

fn bytes(text: &str) -> Result<i64, Error> {
    let invalid = || Error::InvalidParameter(format!("invalid size: \"{text}\""));
    let trimmed = text.trim();
    let mut end =
        trimmed.find(|c: char| !(c.is_ascii_digit() || matches!(c, '+' | '-' | '.'))).unwrap_or(trimmed.len());
    let tail = trimmed.get(end..).unwrap_or_default();
    if let Some(exponent) = tail.strip_prefix(['e', 'E']) {
        let digits = exponent.trim_start_matches(['+', '-']);
        let length = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        if length > 0 {
            end += 1 + exponent.len() - digits.len() + length;
        }
    }
    let (number, unit) = trimmed.split_at_checked(end).ok_or_else(invalid)?;
    let number: f64 = number.parse().map_err(|_| invalid())?;
    let power = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" | "bytes" => 0,
        "kb" => 1,
        "mb" => 2,
        "gb" => 3,
        "tb" => 4,
        "pb" => 5,
        _ => return Err(invalid()),
    };
    let size = (number * 1024_f64.powi(power)).round();
    #[expect(clippy::cast_possible_truncation, reason = "checked for its range")]
    if size.abs() < 9.223e18 { Ok(size as i64) } else { Err(Error::NumericOverflow("bigint")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::shown;
    use datafusion::common::ScalarValue;

    #[test]
    fn sizes_are_read_as_they_are_written() {
        for (text, expect) in [
            ("1", Ok(1)),
            ("1.5 kB", Ok(1536)),
            (" 1e3 bytes ", Ok(1000)),
            ("-1 gb", Ok(-1_073_741_824)),
            ("1 AB", Err(Error::InvalidParameter("invalid size: \"1 AB\"".to_owned()))),
            ("", Err(Error::InvalidParameter("invalid size: \"\"".to_owned()))),
            ("8192 PB", Err(Error::NumericOverflow("bigint"))),
        ] {
            assert_eq!(bytes(text), expect, "{text}");
        }
    }

    #[test]
    fn nulls_are_counted_across_types() {
        let args = [ScalarValue::Int64(Some(1)), ScalarValue::Utf8(None), ScalarValue::Null];
        assert_eq!(shown(&num_nulls(), &args), "2");
        assert_eq!(shown(&num_nonnulls(), &args), "1");
    }
}
