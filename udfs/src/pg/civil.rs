//! The proleptic Gregorian calendar on microseconds since 1970.
//!
//! Owns: splitting an instant into fields and back. Must never know: time zones, patterns.
//! Algorithms: <https://howardhinnant.github.io/date_algorithms.html>

use super::interval::{MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_SECOND};
use crate::Error;
use crate::error::timestamp_out_of_range;

/// A moment of a calendar without time zone. Year 0 is 1 BC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
    /// Microseconds since midnight.
    pub(crate) micros: i64,
}

impl Civil {
    pub(crate) fn from_micros(micros: i64) -> Self {
        let (year, month, day) = from_days(micros.div_euclid(MICROS_PER_DAY));
        Self { year, month, day, micros: micros.rem_euclid(MICROS_PER_DAY) }
    }

    pub(crate) fn from_date(days: i32) -> Self {
        let (year, month, day) = from_days(i64::from(days));
        Self { year, month, day, micros: 0 }
    }

    /// Midnight of a day.
    pub(crate) fn midnight(year: i64, month: i64, day: i64) -> Self {
        Self { year, month, day, micros: 0 }
    }

    /// Days since 1970-01-01.
    pub(crate) fn days(&self) -> i64 {
        to_days(self.year, self.month, self.day)
    }

    pub(crate) fn to_micros(self) -> Result<i64, Error> {
        let midnight = self.days().checked_mul(MICROS_PER_DAY);
        midnight.and_then(|micros| micros.checked_add(self.micros)).ok_or_else(timestamp_out_of_range)
    }

    pub(crate) fn hour(&self) -> i64 {
        self.micros / MICROS_PER_HOUR
    }

    pub(crate) fn minute(&self) -> i64 {
        self.micros / (60 * MICROS_PER_SECOND) % 60
    }

    pub(crate) fn second(&self) -> i64 {
        self.micros / MICROS_PER_SECOND % 60
    }

    pub(crate) fn micro(&self) -> i64 {
        self.micros % MICROS_PER_SECOND
    }

    /// 1 is Monday, 7 is Sunday.
    pub(crate) fn isodow(&self) -> i64 {
        (self.days() + 3).rem_euclid(7) + 1
    }

    /// 1 is January 1.
    pub(crate) fn doy(&self) -> i64 {
        self.days() - to_days(self.year, 1, 1) + 1
    }

    /// The ISO 8601 year and week: a week belongs to the year of its Thursday.
    pub(crate) fn iso_week(&self) -> (i64, i64) {
        let thursday = self.days() - self.isodow() + 4;
        let (year, _, _) = from_days(thursday);
        (year, (thursday - to_days(year, 1, 1)) / 7 + 1)
    }

    /// The Julian day number.
    pub(crate) fn julian(&self) -> i64 {
        self.days() + 2_440_588
    }

    /// Moves by months; the day is cut to the end of a shorter month.
    pub(crate) fn plus_months(mut self, months: i64) -> Self {
        let total = self.year * 12 + self.month - 1 + months;
        (self.year, self.month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
        self.day = self.day.min(days_in_month(self.year, self.month));
        self
    }
}

/// The Monday of an ISO week, in days since 1970.
pub(crate) fn iso_week_start(year: i64, week: i64) -> i64 {
    let fourth = Civil::midnight(year, 1, 4);
    fourth.days() - (fourth.isodow() - 1) + (week - 1) * 7
}

pub(crate) fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// True when a calendar has this day.
pub(crate) fn is_date(year: i64, month: i64, day: i64) -> bool {
    (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day)
}

pub(crate) fn to_days(year: i64, month: i64, day: i64) -> i64 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

pub(crate) fn from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_inverse() {
        for days in (-800_000..800_000).step_by(37) {
            let (year, month, day) = from_days(days);
            assert!(is_date(year, month, day));
            assert_eq!(to_days(year, month, day), days);
        }
        assert_eq!(from_days(0), (1970, 1, 1));
        assert_eq!(Civil::midnight(2024, 3, 5).iso_week(), (2024, 10));
        assert_eq!(Civil::midnight(2021, 1, 3).iso_week(), (2020, 53));
        assert_eq!(Civil::midnight(2024, 3, 5).julian(), 2_460_375);
        assert_eq!(iso_week_start(2024, 10), to_days(2024, 3, 4));
    }
}
