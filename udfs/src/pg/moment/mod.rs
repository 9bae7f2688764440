//! The text of dates, times and timestamps.
//!
//! Owns: the order of fields and PostgreSQL's conditions 22007, 22008 and 22009. Must never know: which value of Arrow
//! holds the moment. <https://www.postgresql.org/docs/16/datatype-datetime.html#DATATYPE-DATETIME-INPUT>

mod decode;
mod fields;
mod split;
mod words;

use chrono_tz::Tz;

use super::interval::{MICROS_PER_DAY, MICROS_PER_SECOND};
use super::zone::{Dynamic, Posix, Zone};
use crate::Error;
use decode::Decoded;

/// The fields of an interval's text are found as those of a moment.
pub(super) use split::{Field, Kind, split};

/// 4714-11-24 BC to 5874897-12-31.
const DAYS: std::ops::RangeInclusive<i64> = -2_440_588..=2_145_042_905;

/// Those of November 4714 BC.
const DAYS_BEFORE_IN_MONTH: i64 = 23;

/// In which order a date of numbers has its fields, where the year does not lead: `DateStyle`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    Ymd,
    Dmy,
    #[default]
    Mdy,
}

/// A day, which may be infinitely early or late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    Early,
    Late,
    /// Days since 1970-01-01.
    At(i64),
}

/// What lies between a wall clock and UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offset {
    /// Seconds east of Greenwich.
    Fixed(i32),
    Named(Tz),
    Posix(Posix),
    Abbreviated(Dynamic),
}

impl Offset {
    pub(super) fn zone(self) -> Zone {
        match self {
            Self::Fixed(east) => Zone::Fixed(east),
            Self::Named(zone) => Zone::Named(zone),
            Self::Posix(zone) => Zone::Posix(zone),
            Self::Abbreviated(zone) => Zone::Abbreviated(zone),
        }
    }
}

/// What a wall clock shows, which may be infinitely early or late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    Early,
    Late,
    At {
        /// Microseconds since 1970-01-01.
        micros: i64,
        /// The clock's own place, if the text names one.
        offset: Option<Offset>,
    },
}

/// Why a text is no moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    Syntax,
    MonthOrDay,
    Range,
    Zone,
    UnknownZone(String),
}

/// The day that a text names; `today` and its like are of the zone.
pub fn date(text: &str, order: Order, zone: Tz) -> Result<Day, Error> {
    let failed = |failure| error(failure, "date", text);
    match decode::moment(text, order, zone).map_err(failed)? {
        Decoded::Late => Ok(Day::Late),
        Decoded::Early => Ok(Day::Early),
        Decoded::Epoch => Ok(Day::At(0)),
        Decoded::At { day: Some(day), .. } if DAYS.contains(&day) => Ok(Day::At(day)),
        Decoded::At { .. } => Err(Error::DatetimeOverflow(format!("date out of range: \"{text}\""))),
    }
}

/// The microseconds since midnight that a text names; a date or zone beside them is read and dropped.
pub fn time(text: &str, order: Order, zone: Tz) -> Result<i64, Error> {
    match decode::time(text, order, zone).map_err(|failure| error(failure, "time", text))? {
        Decoded::At { micros, .. } => Ok(micros),
        _ => Err(error(Failure::Syntax, "time", text)),
    }
}

/// The same with the seconds east of Greenwich: the text's, or those of the zone on the text's day, or else today.
pub fn time_with_zone(text: &str, order: Order, zone: Tz) -> Result<(i64, i32), Error> {
    let failed = |failure| error(failure, "time with time zone", text);
    let Decoded::At { day, micros, zone: own } = decode::time(text, order, zone).map_err(failed)? else {
        return Err(failed(Failure::Syntax));
    };
    let place = match own {
        Some(Offset::Fixed(east)) => return Ok((micros, east)),
        Some(own) => own.zone(),
        None => Zone::Named(zone),
    };
    let day = match day {
        Some(day) => day,
        None => Zone::Named(zone).to_local(chrono::Utc::now().timestamp_micros())?.div_euclid(MICROS_PER_DAY),
    };
    let local = day * MICROS_PER_DAY + micros;
    let east = (local - place.to_instant(local)?) / MICROS_PER_SECOND;
    Ok((micros, i32::try_from(east).map_err(|_| failed(Failure::Zone))?))
}

/// The wall clock that a text names. `zoned` tells which type the text is to be of, for messages; `today` and its like
/// are of the zone.
pub fn timestamp(text: &str, zoned: bool, order: Order, zone: Tz) -> Result<Clock, Error> {
    let of = if zoned { "timestamp with time zone" } else { "timestamp" };
    let (day, micros, offset) = match decode::moment(text, order, zone).map_err(|failure| error(failure, of, text))? {
        Decoded::Late => return Ok(Clock::Late),
        Decoded::Early => return Ok(Clock::Early),
        Decoded::Epoch => return Ok(Clock::At { micros: 0, offset: Some(Offset::Fixed(0)) }),
        Decoded::At { day, micros, zone } => (day.unwrap_or(0), micros, zone),
    };
    let micros = day.checked_mul(MICROS_PER_DAY).and_then(|day| day.checked_add(micros));
    // West of Greenwich the first instant has an earlier date; PostgreSQL takes those of its month.
    let first = if zoned { *DAYS.start() - DAYS_BEFORE_IN_MONTH } else { *DAYS.start() };
    let micros = micros.filter(|_| day >= first).ok_or_else(|| timestamp_out_of_range(text))?;
    Ok(Clock::At { micros, offset })
}

/// The instant that a text names, in microseconds: without an offset of its own it is of the zone. `None` is one that is
/// infinitely early or late.
pub fn instant(text: &str, order: Order, zone: Tz) -> Result<Option<i64>, Error> {
    let Clock::At { micros, offset } = timestamp(text, true, order, zone)? else { return Ok(None) };
    let instant = offset.map_or(Zone::Named(zone), Offset::zone).to_instant(micros)?;
    if is_in_range(instant) { Ok(Some(instant)) } else { Err(timestamp_out_of_range(text)) }
}

/// Whether an instant lies behind the first one.
pub fn is_in_range(instant: i64) -> bool {
    instant >= *DAYS.start() * MICROS_PER_DAY
}

/// 22008 for a text whose instant no timestamp holds.
pub fn timestamp_out_of_range(text: &str) -> Error {
    Error::DatetimeOverflow(format!("timestamp out of range: \"{text}\""))
}

fn error(failure: Failure, of: &'static str, text: &str) -> Error {
    match failure {
        Failure::Syntax => Error::InvalidDatetime { of, value: text.to_owned() },
        Failure::MonthOrDay => Error::DatetimeField(text.to_owned()),
        Failure::Range => Error::DatetimeOverflow(format!("date/time field value out of range: \"{text}\"")),
        Failure::Zone => Error::ZoneDisplacement(text.to_owned()),
        Failure::UnknownZone(name) => Error::InvalidParameter(format!("time zone \"{name}\" not recognized")),
    }
}

/// Microseconds of one second, for those who place a wall clock.
pub const SECOND_MICROS: i64 = MICROS_PER_SECOND;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_postgres_reads_them() {
        let at = |text: &str| timestamp(text, true, Order::Mdy, Tz::UTC);
        let hour = 3_600 * MICROS_PER_SECOND;
        let clock = |micros, offset| Ok(Clock::At { micros, offset });
        assert_eq!(at("1970-01-01 01:00+00"), clock(hour, Some(Offset::Fixed(0))));
        assert_eq!(at("1970-01-01 01:00"), clock(hour, None));
        assert_eq!(at("1970-01-01T24:00:00Z"), clock(24 * hour, Some(Offset::Fixed(0))));
        assert_eq!(at("Jan 1 1970 01:00 Europe/Paris"), clock(hour, Some(Offset::Named(Tz::Europe__Paris))));
        assert_eq!(at("x"), Err(Error::InvalidDatetime { of: "timestamp with time zone", value: "x".to_owned() }));
        assert_eq!(at("2024-13-01"), Err(Error::DatetimeField("2024-13-01".to_owned())));
        assert_eq!(at("1970-01-01 00:00+99"), Err(Error::ZoneDisplacement("1970-01-01 00:00+99".to_owned())));
        assert_eq!(
            time("25:00", Order::Mdy, Tz::UTC).map_err(|error| error.to_string()),
            Err("date/time field value out of range: \"25:00\"".to_owned())
        );
        assert_eq!(date("1/2/1970", Order::Dmy, Tz::UTC), Ok(Day::At(31)));
        assert_eq!(date("1/2/1970", Order::Mdy, Tz::UTC), Ok(Day::At(1)));
        for (text, day) in [("J2440589", 1), ("19700102", 1), ("1970.002", 1), ("jan-02-1970", 1), ("2 Jan 1970", 1)] {
            assert_eq!(date(text, Order::Mdy, Tz::UTC), Ok(Day::At(day)), "{text}");
        }
        assert!(at("4714-11-23 23:00 BC").is_ok() && at("4714-10-31 23:00 BC").is_err());
        assert!(timestamp("4714-11-23 23:00 BC", false, Order::Mdy, Tz::UTC).is_err());
        assert_eq!(
            at("13~1.1948"),
            Err(Error::InvalidDatetime { of: "timestamp with time zone", value: "13~1.1948".to_owned() })
        );
        assert_eq!(at("1970-01-01 01:00 EST5"), clock(hour, Some(Offset::Fixed(-18_000))));
        assert!(matches!(at("1970-01-01 01:00 EST0bc"), Ok(Clock::At { offset: Some(Offset::Posix(_)), .. })));
        let syntax = Error::InvalidDatetime { of: "time with time zone", value: "08:55e60Z".to_owned() };
        assert_eq!(time_with_zone("08:55e60Z", Order::Mdy, Tz::UTC), Err(syntax));
        let unknown = Error::InvalidParameter("time zone \"nowhere/city\" not recognized".to_owned());
        assert_eq!(at("1970-01-01 Nowhere/City"), Err(unknown));
        assert_eq!(time_with_zone("10:00 +0530", Order::Mdy, Tz::UTC), Ok((10 * hour, 19_800)));
        assert_eq!(time_with_zone("10:00UT", Order::Mdy, Tz::UTC), Ok((10 * hour, 0)));
        assert_eq!(time("10:00GMT0", Order::Mdy, Tz::UTC), Ok(10 * hour));
        assert_eq!(time_with_zone("T1000 msk", Order::Mdy, Tz::UTC), Ok((10 * hour, 3 * 3_600)));
        assert!(time("T10:00", Order::Mdy, Tz::UTC).is_err());
        assert!(time("10:00 Europe/Paris", Order::Mdy, Tz::UTC).is_err());
    }

    #[test]
    fn labels_and_whole_moments_stand_alone() {
        let at = |text: &str| timestamp(text, true, Order::Mdy, Tz::UTC);
        for text in [
            "M0y 13, 1987",
            "4/22/2035 4:32 m",
            "1989-August-32 12:32:26 }D",
            "infinity0",
            "-0infinity",
            "epoch0",
            "-INFINITY9",
            "9infinity",
            "2024-01-01 j",
            "infinity j",
            "2024-01-01 8:27 m m +99",
            "2024-01-01 8:27 m Nowhere/City",
            "2024-01-01 10:00 EDT DST",
            "2024-01-01 10:00 MSK DST",
            "2024-01-01 10:00 EST5 DST",
            "2024-01-01 10:00 DST",
        ] {
            let syntax = Error::InvalidDatetime { of: "timestamp with time zone", value: text.to_owned() };
            assert_eq!(at(text), Err(syntax), "{text}");
        }
        let text = "2024-01-01 8:27 m +99";
        assert_eq!(at(text), Err(Error::ZoneDisplacement(text.to_owned())));
        assert!(matches!(at("2024-01-01 8:27 m 99999999999"), Err(Error::DatetimeOverflow(_))));
        let unknown = Error::InvalidParameter("time zone \"nowhere/city\" not recognized".to_owned());
        for text in ["8:27 m Nowhere/City", "m 8:27 Nowhere/City", "10:00 t Nowhere/City"] {
            assert_eq!(time_with_zone(text, Order::Mdy, Tz::UTC), Err(unknown.clone()), "{text}");
        }
        let offset = |text: &str| match at(text) {
            Ok(Clock::At { offset: Some(Offset::Fixed(east)), .. }) => Some(east),
            _ => None,
        };
        assert_eq!(offset("2024-01-01 10:00 EST DST"), Some(-4 * 3_600));
        assert_eq!(offset("2024-01-01 10:00 DST +05"), Some(5 * 3_600));
    }
}
