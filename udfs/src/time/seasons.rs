//! `hydrological_year(date [, first_month])`, `meteorological_season(date [, southern])` - of a day.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::Int32Type;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::Error;
use crate::function::{Args, Overload, Ty, overload, some, stable};
use crate::manual::Manual;
use crate::pg::civil::Civil;
use crate::pg::zone::Zone;

/// The page of `hydrological_year`.
pub(crate) static YEAR: Manual = Manual {
    name: "hydrological_year",
    calls: &[
        ("(day date [, first_month integer])", "integer"),
        ("(day timestamp [, first_month integer])", "integer"),
        ("(day timestamp with time zone [, first_month integer])", "integer"),
    ],
    meaning: "The hydrological year (water year) of a day, which begins with the first month - October, if none is given - \
              and has the number of the calendar year in which it ends. A timestamptz is read in the session's time zone.",
    nulls: "NULL gives NULL. A month outside 1 to 12 is 22023.",
    example: ("SELECT hydrological_year(DATE '2023-10-01')", "2024"),
    source: "https://water.usgs.gov/nwc/explain_data.html",
};

/// The page of `meteorological_season`.
pub(crate) static SEASON: Manual = Manual {
    name: "meteorological_season",
    calls: &[
        ("(day date [, southern boolean])", "text"),
        ("(day timestamp [, southern boolean])", "text"),
        ("(day timestamp with time zone [, southern boolean])", "text"),
    ],
    meaning: "The meteorological season of a day: winter from December to February, spring from March to May, summer from \
              June to August, autumn from September to November; south of the equator it is the opposite one. A \
              timestamptz is read in the session's time zone.",
    nulls: "NULL gives NULL.",
    example: ("SELECT meteorological_season(DATE '2024-02-29')", "winter"),
    source: "https://www.ncei.noaa.gov/news/meteorological-versus-astronomical-seasons",
};

/// `hydrological_year`.
pub fn hydrological_year() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 6] = [
        overload(&[Ty::Date], Ty::Int4, years),
        overload(&[Ty::Timestamp], Ty::Int4, years),
        overload(&[Ty::TimestampTz], Ty::Int4, years),
        overload(&[Ty::Date, Ty::Int], Ty::Int4, years),
        overload(&[Ty::Timestamp, Ty::Int], Ty::Int4, years),
        overload(&[Ty::TimestampTz, Ty::Int], Ty::Int4, years),
    ];
    stable("hydrological_year", &OVERLOADS)
}

/// `meteorological_season`.
pub fn meteorological_season() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 6] = [
        overload(&[Ty::Date], Ty::Text, seasons),
        overload(&[Ty::Timestamp], Ty::Text, seasons),
        overload(&[Ty::TimestampTz], Ty::Text, seasons),
        overload(&[Ty::Date, Ty::Bool], Ty::Text, seasons),
        overload(&[Ty::Timestamp, Ty::Bool], Ty::Text, seasons),
        overload(&[Ty::TimestampTz, Ty::Bool], Ty::Text, seasons),
    ];
    stable("meteorological_season", &OVERLOADS)
}

/// The day of each row.
type Days<'a> = Box<dyn Fn(usize) -> Result<Option<Civil>> + 'a>;

/// The days of the first argument, in the session's time zone.
fn days<'a>(args: &'a Args<'_>) -> Result<Days<'a>> {
    use arrow::datatypes::DataType;
    Ok(match args.array(0)?.data_type() {
        DataType::Date32 => {
            let dates = args.date(0)?;
            Box::new(move |row| Ok(dates.get(row).map(Civil::from_date)))
        }
        DataType::Timestamp(_, Some(_)) => {
            let (moments, zone) = (args.timestamp(0)?, Zone::of_session(args.zone)?);
            Box::new(move |row| Ok(Some(Civil::from_micros(zone.to_local(some!(moments.get(row)))?))))
        }
        _ => {
            let moments = args.timestamp(0)?;
            Box::new(move |row| Ok(moments.get(row).map(Civil::from_micros)))
        }
    })
}

fn years(args: &Args<'_>) -> Result<ArrayRef> {
    let days = days(args)?;
    let months = if args.len() > 1 { Some(args.int(1)?) } else { None };
    args.build::<Int32Type>(|row| {
        let day = some!(days(row)?);
        let first = match &months {
            Some(months) => some!(months.get(row)),
            None => 10,
        };
        if !(1..=12).contains(&first) {
            return Err(Error::InvalidParameter(format!("month out of range: {first}")).into());
        }
        // A year that begins in January ends in the same.
        let year = day.year + i64::from(first > 1 && day.month >= first);
        Ok(Some(i32::try_from(year).map_err(|_| Error::NumericOverflow("integer"))?))
    })
}

fn seasons(args: &Args<'_>) -> Result<ArrayRef> {
    const SEASONS: [&str; 4] = ["winter", "spring", "summer", "autumn"];
    let days = days(args)?;
    let southern = if args.len() > 1 { Some(args.boolean(1)?) } else { None };
    args.build_text(|row| {
        let day = some!(days(row)?);
        let opposite = match &southern {
            Some(southern) => some!(southern.get(row)),
            None => false,
        };
        let season = day.month % 12 / 3 + if opposite { 2 } else { 0 };
        Ok(usize::try_from(season % 4).ok().and_then(|season| SEASONS.get(season)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::civil::to_days;
    use crate::testing::{call_in, moment, moment_tz, shown};
    use datafusion::common::ScalarValue;

    fn date(year: i64, month: i64, day: i64) -> ScalarValue {
        ScalarValue::Date32(Some(i32::try_from(to_days(year, month, day)).unwrap()))
    }

    #[test]
    fn every_month_is_in_its_year_and_season() {
        let names = ["winter", "spring", "summer", "autumn"];
        for month in 1..=12 {
            let season = match month {
                12 | 1 | 2 => 0,
                3..=5 => 1,
                6..=8 => 2,
                _ => 3,
            };
            let southern = |of| ScalarValue::Boolean(Some(of));
            for day in [date(2024, month, 1), moment(&format!("2024-{month:02}-28 23:59:59"))] {
                assert_eq!(shown(&meteorological_season(), std::slice::from_ref(&day)), names[season]);
                assert_eq!(shown(&meteorological_season(), &[day.clone(), southern(false)]), names[season]);
                assert_eq!(shown(&meteorological_season(), &[day.clone(), southern(true)]), names[(season + 2) % 4]);
                let year = |first| shown(&hydrological_year(), &[day.clone(), ScalarValue::Int64(Some(first))]);
                assert_eq!(year(1), "2024");
                assert_eq!(year(10), if month >= 10 { "2025" } else { "2024" });
                assert_eq!(year(month), if month == 1 { "2024" } else { "2025" });
                assert_eq!(shown(&hydrological_year(), std::slice::from_ref(&day)), year(10));
            }
        }
        assert_eq!(
            shown(&hydrological_year(), &[date(2024, 1, 1), ScalarValue::Int64(Some(13))]),
            "month out of range: 13"
        );
        assert_eq!(shown(&hydrological_year(), &[ScalarValue::Date32(None)]), "NULL");
        assert_eq!(shown(&meteorological_season(), &[date(2024, 1, 1), ScalarValue::Boolean(None)]), "NULL");
    }

    #[test]
    fn a_moment_is_of_the_day_of_the_session() {
        let at = [moment_tz("2023-09-30 20:00:00")];
        for (zone, expect) in [("UTC", 2023), ("Asia/Tokyo", 2024)] {
            let year = call_in(zone, &hydrological_year(), &at, true);
            assert_eq!(year, Ok(ScalarValue::Int32(Some(expect))));
        }
    }
}
