//! The calendar of `to_char`, which PostgreSQL also asks about intervals: their months may be zero or negative.
//!
//! Owns: PostgreSQL's own formulas (`date2j`, `date2isoweek`), which divide towards zero and wrap at 32 bits; for the
//! dates of a calendar they say what `Civil` says.

/// A year, a month and a day that need not exist.
#[derive(Debug, Clone, Copy)]
pub(super) struct Day {
    pub(super) year: i32,
    pub(super) month: i32,
    pub(super) day: i32,
}

impl Day {
    fn of(year: i32, month: i32, day: i32) -> Self {
        Self { year, month, day }
    }

    /// The Julian day number.
    pub(super) fn julian(self) -> i32 {
        let (month, year) = match self.month {
            3.. => (self.month + 1, self.year.wrapping_add(4800)),
            _ => (self.month + 13, self.year.wrapping_add(4799)),
        };
        let century = year / 100;
        let leap_days = year / 4 - century + century / 4;
        let days = year.wrapping_mul(365).wrapping_sub(32_167).wrapping_add(leap_days);
        days.wrapping_add(7834 * month / 256).wrapping_add(self.day)
    }

    /// 1 is January 1.
    pub(super) fn of_year(self) -> i32 {
        self.julian().wrapping_sub(Self::of(self.year, 1, 1).julian()).wrapping_add(1)
    }

    /// 0 is Sunday.
    pub(super) fn of_week(self) -> i32 {
        weekday(self.julian())
    }

    /// The ISO 8601 year and week.
    pub(super) fn iso_week(self) -> (i32, i32) {
        let day = self.julian();
        let (mut year, mut first) = (self.year, first_monday(self.year));
        if day < first {
            year = year.wrapping_sub(1);
            first = first_monday(year);
        }
        let mut week = day.wrapping_sub(first) / 7 + 1;
        if week >= 52 {
            // The last days of December may belong to the next year; PostgreSQL looks from the year of the day.
            let next = first_monday(self.year.wrapping_add(1));
            if day >= next {
                week = day.wrapping_sub(next) / 7 + 1;
                year = year.wrapping_add(1);
            }
        }
        (year, week)
    }

    /// The day of the ISO 8601 year.
    pub(super) fn of_iso_year(self) -> i32 {
        self.julian().wrapping_sub(first_monday(self.iso_week().0)).wrapping_add(1)
    }
}

fn weekday(julian: i32) -> i32 {
    julian.wrapping_add(1).rem_euclid(7)
}

/// The Monday of a year's first ISO week.
fn first_monday(year: i32) -> i32 {
    let fourth = Day::of(year, 1, 4).julian();
    fourth.wrapping_sub(weekday(fourth.wrapping_sub(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::civil::{Civil, iso_week_start};

    #[test]
    fn dates_of_the_calendar_are_those_of_the_civil_one() {
        for days in (-1_500_000..1_500_000).step_by(11) {
            let civil = Civil::from_date(days);
            let [year, month, day] = [civil.year, civil.month, civil.day].map(|part| i32::try_from(part).unwrap());
            let ours = Day { year, month, day };
            assert_eq!(i64::from(ours.julian()), civil.julian());
            assert_eq!(i64::from(ours.of_year()), civil.doy());
            assert_eq!(i64::from(ours.of_week()), civil.isodow() % 7);
            assert_eq!((i64::from(ours.iso_week().0), i64::from(ours.iso_week().1)), civil.iso_week());
            assert_eq!(i64::from(ours.of_iso_year()), civil.days() - iso_week_start(civil.iso_week().0, 1) + 1);
        }
    }
}
