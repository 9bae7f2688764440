//! `date_bin(stride interval, source timestamp | timestamptz, origin)` - the start of the bin that holds a time.
//!
//! NULL gives NULL; a stride with months is 0A000, one of zero or less 22008.
//! <https://www.postgresql.org/docs/16/functions-datetime.html#FUNCTIONS-DATETIME-BIN>
//!
//! ```sql
//! SELECT date_bin('15 min', TIMESTAMP '2020-02-11 15:44:17', TIMESTAMP '2001-01-01');  -- 2020-02-11 15:30:00
//! ```

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::interval::MICROS_PER_DAY;
use crate::Error;
use crate::error::timestamp_out_of_range;
use crate::function::{Args, Overload, Returns, Ty, function, overload, overload_of, some};

/// The function.
pub fn date_bin() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload(&[Ty::Interval, Ty::Timestamp, Ty::Timestamp], Ty::Timestamp, kernel),
        overload_of(&[Ty::Interval, Ty::TimestampTz, Ty::TimestampTz], Returns::Same(1), kernel),
    ];
    function("date_bin", &OVERLOADS)
}

fn kernel(args: &Args<'_>) -> Result<ArrayRef> {
    let (strides, moments, origins) = (args.interval(0)?, args.timestamp(1)?, args.timestamp(2)?);
    args.build_timestamp(|row| {
        let (stride, at, origin) = (some!(strides.get(row)), some!(moments.get(row)), some!(origins.get(row)));
        if stride.months != 0 {
            let message = "timestamps cannot be binned into intervals containing months or years";
            return Err(Error::Unsupported(message.to_owned()).into());
        }
        let micros = i64::from(stride.days).checked_mul(MICROS_PER_DAY);
        let micros =
            micros.and_then(|days| days.checked_add(stride.nanoseconds / 1_000)).ok_or(Error::IntervalOverflow)?;
        if micros <= 0 {
            return Err(Error::DatetimeOverflow("stride must be greater than zero".to_owned()).into());
        }
        let since = at.checked_sub(origin).ok_or_else(timestamp_out_of_range)?;
        Ok(Some(at.checked_sub(since.rem_euclid(micros)).ok_or_else(timestamp_out_of_range)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call, moment, shown, span};

    #[test]
    fn bins_count_from_the_origin() {
        let at = || moment("2020-02-11 15:44:17");
        let origin = || moment("2001-01-01 00:02:30");
        assert_eq!(call(&date_bin(), &[span("15 min"), at(), origin()], true), Ok(moment("2020-02-11 15:32:30")));
        assert_eq!(
            shown(&date_bin(), &[span("1 month"), at(), origin()]),
            "timestamps cannot be binned into intervals containing months or years"
        );
    }
}
