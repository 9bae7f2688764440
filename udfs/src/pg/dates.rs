//! `date + integer`, `date - integer`, `date - date` - whole days.
//!
//! Owns: the functions behind these operators. A date beyond the calendar is 22008. NULL gives NULL.
//! <https://www.postgresql.org/docs/16/functions-datetime.html#OPERATORS-DATETIME-TABLE>
//!
//! ```sql
//! SELECT DATE '2024-02-28' + 2, DATE '2024-03-01' - DATE '2024-02-28';  -- 2024-03-01  2
//! ```

use std::sync::Arc;

use arrow::datatypes::{Date32Type, Int32Type};
use datafusion::logical_expr::ScalarUDF;

use crate::Error;
use crate::function::{Overload, Ty, function, overload, some};

/// `lakegate_date_add(date, integer) -> date`.
pub fn add() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Date, Ty::Int], Ty::Date, |args| {
        let (dates, days) = (args.date(0)?, args.int(1)?);
        args.build::<Date32Type>(|row| Ok(Some(moved(some!(dates.get(row)), Some(some!(days.get(row))))?)))
    })];
    function("lakegate_date_add", &OVERLOADS)
}

/// `lakegate_date_sub(date, integer) -> date`.
pub fn sub() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Date, Ty::Int], Ty::Date, |args| {
        let (dates, days) = (args.date(0)?, args.int(1)?);
        args.build::<Date32Type>(|row| Ok(Some(moved(some!(dates.get(row)), some!(days.get(row)).checked_neg())?)))
    })];
    function("lakegate_date_sub", &OVERLOADS)
}

/// `lakegate_date_diff(date, date) -> integer`.
pub fn diff() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Date, Ty::Date], Ty::Int4, |args| {
        let (later, earlier) = (args.date(0)?, args.date(1)?);
        args.build::<Int32Type>(|row| {
            let days = some!(later.get(row)).checked_sub(some!(earlier.get(row)));
            Ok(Some(days.ok_or(Error::NumericOverflow("integer"))?))
        })
    })];
    function("lakegate_date_diff", &OVERLOADS)
}

fn moved(date: i32, days: Option<i64>) -> Result<i32, Error> {
    // 4713 BC to 5874897 AD.
    const RANGE: std::ops::RangeInclusive<i64> = -2_440_588..=2_145_031_948;
    let moved = days.and_then(|days| i64::from(date).checked_add(days)).filter(|moved| RANGE.contains(moved));
    moved
        .and_then(|moved| i32::try_from(moved).ok())
        .ok_or_else(|| Error::DatetimeOverflow("date out of range".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::call;
    use datafusion::common::ScalarValue;

    #[test]
    fn days_are_added_and_counted() {
        let date = |days: i32| ScalarValue::Date32(Some(days));
        let int = |value: i32| ScalarValue::Int32(Some(value));
        assert_eq!(call(&add(), &[date(10), int(5)], true), Ok(date(15)));
        assert_eq!(call(&sub(), &[date(10), int(15)], false), Ok(date(-5)));
        assert_eq!(call(&diff(), &[date(10), date(15)], true), Ok(int(-5)));
        let beyond = Err(Error::DatetimeOverflow("date out of range".to_owned()));
        assert_eq!(call(&add(), &[date(10), int(i32::MAX)], true), beyond);
    }
}
