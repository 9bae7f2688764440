//! Days and civil dates, and the short lines of digits that they make.
//!
//! Owns: the proleptic Gregorian calendar over PostgreSQL's whole range, which is wider than chrono's. Must never know:
//! time zones and styles.

/// A year is astronomical: 0 is 1 BC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i32,
    pub(crate) month: u8,
    pub(crate) day: u8,
}

const DAYS_PER_ERA: i64 = 146_097;
/// From 0000-03-01 to 1970-01-01.
const EPOCH_DAYS: i64 = 719_468;

/// The date of a day counted from 1970-01-01, after Howard Hinnant's `civil_from_days`.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the ranges of an era are small")]
pub(crate) fn civil(days: i64) -> Civil {
    let shifted = days + EPOCH_DAYS;
    let era = shifted.div_euclid(DAYS_PER_ERA);
    let day_of_era = shifted.rem_euclid(DAYS_PER_ERA) as u32;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u8;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 } as u8;
    let year = era as i32 * 400 + year_of_era as i32 + i32::from(month <= 2);
    Civil { year, month, day }
}

/// The day of a valid date, counted from 1970-01-01.
pub(crate) fn days_from_civil(year: i32, month: u8, day: u8) -> i64 {
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * shifted_month + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * DAYS_PER_ERA + day_of_era - EPOCH_DAYS
}

/// A line of at most 64 bytes on the stack; what does not fit is left out.
pub(super) struct Line {
    pub(super) bytes: [u8; 64],
    pub(super) len: usize,
}

impl Line {
    #[inline]
    pub(super) fn new() -> Self {
        Self { bytes: [0; 64], len: 0 }
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self, bytes: [u8; N]) {
        if let Some(room) = self.bytes.get_mut(self.len..).and_then(|room| room.first_chunk_mut::<N>()) {
            *room = bytes;
            self.len += N;
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        text.bytes().for_each(|byte| self.array([byte]));
    }

    /// Two digits.
    #[inline]
    pub(super) fn two(&mut self, number: u32) {
        self.array(two(number));
    }

    /// A year of at least four digits; 1 BC is 1 and its ` BC` comes last.
    #[inline]
    #[expect(clippy::cast_sign_loss, reason = "the year is made positive")]
    pub(super) fn year(&mut self, year: i32) {
        let year = if year > 0 { year } else { 1 - year } as u32;
        if year <= 9_999 {
            let ([a, b], [c, d]) = (two(year / 100), two(year % 100));
            self.array([a, b, c, d]);
        } else {
            self.text(itoa::Buffer::new().format(year));
        }
    }

    /// `HH:MM:SS` and the fraction's digits but for its trailing zeros.
    #[inline]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time of day is positive and small")]
    pub(super) fn time(&mut self, micros: i64) {
        let seconds = (micros / 1_000_000) as u32;
        let fraction = (micros % 1_000_000) as u32;
        let ([h0, h1], [m0, m1]) = (two(seconds / 3_600), two(seconds / 60 % 60));
        let [s0, s1] = two(seconds % 60);
        self.array([h0, h1, b':', m0, m1, b':', s0, s1]);
        if fraction != 0 {
            let ([a, b], [c, d], [e, f]) = (two(fraction / 10_000), two(fraction / 100 % 100), two(fraction % 100));
            self.array([b'.', a, b, c, d, e, f]);
            while self.bytes.get(self.len - 1) == Some(&b'0') {
                self.len -= 1;
            }
        }
    }
}

/// `2026-01-02 03:04:05.678` of a year that has four digits, and how many of the bytes it takes.
#[inline]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a year of four digits, a time of one day")]
pub(super) fn iso(date: Civil, separator: u8, micros: i64) -> ([u8; 32], usize) {
    let year = date.year as u32;
    let seconds = (micros / 1_000_000) as u32;
    let mut fraction = (micros % 1_000_000) as u32;
    let ([c, d], [y, z]) = (two(year / 100), two(year % 100));
    let ([m, n], [p, q]) = (two(u32::from(date.month)), two(u32::from(date.day)));
    let ([h, i], [j, k], [s, t]) = (two(seconds / 3_600), two(seconds / 60 % 60), two(seconds % 60));
    let ([u, v], [w, x], [e, f]) = (two(fraction / 10_000), two(fraction / 100 % 100), two(fraction % 100));
    let bytes = [
        c, d, y, z, b'-', m, n, b'-', p, q, separator, h, i, b':', j, k, b':', s, t, b'.', u, v, w, x, e, f, 0, 0, 0,
        0, 0, 0,
    ];
    if fraction == 0 {
        return (bytes, 19);
    }
    let mut len = 26;
    while fraction.is_multiple_of(10) {
        fraction /= 10;
        len -= 1;
    }
    (bytes, len)
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the number is below 100")]
fn two(number: u32) -> [u8; 2] {
    [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_days_are_inverse_over_the_whole_range() {
        for days in (-2_440_588_i64..=2_145_042_905).step_by(97_003) {
            let date = civil(days);
            assert_eq!(days_from_civil(date.year, date.month, date.day), days);
        }
        assert_eq!(civil(-2_440_588), Civil { year: -4713, month: 11, day: 24 });
        assert_eq!(civil(0), Civil { year: 1970, month: 1, day: 1 });
        assert_eq!(civil(11_016), Civil { year: 2000, month: 2, day: 29 });
    }
}
