//! Writes a moment or an interval after a pattern, as `DCH_to_char` does.
//!
//! Owns: the width and the text of every field.

use std::fmt::Write;

use arrow::datatypes::IntervalMonthDayNano;

use super::pattern::{Case, Field, Node};
use crate::Error;
use crate::pg::civil::{Civil, iso_week_start};
use crate::pg::interval::{MICROS_PER_DAY, MICROS_PER_SECOND};

pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(crate) const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
pub(crate) const ROMAN: [&str; 12] = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];

/// What a pattern can ask for.
pub(super) struct Moment {
    civil: Civil,
    hour: i64,
    minute: i64,
    second: i64,
    micro: i64,
    is_interval: bool,
    /// Seconds east of Greenwich.
    pub(super) offset: i32,
    /// The abbreviation of the zone; empty for a time without one.
    pub(super) zone: String,
}

impl Moment {
    pub(super) fn of(civil: Civil) -> Self {
        Self {
            civil,
            hour: civil.hour(),
            minute: civil.minute(),
            second: civil.second(),
            micro: civil.micro(),
            is_interval: false,
            offset: 0,
            zone: String::new(),
        }
    }

    pub(super) fn of_interval(span: IntervalMonthDayNano) -> Self {
        let micros = span.nanoseconds / 1_000;
        let seconds = micros / MICROS_PER_SECOND;
        let civil = Civil {
            year: i64::from(span.months / 12),
            month: i64::from(span.months % 12),
            day: i64::from(span.days),
            micros: micros % MICROS_PER_DAY,
        };
        Self {
            civil,
            hour: seconds / 3_600,
            minute: seconds / 60 % 60,
            second: seconds % 60,
            micro: micros % MICROS_PER_SECOND,
            is_interval: true,
            offset: 0,
            zone: String::new(),
        }
    }

    /// 1 BC is year 0 inside and 1 outside.
    fn shown_year(&self, year: i64) -> i64 {
        if self.is_interval || year > 0 { year } else { 1 - year }
    }
}

pub(super) fn write(nodes: &[Node], moment: &Moment) -> Result<String, Error> {
    let mut out = String::with_capacity(nodes.len() * 3);
    for node in nodes {
        match node {
            Node::Literal(c) => out.push(*c),
            Node::Field { field, case, fill, ordinal } => {
                let start = out.len();
                one(&mut out, moment, (*field, *case, *fill))?;
                if let Some(case) = ordinal {
                    let suffix = ordinal_suffix(out.get(start..).unwrap_or_default());
                    out.push_str(&case.apply(suffix));
                }
            }
        }
    }
    Ok(out)
}

/// `st`, `nd`, `rd` or `th` for the digits of a number.
pub(super) fn ordinal_suffix(digits: &str) -> &'static str {
    let mut last = digits.bytes().rev();
    match (last.next(), last.next()) {
        (Some(_), Some(b'1')) => "th",
        (Some(b'1'), _) => "st",
        (Some(b'2'), _) => "nd",
        (Some(b'3'), _) => "rd",
        _ => "th",
    }
}

fn one(out: &mut String, moment: &Moment, (field, case, fill): (Field, Case, bool)) -> Result<(), Error> {
    if moment.is_interval && needs_calendar(field) {
        return Err(Error::InvalidDatetimeFormat("invalid format specification for an interval value".to_owned()));
    }
    let civil = &moment.civil;
    let number = |out: &mut String, value: i64, width: usize| digits(out, value, if fill { 0 } else { width });
    let name = |out: &mut String, name: &str, width: usize| {
        let name = case.apply(name);
        let width = if fill { 0 } else { width };
        let _ = write!(out, "{name:<width$}");
    };
    let last_digits = |year: i64, count: u32| moment.shown_year(year) % 10_i64.pow(count);
    match field {
        Field::Hour12 => number(out, if moment.hour % 12 == 0 { 12 } else { moment.hour % 12 }, 2),
        Field::Hour24 => number(out, moment.hour, 2),
        Field::Minute => number(out, moment.minute, 2),
        Field::Second => number(out, moment.second, 2),
        Field::Milli => narrow(out, moment.micro / 1_000, 3),
        Field::Micro => narrow(out, moment.micro, 6),
        Field::Fraction(places) => {
            digits(out, moment.micro / 10_i64.pow(6 - places), usize::try_from(places).unwrap_or(6));
        }
        Field::SecondOfDay => digits(out, moment.hour * 3_600 + moment.minute * 60 + moment.second, 0),
        Field::HalfDay { dotted } => {
            let after_noon = moment.hour.rem_euclid(24) >= 12;
            out.push_str(&case.apply(match (after_noon, dotted) {
                (true, true) => "P.M.",
                (true, false) => "PM",
                (false, true) => "A.M.",
                (false, false) => "AM",
            }));
        }
        Field::Era { dotted } => out.push_str(&case.apply(match (civil.year <= 0, dotted) {
            (true, true) => "B.C.",
            (true, false) => "BC",
            (false, true) => "A.D.",
            (false, false) => "AD",
        })),
        Field::YearComma => {
            let year = moment.shown_year(civil.year);
            let _ = write!(out, "{},{:03}", year / 1_000, year % 1_000);
        }
        Field::Year(4) => number(out, moment.shown_year(civil.year), 4),
        Field::Year(count) => number(out, last_digits(civil.year, count), usize::try_from(count).unwrap_or(4)),
        Field::IsoYear(4) => number(out, moment.shown_year(civil.iso_week().0), 4),
        Field::IsoYear(count) => {
            number(out, last_digits(civil.iso_week().0, count), usize::try_from(count).unwrap_or(4));
        }
        Field::MonthName => name(out, month_name(civil), 9),
        Field::MonthShort => name(out, month_name(civil).get(..3).unwrap_or_default(), 0),
        Field::Month => number(out, civil.month, 2),
        Field::MonthRoman => {
            let index = usize::try_from(civil.month - 1).unwrap_or_default();
            name(out, ROMAN.get(index).copied().unwrap_or_default(), 4);
        }
        Field::DayName => name(out, day_name(civil), 9),
        Field::DayShort => name(out, day_name(civil).get(..3).unwrap_or_default(), 0),
        Field::Day => narrow(out, civil.day, if fill { 0 } else { 2 }),
        Field::DayOfYear if moment.is_interval => number(out, (civil.year * 12 + civil.month) * 30 + civil.day, 3),
        Field::DayOfYear => number(out, civil.doy(), 3),
        Field::IsoDayOfYear => number(out, civil.days() - iso_week_start(civil.iso_week().0, 1) + 1, 3),
        Field::DayOfWeek => digits(out, civil.isodow() % 7 + 1, 0),
        Field::IsoDayOfWeek => digits(out, civil.isodow(), 0),
        Field::WeekOfMonth => digits(out, (civil.day - 1) / 7 + 1, 0),
        Field::WeekOfYear => number(out, (civil.doy() - 1) / 7 + 1, 2),
        Field::IsoWeek => number(out, civil.iso_week().1, 2),
        Field::Century => {
            let year = civil.year;
            let century = match (moment.is_interval, year > 0) {
                (true, _) => year / 100,
                (false, true) => (year - 1) / 100 + 1,
                (false, false) => year / 100 - 1,
            };
            number(out, century, 2);
        }
        Field::Julian => digits(out, civil.julian(), 0),
        Field::Quarter => digits(out, (civil.month - 1) / 3 + 1, 0),
        Field::Zone => {
            out.push_str(&if case == Case::Lower { moment.zone.to_lowercase() } else { moment.zone.clone() })
        }
        Field::ZoneHour => offset_hour(out, moment.offset),
        Field::ZoneMinute => digits(out, i64::from(moment.offset.abs() / 60 % 60), 2),
        Field::Offset => {
            offset_hour(out, moment.offset);
            if moment.offset % 3_600 != 0 {
                let _ = write!(out, ":{:02}", moment.offset.abs() / 60 % 60);
            }
        }
    }
    Ok(())
}

/// Zero-padded; a sign goes before the width, as PostgreSQL widens for it.
fn digits(out: &mut String, value: i64, width: usize) {
    if value < 0 {
        out.push('-');
    }
    let _ = write!(out, "{:0width$}", value.unsigned_abs());
}

/// Zero-padded, with the sign inside the width.
fn narrow(out: &mut String, value: i64, width: usize) {
    let _ = write!(out, "{value:0width$}");
}

fn offset_hour(out: &mut String, offset: i32) {
    let _ = write!(out, "{}{:02}", if offset < 0 { '-' } else { '+' }, offset.abs() / 3_600);
}

fn month_name(civil: &Civil) -> &'static str {
    usize::try_from(civil.month - 1).ok().and_then(|index| MONTHS.get(index)).copied().unwrap_or_default()
}

fn day_name(civil: &Civil) -> &'static str {
    usize::try_from(civil.isodow() - 1).ok().and_then(|index| DAYS.get(index)).copied().unwrap_or_default()
}

fn needs_calendar(field: Field) -> bool {
    matches!(
        field,
        Field::Era { .. }
            | Field::MonthName
            | Field::MonthShort
            | Field::DayName
            | Field::DayShort
            | Field::DayOfWeek
            | Field::IsoDayOfWeek
            | Field::IsoDayOfYear
            | Field::IsoYear(_)
            | Field::IsoWeek
            | Field::Julian
            | Field::Zone
            | Field::ZoneHour
            | Field::ZoneMinute
            | Field::Offset
    )
}

#[cfg(test)]
mod tests {
    use super::super::to_char;
    use crate::testing::{call_in, moment, moment_tz, shown, span, text};

    #[test]
    fn fields_are_postgres_s() {
        for (pattern, expect) in [
            (
                "YYYY-MM-DD HH24:MI:SS.US MS Mon mon MON Month FMMonth Day FMDay Dy D ID DDD IDDD WW IW IYYY CC J Q",
                "2024-03-05 14:07:09.123456 123 Mar mar MAR March     March Tuesday   Tuesday Tue 3 2 065 065 10 10 2024 21 2460375 1",
            ),
            (
                "AM am A.M. RM rm Y,YYY YYY YY Y BC DDth FMDDth SSSS SSSSS FF3 HH HH12 TZ \"quoted YYYY\" \\\"x",
                "PM pm P.M. III  iii  2,024 024 24 4 AD 05th 5th 50829 50829 123 02 02  quoted YYYY \"x",
            ),
            (
                "FF1 FF2 FF4 FF5 FF6 IYY IY I FMHH12 FMMI month dy DAY MONTH day TZH OF tz foo",
                "1 12 1234 12345 123456 024 24 4 2 7 march     tue TUESDAY   MARCH     tuesday   +00 +00  foo",
            ),
        ] {
            assert_eq!(shown(&to_char(), &[moment("2024-03-05 14:07:09.123456"), text(pattern)]), expect);
        }
        let at = [moment_tz("2024-07-05 14:07:09"), text("HH24 TZ tz OF TZH:TZM")];
        assert_eq!(call_in("America/New_York", &to_char(), &at, true), Ok(text("10 EDT edt -04 -04:00")));
        assert_eq!(call_in("Asia/Kolkata", &to_char(), &at, true), Ok(text("19 IST ist +05:30 +05:30")));
    }

    #[test]
    fn intervals_have_no_calendar() {
        let given = shown(&to_char(), &[span("-1 mon -3 days -02:03:04"), text("HH24:MI:SS.MS DD MM YYYY")]);
        assert_eq!(given, "-02:-03:-04.000 -3 -01 0000");
        assert_eq!(shown(&to_char(), &[span("15 months 5 days"), text("YYYY-MM-DD DDD Q")]), "0001-03-05 455 1");
        let given = shown(&to_char(), &[span("1 day"), text("Month")]);
        assert_eq!(given, "invalid format specification for an interval value");
    }
}
