//! `lakegate_timetz_order(timetz) -> numeric`, `lakegate_timetz_add(timetz, interval)`,
//! `lakegate_timetz_sub(timetz, interval)` - the order of times with time zone, and `timetz ± interval`.
//!
//! Such times compare as moments of one day, and where these are equal the zone further west is the greater. Only the
//! time of an interval counts, and midnight is passed. NULL gives NULL. Users never name these functions.
//! <https://www.postgresql.org/docs/16/functions-datetime.html#OPERATORS-DATETIME-TABLE>
//!
//! ```sql
//! SELECT timetz '23:30+02' + interval '1 hour';  -- 00:30:00+02
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Decimal128Array};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::interval::MICROS_PER_DAY;
use super::spans::{KEY, key_of, keys};
use super::timetz::{RETURNS, read, shown};
use crate::Error;
use crate::function::{Args, Overload, Returns, Ty, function, overload_of, some};

/// `lakegate_timetz_order`; of an array, the keys of its items.
pub fn order() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload_of(&[Ty::Text], Returns::From(|_| KEY), |args| of_texts(&args.expanded(0)?)),
        overload_of(&[Ty::AnyArray], Returns::From(key_of), |args| keys(&args.expanded(0)?, of_texts)),
    ];
    function("lakegate_timetz_order", &OVERLOADS)
}

/// `lakegate_timetz_add`.
pub fn add() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload_of(&[Ty::Text, Ty::Interval], RETURNS, |args| moved(args, 1))];
    function("lakegate_timetz_add", &OVERLOADS)
}

/// `lakegate_timetz_sub`.
pub fn sub() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload_of(&[Ty::Text, Ty::Interval], RETURNS, |args| moved(args, -1))];
    function("lakegate_timetz_sub", &OVERLOADS)
}

fn moved(args: &Args<'_>, sign: i64) -> Result<ArrayRef> {
    let (times, spans) = (args.text(0)?, args.interval(1)?);
    args.build_text(|row| {
        let (text, span) = (some!(times.get(row)), some!(spans.get(row)));
        let (micros, east) = parsed(text)?;
        let by = span.nanoseconds / 1_000 % MICROS_PER_DAY;
        Ok(Some(shown((micros + sign * by).rem_euclid(MICROS_PER_DAY), east)))
    })
}

fn of_texts(values: &ArrayRef) -> Result<ArrayRef> {
    let texts = arrow::compute::cast(values, &DataType::Utf8)?;
    let key = |text: &str| {
        let (micros, east) = parsed(text)?;
        let (moment, west) = (micros - i64::from(east) * 1_000_000, -i64::from(east));
        // No zone is half as far from Greenwich as 2^17 seconds.
        Ok::<i128, Error>(i128::from(moment) * (1 << 18) + i128::from(west))
    };
    let keys = texts.as_string::<i32>().iter().map(|text| text.map(key).transpose());
    let keys: Decimal128Array = keys.collect::<Result<_, _>>()?;
    Ok(Arc::new(keys.with_data_type(KEY)))
}

fn parsed(text: &str) -> Result<(i64, i32), Error> {
    read(text).ok_or_else(|| Error::InvalidText { of: "time with time zone", value: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call, span};
    use datafusion::common::ScalarValue;

    #[test]
    fn times_compare_as_moments_then_by_zone() {
        let ordered =
            ["07:00:00-16:00", "07:30:00+00", "08:00:00.000001+01", "10:00:00+02", "08:00:00+00", "06:00:00-02"];
        let mut keys: Vec<ScalarValue> = ordered
            .iter()
            .map(|text| call(&order(), &[ScalarValue::Utf8(Some((*text).to_owned()))], true).unwrap())
            .collect();
        // The first is the latest moment.
        let latest = keys.remove(0);
        keys.push(latest);
        assert_eq!(keys[0].partial_cmp(&keys[1]), Some(std::cmp::Ordering::Greater));
        keys.swap(0, 1);
        for pair in keys.windows(2) {
            assert!(pair[0] < pair[1], "{pair:?}");
        }
    }

    #[test]
    fn midnight_is_passed() {
        let text = |text: &str| ScalarValue::Utf8(Some(text.to_owned()));
        assert_eq!(call(&add(), &[text("23:30:00+02"), span("3 days 01:00")], true), Ok(text("00:30:00+02")));
        assert_eq!(call(&sub(), &[text("00:30:00-01:30"), span("01:00")], true), Ok(text("23:30:00-01:30")));
    }
}
