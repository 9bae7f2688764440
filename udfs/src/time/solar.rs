//! `solar_time(time, longitude)`, `mean_solar_time(time, longitude)`, `solar_day(time, longitude)` - by the sun of a place.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::Date32Type;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::Error;
use crate::error::timestamp_out_of_range;
use crate::function::{Args, Overload, Ty, function, overload, some};
use crate::manual::Manual;
use crate::pg::interval::MICROS_PER_DAY;

const NULLS: &str = "NULL gives NULL. A longitude outside -180 to 180, or NaN, is 22023.";
const SOURCE: &str = "https://gml.noaa.gov/grad/solcalc/calcdetails.html";
const CALL: &str = "(time timestamp with time zone, longitude double precision)";

/// The page of `solar_time`.
pub(crate) static SOLAR: Manual = Manual {
    name: "solar_time",
    calls: &[(CALL, "timestamp")],
    meaning: "The apparent (true) solar time at a longitude in degrees, positive to the east: at 12:00 the sun is highest. \
              UTC plus 4 minutes for each degree plus the equation of time, which is NOAA's after Meeus; it errs by less \
              than 10 seconds in the years 1900 to 2100.",
    nulls: NULLS,
    example: (
        "SELECT date_trunc('minute', solar_time(TIMESTAMPTZ '2024-11-03 12:00:00+00', 15))",
        "2024-11-03 13:16:00",
    ),
    source: SOURCE,
};

/// The page of `mean_solar_time`.
pub(crate) static MEAN: Manual = Manual {
    name: "mean_solar_time",
    calls: &[(CALL, "timestamp")],
    meaning: "The mean solar time at a longitude in degrees, positive to the east: UTC plus 4 minutes for each degree.",
    nulls: NULLS,
    example: ("SELECT mean_solar_time(TIMESTAMPTZ '2024-11-03 12:00:00+00', 15)", "2024-11-03 13:00:00"),
    source: SOURCE,
};

/// The page of `solar_day`.
pub(crate) static DAY: Manual = Manual {
    name: "solar_day",
    calls: &[(CALL, "date")],
    meaning: "The day at a longitude in degrees, positive to the east, by mean solar time: from midnight to midnight there, \
              whatever the time zone is.",
    nulls: NULLS,
    example: ("SELECT solar_day(TIMESTAMPTZ '2024-11-03 23:30:00+00', 15)", "2024-11-04"),
    source: SOURCE,
};

/// `solar_time`.
pub fn solar_time() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::TimestampTz, Ty::Float], Ty::Timestamp, |args| {
        timestamps(args, |at, longitude| moved(mean(at, longitude)?, 60.0 * equation_of_time_minutes(at)))
    })];
    function("solar_time", &OVERLOADS)
}

/// `mean_solar_time`.
pub fn mean_solar_time() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] =
        [overload(&[Ty::TimestampTz, Ty::Float], Ty::Timestamp, |args| timestamps(args, mean))];
    function("mean_solar_time", &OVERLOADS)
}

/// `solar_day`.
pub fn solar_day() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::TimestampTz, Ty::Float], Ty::Date, |args| {
        let (moments, longitudes) = (args.timestamp(0)?, args.float(1)?);
        args.build::<Date32Type>(|row| {
            let local = mean(some!(moments.get(row)), some!(longitudes.get(row)))?;
            Ok(Some(i32::try_from(local.div_euclid(MICROS_PER_DAY)).map_err(|_| timestamp_out_of_range())?))
        })
    })];
    function("solar_day", &OVERLOADS)
}

fn timestamps(args: &Args<'_>, of: fn(i64, f64) -> Result<i64, Error>) -> Result<ArrayRef> {
    let (moments, longitudes) = (args.timestamp(0)?, args.float(1)?);
    args.build_timestamp(|row| Ok(Some(of(some!(moments.get(row)), some!(longitudes.get(row)))?)))
}

fn mean(at: i64, longitude: f64) -> Result<i64, Error> {
    if !(-180.0..=180.0).contains(&longitude) {
        return Err(Error::InvalidParameter(format!("longitude out of range: {longitude}")));
    }
    moved(at, 240.0 * longitude)
}

#[expect(clippy::cast_possible_truncation, reason = "less than a day")]
fn moved(at: i64, seconds: f64) -> Result<i64, Error> {
    at.checked_add((seconds * 1e6).round() as i64).ok_or_else(timestamp_out_of_range)
}

/// Apparent less mean solar time: Meeus, Astronomical Algorithms, chapter 28, with the constants of NOAA's sheet.
#[expect(clippy::cast_precision_loss, reason = "centuries")]
fn equation_of_time_minutes(at: i64) -> f64 {
    const MICROS_PER_CENTURY: f64 = 36_525.0 * 86_400e6;
    // 2000-01-01 12:00
    const EPOCH: i64 = 946_728_000_000_000;
    let t = (at as f64 - EPOCH as f64) / MICROS_PER_CENTURY;
    let longitude = (280.466_46 + t * (36_000.769_83 + t * 0.000_303_2)).rem_euclid(360.0).to_radians();
    let anomaly = (357.529_11 + t * (35_999.050_29 - 0.000_153_7 * t)).rem_euclid(360.0).to_radians();
    let eccentricity = 0.016_708_634 - t * (0.000_042_037 + 0.000_000_126_7 * t);
    let mean_obliquity = 23.0 + (26.0 + (21.448 - t * (46.815 + t * (0.000_59 - t * 0.001_813))) / 60.0) / 60.0;
    let node = (125.04 - 1_934.136 * t).rem_euclid(360.0).to_radians();
    let obliquity = (mean_obliquity + 0.002_56 * node.cos()).to_radians();
    let y = (obliquity / 2.0).tan().powi(2);
    let radians = y * (2.0 * longitude).sin() - 2.0 * eccentricity * anomaly.sin()
        + 4.0 * eccentricity * y * anomaly.sin() * (2.0 * longitude).cos()
        - 0.5 * y * y * (4.0 * longitude).sin()
        - 1.25 * eccentricity * eccentricity * (2.0 * anomaly).sin();
    4.0 * radians.to_degrees()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call, moment, moment_tz, shown};
    use datafusion::common::ScalarValue;

    fn at(time: &str, longitude: f64) -> [ScalarValue; 2] {
        [moment_tz(time), ScalarValue::Float64(Some(longitude))]
    }

    /// The extremes of the equation of time, and a day when it is near zero, as almanacs have them.
    #[test]
    fn the_equation_of_time_is_that_of_almanacs() {
        for (day, minutes, seconds) in [
            ("2000-02-11", -14, -15),
            ("2000-05-14", 3, 39),
            ("2000-07-26", -6, -32),
            ("2000-11-03", 16, 25),
            ("2000-04-15", 0, 0),
        ] {
            let ScalarValue::TimestampMicrosecond(Some(micros), _) = moment(&format!("{day} 12:00:00")) else {
                panic!("{day}")
            };
            let error = equation_of_time_minutes(micros) * 60.0 - f64::from(minutes * 60 + seconds);
            assert!(error.abs() < 10.0, "{day}: {error} seconds");
        }
    }

    #[test]
    fn a_degree_is_four_minutes() {
        let noon = "2024-11-03 12:00:00";
        assert_eq!(call(&mean_solar_time(), &at(noon, -0.25), true), Ok(moment("2024-11-03 11:59:00")));
        assert_eq!(call(&mean_solar_time(), &at(noon, 180.0), false), Ok(moment("2024-11-04 00:00:00")));
        assert_eq!(shown(&solar_day(), &at(noon, 180.0)), "2024-11-04");
        assert_eq!(shown(&solar_day(), &at(noon, 179.99)), "2024-11-03");
        assert_eq!(shown(&solar_time(), &at(noon, 180.5)), "longitude out of range: 180.5");
        assert_eq!(shown(&solar_day(), &at(noon, f64::NAN)), "longitude out of range: NaN");
        assert_eq!(shown(&solar_day(), &[moment_tz(noon), ScalarValue::Float64(None)]), "NULL");
    }
}
