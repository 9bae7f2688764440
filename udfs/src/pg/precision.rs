//! `lakegate_precision(x, p)` - `x` to `p` digits of a second: the casts to `timestamp(p)`, `time(p)` and `interval(p)`.
//!
//! Halves go away from zero, which is midnight of 2000-01-01 for timestamps, as in PostgreSQL. NULL gives NULL. Users
//! never name it. <https://www.postgresql.org/docs/16/datatype-datetime.html>
//!
//! ```sql
//! SELECT TIMESTAMP '2024-01-01 10:00:00.567'::timestamp(1);  -- 2024-01-01 10:00:00.6
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, FieldRef, IntervalMonthDayNano, IntervalMonthDayNanoType, Time64MicrosecondType, TimestampMicrosecondType,
};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::error::timestamp_out_of_range;
use crate::function::strict;

/// 2000-01-01, from where PostgreSQL counts.
const EPOCH_MICROS: i64 = 946_684_800_000_000;
const DIGITS_MAX: u32 = 6;

/// The function.
pub fn precision() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Precision { signature: Signature::any(2, Volatility::Immutable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Precision {
    signature: Signature,
}

impl ScalarUDFImpl for Precision {
    fn name(&self) -> &str {
        "lakegate_precision"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(given.first().cloned().unwrap_or(DataType::Null))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        strict(self, &args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value, ColumnarValue::Scalar(digits)] = args.args.as_slice() else {
            return exec_err!("{} takes a value and a number of digits", self.name());
        };
        let digits = match digits.cast_to(&DataType::UInt32)? {
            ScalarValue::UInt32(Some(digits)) => digits.min(DIGITS_MAX),
            other => return exec_err!("{other} digits"),
        };
        let unit = 10_i64.pow(DIGITS_MAX - digits);
        Ok(match value {
            ColumnarValue::Array(values) => ColumnarValue::Array(rounded(values, unit)?),
            ColumnarValue::Scalar(value) => {
                let value = rounded(&value.to_array_of_size(1)?, unit)?;
                ColumnarValue::Scalar(ScalarValue::try_from_array(&value, 0)?)
            }
        })
    }
}

fn rounded(values: &ArrayRef, unit: i64) -> Result<ArrayRef> {
    Ok(match values.data_type() {
        DataType::Timestamp(_, zone) => {
            let values = values.as_primitive::<TimestampMicrosecondType>();
            let round = |at: i64| match at {
                i64::MIN | i64::MAX => Ok(at),
                at => at
                    .checked_sub(EPOCH_MICROS)
                    .map(|at| nearest(at, unit))
                    .and_then(|at| at.checked_add(EPOCH_MICROS))
                    .ok_or_else(timestamp_out_of_range),
            };
            let values = values.try_unary::<_, TimestampMicrosecondType, _>(round)?;
            Arc::new(values.with_timezone_opt(zone.clone()))
        }
        DataType::Time64(_) => {
            let values = values.as_primitive::<Time64MicrosecondType>();
            Arc::new(values.unary::<_, Time64MicrosecondType>(|at| nearest(at, unit)))
        }
        DataType::Interval(_) => {
            let values = values.as_primitive::<IntervalMonthDayNanoType>();
            let round = |span: IntervalMonthDayNano| IntervalMonthDayNano {
                nanoseconds: nearest(span.nanoseconds, 1_000 * unit),
                ..span
            };
            Arc::new(values.unary::<_, IntervalMonthDayNanoType>(round))
        }
        other => return exec_err!("{other} has no digits of a second"),
    })
}

fn nearest(value: i64, unit: i64) -> i64 {
    let rest = value % unit;
    let whole = value - rest;
    if 2 * rest.abs() >= unit && unit > 1 { whole.saturating_add(unit * rest.signum()) } else { whole }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call, moment, span};

    #[test]
    fn halves_go_away_from_the_beginning() {
        let rounded =
            |value: ScalarValue, digits: i64| call(&precision(), &[value, ScalarValue::Int64(Some(digits))], false);
        for (given, digits, expect) in [
            ("2020-01-01T00:00:00.1255", 3, "2020-01-01T00:00:00.126"),
            ("2024-01-01T10:00:00.550", 1, "2024-01-01T10:00:00.6"),
            ("2020-01-01T00:00:00.123456", 6, "2020-01-01T00:00:00.123456"),
            ("1999-12-31T23:59:59.5", 0, "1999-12-31T23:59:59"),
        ] {
            assert_eq!(rounded(moment(given), digits), Ok(moment(expect)), "{given}");
        }
        assert_eq!(rounded(span("1 day 1.5 sec"), 0), Ok(span("1 day 2 sec")));
    }
}
