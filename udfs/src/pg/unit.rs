//! The fields of a date, a timestamp or an interval: `year`, `isodow`, `epoch` ...
//!
//! Owns: their names and PostgreSQL's error for an unknown one.

use crate::Error;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Microseconds,
    Milliseconds,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    Decade,
    Century,
    Millennium,
    Dow,
    Isodow,
    Doy,
    Isoyear,
    Julian,
    Epoch,
    Timezone,
    TimezoneHour,
    TimezoneMinute,
}

impl Unit {
    /// PostgreSQL's own name of the field.
    fn name(self) -> &'static str {
        match self {
            Self::Microseconds => "microseconds",
            Self::Milliseconds => "milliseconds",
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
            Self::Decade => "decade",
            Self::Century => "century",
            Self::Millennium => "millennium",
            Self::Dow => "dow",
            Self::Isodow => "isodow",
            Self::Doy => "doy",
            Self::Isoyear => "isoyear",
            Self::Julian => "julian",
            Self::Epoch => "epoch",
            Self::Timezone => "timezone",
            Self::TimezoneHour => "timezone_hour",
            Self::TimezoneMinute => "timezone_minute",
        }
    }

    /// The field that a text names, whatever its case; `of` is the type in the message.
    pub(crate) fn named(text: &str, of: &str) -> Result<Self, Error> {
        Ok(match text.trim().to_ascii_lowercase().as_str() {
            "us" | "usec" | "usecs" | "microsecond" | "microseconds" => Self::Microseconds,
            "ms" | "msec" | "msecs" | "millisecond" | "milliseconds" => Self::Milliseconds,
            "s" | "sec" | "secs" | "second" | "seconds" => Self::Second,
            "m" | "min" | "mins" | "minute" | "minutes" => Self::Minute,
            "h" | "hr" | "hrs" | "hour" | "hours" => Self::Hour,
            "d" | "day" | "days" => Self::Day,
            "w" | "week" | "weeks" => Self::Week,
            "mon" | "mons" | "month" | "months" => Self::Month,
            "qtr" | "quarter" => Self::Quarter,
            "y" | "yr" | "yrs" | "year" | "years" => Self::Year,
            "dec" | "decs" | "decade" | "decades" => Self::Decade,
            "c" | "cent" | "century" | "centuries" => Self::Century,
            "mil" | "mils" | "millennium" | "millennia" => Self::Millennium,
            "dow" => Self::Dow,
            "isodow" => Self::Isodow,
            "doy" => Self::Doy,
            "isoyear" => Self::Isoyear,
            "j" | "jd" | "julian" => Self::Julian,
            "epoch" => Self::Epoch,
            "timezone" => Self::Timezone,
            "timezone_h" | "timezone_hour" => Self::TimezoneHour,
            "timezone_m" | "timezone_minute" => Self::TimezoneMinute,
            _ => return Err(Error::InvalidParameter(format!("unit \"{text}\" not recognized for type {of}"))),
        })
    }
}

/// 0A000: the type has no such field.
pub(crate) fn unsupported(text: &str, of: &str) -> Error {
    Error::Unsupported(format!("unit \"{text}\" not supported for type {of}"))
}

/// [`unsupported`] for a field of which only the unit is known.
pub(crate) fn lacks(unit: Unit, of: &str) -> Error {
    unsupported(unit.name(), of)
}

pub(crate) const TIMESTAMP: &str = "timestamp without time zone";
pub(crate) const TIMESTAMPTZ: &str = "timestamp with time zone";
pub(crate) const INTERVAL: &str = "interval";
pub(crate) const DATE: &str = "date";
pub(crate) const TIME: &str = "time without time zone";
