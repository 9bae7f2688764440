//! Writes an interval in one of PostgreSQL's styles, as `EncodeInterval` does.
//!
//! Owns: the four outputs. Must never know: how the text was read.

use std::fmt::Write;

use arrow::datatypes::IntervalMonthDayNano;

/// PostgreSQL's `IntervalStyle`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Style {
    #[default]
    Postgres,
    PostgresVerbose,
    SqlStandard,
    Iso8601,
}

/// The text of an interval; a nanosecond below PostgreSQL's microsecond is cut off.
pub fn format(interval: &IntervalMonthDayNano, style: Style) -> String {
    let parts = Parts::of(interval);
    let mut out = String::with_capacity(32);
    match style {
        Style::Postgres => parts.postgres(&mut out),
        Style::PostgresVerbose => parts.verbose(&mut out),
        Style::SqlStandard => parts.sql_standard(&mut out),
        Style::Iso8601 => parts.iso8601(&mut out),
    }
    out
}

struct Parts {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    micro: i64,
}

impl Parts {
    fn of(interval: &IntervalMonthDayNano) -> Self {
        let micros = interval.nanoseconds / 1_000;
        let seconds = micros / super::MICROS_PER_SECOND;
        Self {
            year: i64::from(interval.months / 12),
            month: i64::from(interval.months % 12),
            day: i64::from(interval.days),
            hour: seconds / 3_600,
            minute: seconds / 60 % 60,
            second: seconds % 60,
            micro: micros % super::MICROS_PER_SECOND,
        }
    }

    fn all(&self) -> [i64; 7] {
        [self.year, self.month, self.day, self.hour, self.minute, self.second, self.micro]
    }

    fn time_is_negative(&self) -> bool {
        self.hour < 0 || self.minute < 0 || self.second < 0 || self.micro < 0
    }

    fn has_time(&self) -> bool {
        self.hour != 0 || self.minute != 0 || self.has_seconds()
    }

    fn has_seconds(&self) -> bool {
        self.second != 0 || self.micro != 0
    }

    fn seconds(&self, out: &mut String, width: usize) {
        push(out, format_args!("{:0width$}", self.second.abs()));
        if self.micro != 0 {
            let fraction = std::format!("{:06}", self.micro.abs());
            push(out, format_args!(".{}", fraction.trim_end_matches('0')));
        }
    }

    fn postgres(&self, out: &mut String) {
        let mut negative_before = false;
        for (value, unit) in [(self.year, "year"), (self.month, "mon"), (self.day, "day")] {
            if value == 0 {
                continue;
            }
            let gap = if out.is_empty() { "" } else { " " };
            let plus = if negative_before && value > 0 { "+" } else { "" };
            let plural = if value == 1 { "" } else { "s" };
            push(out, format_args!("{gap}{plus}{value} {unit}{plural}"));
            negative_before = value < 0;
        }
        if out.is_empty() || self.has_time() {
            let gap = if out.is_empty() { "" } else { " " };
            let sign = match (self.time_is_negative(), negative_before) {
                (true, _) => "-",
                (false, true) => "+",
                (false, false) => "",
            };
            push(out, format_args!("{gap}{sign}{:02}:{:02}:", self.hour.abs(), self.minute.abs()));
            self.seconds(out, 2);
        }
    }

    fn verbose(&self, out: &mut String) {
        out.push('@');
        let mut ago = None;
        let units =
            [(self.year, "year"), (self.month, "mon"), (self.day, "day"), (self.hour, "hour"), (self.minute, "min")];
        for (value, unit) in units {
            if value == 0 {
                continue;
            }
            let shown = if *ago.get_or_insert(value < 0) { -value } else { value };
            push(out, format_args!(" {shown} {unit}{}", if shown == 1 { "" } else { "s" }));
        }
        if self.has_seconds() {
            let negative = self.second < 0 || self.micro < 0;
            out.push(' ');
            if *ago.get_or_insert(negative) != negative {
                out.push('-');
            }
            self.seconds(out, 1);
            out.push_str(if self.second.abs() == 1 && self.micro == 0 { " sec" } else { " secs" });
        }
        match ago {
            None => out.push_str(" 0"),
            Some(true) => out.push_str(" ago"),
            Some(false) => {}
        }
    }

    fn sql_standard(&self, out: &mut String) {
        let negative = self.all().iter().any(|part| *part < 0);
        let positive = self.all().iter().any(|part| *part > 0);
        let has_months = self.year != 0 || self.month != 0;
        let has_days = self.day != 0;
        if !negative && !positive {
            out.push('0');
            return;
        }
        let (year, month, day) = (self.year.abs(), self.month.abs(), self.day.abs());
        let (hour, minute) = (self.hour.abs(), self.minute.abs());
        let mixed = (negative && positive) || (has_months && (has_days || self.has_time()));
        if mixed {
            let sign = |is_negative: bool| if is_negative { '-' } else { '+' };
            let months = sign(self.year < 0 || self.month < 0);
            let (days, time) = (sign(self.day < 0), sign(self.time_is_negative()));
            push(out, format_args!("{months}{year}-{month} {days}{day} {time}{hour}:{minute:02}:"));
            return self.seconds(out, 2);
        }
        if negative {
            out.push('-');
        }
        if has_months {
            return push(out, format_args!("{year}-{month}"));
        }
        if has_days {
            push(out, format_args!("{day} "));
        }
        push(out, format_args!("{hour}:{minute:02}:"));
        self.seconds(out, 2);
    }

    fn iso8601(&self, out: &mut String) {
        if self.all().iter().all(|part| *part == 0) {
            out.push_str("PT0S");
            return;
        }
        let unit = |out: &mut String, value: i64, letter: char| {
            if value != 0 {
                push(out, format_args!("{value}{letter}"));
            }
        };
        out.push('P');
        unit(out, self.year, 'Y');
        unit(out, self.month, 'M');
        unit(out, self.day, 'D');
        if self.has_time() {
            out.push('T');
        }
        unit(out, self.hour, 'H');
        unit(out, self.minute, 'M');
        if self.has_seconds() {
            if self.second < 0 || self.micro < 0 {
                out.push('-');
            }
            self.seconds(out, 1);
            out.push('S');
        }
    }
}

/// Writing into a String cannot fail.
fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_style_is_postgres_15_s_own_output() {
        let second = 1_000_000_000.0;
        let cases: [(i32, i32, f64, [&str; 4]); 13] = [
            (0, 0, 0.0, ["00:00:00", "@ 0", "0", "PT0S"]),
            (
                14,
                3,
                3661.5,
                [
                    "1 year 2 mons 3 days 01:01:01.5",
                    "@ 1 year 2 mons 3 days 1 hour 1 min 1.5 secs",
                    "+1-2 +3 +1:01:01.5",
                    "P1Y2M3DT1H1M1.5S",
                ],
            ),
            (
                -14,
                -3,
                -3661.5,
                [
                    "-1 years -2 mons -3 days -01:01:01.5",
                    "@ 1 year 2 mons 3 days 1 hour 1 min 1.5 secs ago",
                    "-1-2 -3 -1:01:01.5",
                    "P-1Y-2M-3DT-1H-1M-1.5S",
                ],
            ),
            (1, -2, 3.0, ["1 mon -2 days +00:00:03", "@ 1 mon -2 days 3 secs", "+0-1 -2 +0:00:03", "P1M-2DT3S"]),
            (0, 0, -0.5, ["-00:00:00.5", "@ 0.5 secs ago", "-0:00:00.5", "PT-0.5S"]),
            (0, 1, -3600.0, ["1 day -01:00:00", "@ 1 day -1 hours", "+0-0 +1 -1:00:00", "P1DT-1H"]),
            (12, 0, 0.0, ["1 year", "@ 1 year", "1-0", "P1Y"]),
            (-1, 2, 3.0, ["-1 mons +2 days 00:00:03", "@ 1 mon -2 days -3 secs ago", "-0-1 +2 +0:00:03", "P-1M2DT3S"]),
            (0, -1, 0.0, ["-1 days", "@ 1 day ago", "-1 0:00:00", "P-1D"]),
            (0, 0, 3_600_000.0, ["1000:00:00", "@ 1000 hours", "1000:00:00", "PT1000H"]),
            (
                0,
                -3,
                4000.000001,
                [
                    "-3 days +01:06:40.000001",
                    "@ 3 days -1 hours -6 mins -40.000001 secs ago",
                    "+0-0 -3 +1:06:40.000001",
                    "P-3DT1H6M40.000001S",
                ],
            ),
            (-13, 0, 0.0, ["-1 years -1 mons", "@ 1 year 1 mon ago", "-1-1", "P-1Y-1M"]),
            (
                1,
                2,
                -0.25,
                ["1 mon 2 days -00:00:00.25", "@ 1 mon 2 days -0.25 secs", "+0-1 +2 -0:00:00.25", "P1M2DT-0.25S"],
            ),
        ];
        let styles = [Style::Postgres, Style::PostgresVerbose, Style::SqlStandard, Style::Iso8601];
        for (months, days, seconds, expected) in cases {
            #[expect(clippy::cast_possible_truncation, reason = "the cases are small")]
            let interval = IntervalMonthDayNano::new(months, days, (seconds * second).round() as i64);
            for (style, expect) in styles.into_iter().zip(expected) {
                assert_eq!(format(&interval, style), expect, "{style:?}");
            }
        }
    }
}
