//! One field of a moment or a span, exact: what `date_part` and `extract` show.
//!
//! Owns: the meaning of the fields. <https://www.postgresql.org/docs/16/functions-datetime.html#FUNCTIONS-DATETIME-EXTRACT>

use arrow::datatypes::IntervalMonthDayNano;

use super::civil::Civil;
use super::interval::{MICROS_PER_DAY, MICROS_PER_SECOND};
use super::unit::{self, Unit};
use super::zone::Zone;
use crate::Error;

/// `value / divisor`; the divisor is 1, a power of ten, or the microseconds of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) value: i128,
    pub(crate) divisor: i64,
}

const SECONDS_PER_YEAR: i128 = 31_557_600;
const SECONDS_PER_MONTH: i128 = 30 * 86_400;

impl Part {
    fn whole(value: i64) -> Self {
        Self { value: value.into(), divisor: 1 }
    }

    #[expect(clippy::cast_precision_loss, reason = "double precision is what the function returns")]
    pub(crate) fn float(self, unit: Unit) -> f64 {
        const SECOND: i128 = MICROS_PER_SECOND as i128;
        let seconds = |micros: i128| ((micros / SECOND) as f64, (micros % SECOND) as f64);
        // PostgreSQL rounds each of the parts that it adds up.
        match (unit, self.divisor) {
            (Unit::Second, 1_000_000) => {
                let (whole, part) = seconds(self.value);
                whole + part / 1e6
            }
            (Unit::Milliseconds, 1_000) => {
                let (whole, part) = seconds(self.value);
                whole * 1e3 + part / 1e3
            }
            (Unit::Julian, MICROS_PER_DAY) => {
                let day = i128::from(MICROS_PER_DAY);
                let (whole, part) = seconds(self.value.rem_euclid(day));
                self.value.div_euclid(day) as f64 + (whole + part / 1e6) / 86_400.0
            }
            _ => self.value as f64 / self.divisor as f64,
        }
    }
}

pub(crate) fn of_timestamp(unit: Unit, at: i64) -> Result<Part, Error> {
    part(unit, at).ok_or_else(|| unit::lacks(unit, unit::TIMESTAMP))
}

pub(crate) fn of_timestamptz(unit: Unit, at: i64, zone: &Zone) -> Result<Part, Error> {
    let offset = || zone.offset_at(at).map(i64::from);
    Ok(match unit {
        Unit::Timezone => Part::whole(offset()?),
        Unit::TimezoneHour => Part::whole(offset()? / 3_600),
        Unit::TimezoneMinute => Part::whole(offset()? / 60 % 60),
        Unit::Epoch => epoch(at),
        unit => part(unit, zone.to_local(at)?).ok_or_else(|| unit::lacks(unit, unit::TIMESTAMPTZ))?,
    })
}

pub(crate) fn of_date(unit: Unit, days: i32) -> Result<Part, Error> {
    let midnight = i64::from(days).checked_mul(MICROS_PER_DAY).ok_or_else(crate::error::timestamp_out_of_range)?;
    match unit {
        Unit::Epoch => Ok(Part::whole(i64::from(days) * 86_400)),
        Unit::Julian => Ok(Part::whole(Civil::from_micros(midnight).julian())),
        unit => part(unit, midnight).ok_or_else(|| unit::lacks(unit, unit::DATE)),
    }
}

pub(crate) fn of_time(unit: Unit, at: i64) -> Result<Part, Error> {
    match unit {
        Unit::Hour | Unit::Minute | Unit::Second | Unit::Milliseconds | Unit::Microseconds | Unit::Epoch => {
            part(unit, at).ok_or_else(|| unit::lacks(unit, unit::TIME))
        }
        unit => Err(unit::lacks(unit, unit::TIME)),
    }
}

pub(crate) fn of_interval(unit: Unit, span: IntervalMonthDayNano) -> Result<Part, Error> {
    let (years, months) = (span.months / 12, span.months % 12);
    let micros = span.nanoseconds / 1_000;
    let minutes = micros / (60 * MICROS_PER_SECOND);
    let of_minute = micros % (60 * MICROS_PER_SECOND);
    Ok(match unit {
        Unit::Microseconds => Part::whole(of_minute),
        Unit::Milliseconds => Part { value: of_minute.into(), divisor: 1_000 },
        Unit::Second => Part { value: of_minute.into(), divisor: 1_000_000 },
        Unit::Minute => Part::whole(minutes % 60),
        Unit::Hour => Part::whole(minutes / 60),
        Unit::Day => Part::whole(span.days.into()),
        Unit::Month => Part::whole(months.into()),
        Unit::Quarter => Part::whole((months / 3 + 1).into()),
        Unit::Year => Part::whole(years.into()),
        Unit::Decade => Part::whole((years / 10).into()),
        Unit::Century => Part::whole((years / 100).into()),
        Unit::Millennium => Part::whole((years / 1_000).into()),
        Unit::Epoch => {
            let days = i128::from(years) * SECONDS_PER_YEAR + i128::from(months) * SECONDS_PER_MONTH;
            let seconds = days + i128::from(span.days) * 86_400;
            Part { value: seconds * 1_000_000 + i128::from(micros), divisor: 1_000_000 }
        }
        unit => return Err(unit::lacks(unit, unit::INTERVAL)),
    })
}

fn epoch(at: i64) -> Part {
    Part { value: at.into(), divisor: 1_000_000 }
}

fn part(unit: Unit, at: i64) -> Option<Part> {
    let civil = Civil::from_micros(at);
    // There is no year 0: 1 BC is -1.
    let year = |year: i64| if year > 0 { year } else { year - 1 };
    let grouped = |span: i64| match civil.year {
        after if after > 0 => (after + span - 1) / span,
        before => -((1 - before + span - 1) / span),
    };
    let of_minute = civil.micros % (60 * MICROS_PER_SECOND);
    Some(Part::whole(match unit {
        Unit::Microseconds => of_minute,
        Unit::Milliseconds => return Some(Part { value: of_minute.into(), divisor: 1_000 }),
        Unit::Second => return Some(Part { value: of_minute.into(), divisor: 1_000_000 }),
        Unit::Minute => civil.minute(),
        Unit::Hour => civil.hour(),
        Unit::Day => civil.day,
        Unit::Week => civil.iso_week().1,
        Unit::Month => civil.month,
        Unit::Quarter => (civil.month - 1) / 3 + 1,
        Unit::Year => year(civil.year),
        Unit::Decade => civil.year.div_euclid(10),
        Unit::Century => grouped(100),
        Unit::Millennium => grouped(1_000),
        Unit::Dow => civil.isodow() % 7,
        Unit::Isodow => civil.isodow(),
        Unit::Doy => civil.doy(),
        Unit::Isoyear => year(civil.iso_week().0),
        Unit::Julian => {
            let value = i128::from(civil.julian()) * i128::from(MICROS_PER_DAY) + i128::from(civil.micros);
            return Some(Part { value, divisor: MICROS_PER_DAY });
        }
        Unit::Epoch => return Some(epoch(at)),
        Unit::Timezone | Unit::TimezoneHour | Unit::TimezoneMinute => return None,
    }))
}
