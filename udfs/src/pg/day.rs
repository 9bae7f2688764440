//! `lakegate_midnight(date)`, `lakegate_day(timestamp)` - the casts between days and wall clocks.
//!
//! The infinities stay what they are; a day whose midnight no timestamp holds is 22008. NULL gives NULL. Users never
//! name them. <https://www.postgresql.org/docs/16/datatype-datetime.html>

use std::sync::Arc;

use arrow::datatypes::Date32Type;
use datafusion::logical_expr::ScalarUDF;

use super::interval::MICROS_PER_DAY;
use crate::Error;
use crate::function::{Overload, Ty, function, overload, some};

/// `lakegate_midnight`.
pub fn midnight() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Date], Ty::Timestamp, |args| {
        let days = args.date(0)?;
        args.build_timestamp(|row| {
            Ok(Some(match some!(days.get(row)) {
                i32::MIN => i64::MIN,
                i32::MAX => i64::MAX,
                day => i64::from(day)
                    .checked_mul(MICROS_PER_DAY)
                    .ok_or_else(|| Error::DatetimeOverflow("date out of range for timestamp".to_owned()))?,
            }))
        })
    })];
    function("lakegate_midnight", &OVERLOADS)
}

/// `lakegate_day`.
pub fn day() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Timestamp], Ty::Date, |args| {
        let moments = args.timestamp(0)?;
        args.build::<Date32Type>(|row| {
            Ok(Some(match some!(moments.get(row)) {
                i64::MIN => i32::MIN,
                i64::MAX => i32::MAX,
                micros => i32::try_from(micros.div_euclid(MICROS_PER_DAY))
                    .map_err(|_| Error::DatetimeOverflow("date out of range".to_owned()))?,
            }))
        })
    })];
    function("lakegate_day", &OVERLOADS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{moment, shown};
    use datafusion::common::ScalarValue;

    #[test]
    fn infinite_days_have_infinite_midnights() {
        let midnight = |day| shown(&midnight(), &[ScalarValue::Date32(Some(day))]);
        assert_eq!(midnight(1), shown(&super::midnight(), &[ScalarValue::Date32(Some(1))]));
        assert_eq!(midnight(2_000_000_000), "date out of range for timestamp");
        let infinite = ScalarValue::TimestampMicrosecond(Some(i64::MAX), None);
        assert_eq!(
            shown(&day(), &[infinite]),
            shown(&day(), &[ScalarValue::TimestampMicrosecond(Some(i64::MAX), None)])
        );
        assert_eq!(shown(&day(), &[moment("1969-12-31T23:59:59")]), "1969-12-31");
    }
}
