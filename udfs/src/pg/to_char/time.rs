//! Writes a moment or an interval after a pattern, as `DCH_to_char` does.
//!
//! Owns: the width and the text of every field, which widens by the sign of what PostgreSQL looks at.

use std::fmt::Write;

use arrow::datatypes::IntervalMonthDayNano;

use super::calendar::Day;
use super::pattern::{Case, Field, Name, Node};
use crate::Error;
use crate::pg::civil::Civil;
use crate::pg::interval::MICROS_PER_SECOND;

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
    date: Day,
    /// 1 is January 1; of an interval, all its days, a month having 30.
    day_of_year: i32,
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
        let part = |value: i64| i32::try_from(value).unwrap_or_default();
        let date = Day { year: part(civil.year), month: part(civil.month), day: part(civil.day) };
        Self {
            date,
            day_of_year: date.of_year(),
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
        Self {
            date: Day { year: span.months / 12, month: span.months % 12, day: span.days },
            day_of_year: span.months.wrapping_mul(30).wrapping_add(span.days),
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
    fn shown_year(&self, year: i32) -> i32 {
        if self.is_interval || year > 0 { year } else { 1 - year }
    }

    fn month_index(&self) -> usize {
        usize::try_from(self.date.month - 1).unwrap_or_default()
    }
}

pub(super) fn write(nodes: &[Node], moment: &Moment) -> Result<String, Error> {
    let mut out = String::with_capacity(nodes.len() * 3);
    for node in nodes {
        match node {
            Node::Literal(c) => out.push(*c),
            Node::Field { field, .. } if moment.is_interval && needs_calendar(*field) => {
                return Err(Error::IntervalFormat);
            }
            Node::Field { field, case, name, ordinal } => {
                let start = out.len();
                if let Some(number) = number(moment, *field) {
                    number.write(&mut out, *name == Name::Filled);
                    if let Some(case) = ordinal {
                        let suffix = ordinal_suffix(out.get(start..).unwrap_or_default());
                        out.push_str(&case.apply(suffix));
                    }
                } else {
                    word(&mut out, moment, (*field, *case, *name));
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

/// A field of digits.
struct Number {
    /// Thousands that a comma cuts off.
    thousands: Option<i64>,
    value: i64,
    /// Zeros fill it up, behind the sign.
    width: usize,
    /// `FM` does not narrow it.
    fixed: bool,
}

impl Number {
    fn new(value: i64, width: usize) -> Self {
        Self { thousands: None, value, width, fixed: false }
    }

    fn fixed(value: i64, width: usize) -> Self {
        Self { fixed: true, ..Self::new(value, width) }
    }

    fn write(&self, out: &mut String, narrow: bool) {
        if let Some(thousands) = self.thousands {
            let _ = write!(out, "{thousands},");
        }
        let width = if narrow && !self.fixed { 0 } else { self.width };
        let _ = write!(out, "{:0width$}", self.value);
    }
}

/// The number of a field, if it is one and PostgreSQL shows it.
fn number(moment: &Moment, field: Field) -> Option<Number> {
    let date = moment.date;
    let signed = |value: i64, width: usize| Number::new(value, width + usize::from(value < 0));
    let year = |year: i32, digits: u32| {
        let shown = i64::from(moment.shown_year(year));
        let value = if digits == 4 { shown } else { shown % 10_i64.pow(digits) };
        let negative = moment.shown_year(date.year) < 0;
        Number::new(value, usize::try_from(digits).unwrap_or(4) + usize::from(negative && digits > 1))
    };
    Some(match field {
        Field::Hour12 => {
            let hour = if moment.hour % 12 == 0 { 12 } else { moment.hour % 12 };
            Number::new(hour, if moment.hour < 0 { 3 } else { 2 })
        }
        Field::Hour24 => signed(moment.hour, 2),
        Field::Minute => signed(moment.minute, 2),
        Field::Second => signed(moment.second, 2),
        Field::Milli => Number::fixed(moment.micro / 1_000, 3),
        Field::Micro => Number::fixed(moment.micro, 6),
        Field::Fraction(places) => {
            let places = places.min(6);
            Number::fixed(moment.micro / 10_i64.pow(6 - places), usize::try_from(places).unwrap_or(6))
        }
        Field::SecondOfDay => Number::new(moment.hour * 3_600 + moment.minute * 60 + moment.second, 0),
        Field::YearComma => {
            let shown = i64::from(moment.shown_year(date.year));
            Number { thousands: Some(shown / 1_000), ..Number::fixed(shown % 1_000, 3) }
        }
        Field::Year(digits) => year(date.year, digits),
        Field::IsoYear(digits) => year(date.iso_week().0, digits),
        Field::Month => signed(date.month.into(), 2),
        Field::Day => Number::new(date.day.into(), 2),
        Field::DayOfYear => Number::new(moment.day_of_year.into(), 3),
        Field::IsoDayOfYear => Number::new(date.of_iso_year().into(), 3),
        Field::DayOfWeek => Number::new(i64::from(date.of_week()) + 1, 0),
        Field::IsoDayOfWeek => Number::new(i64::from(date.of_week() + 6) % 7 + 1, 0),
        Field::WeekOfMonth => Number::new(i64::from((date.day.wrapping_sub(1)) / 7) + 1, 0),
        Field::WeekOfYear => Number::new(i64::from((moment.day_of_year.wrapping_sub(1)) / 7) + 1, 2),
        Field::IsoWeek => Number::new(date.iso_week().1.into(), 2),
        Field::Century => signed(century(moment).into(), 2),
        Field::Julian => Number::new(date.julian().into(), 0),
        Field::Quarter if date.month != 0 => Number::new(i64::from((date.month - 1) / 3 + 1), 0),
        _ => return None,
    })
}

fn century(moment: &Moment) -> i32 {
    let year = moment.date.year;
    match (moment.is_interval, year > 0) {
        (true, _) => year / 100,
        (false, true) => (year - 1) / 100 + 1,
        (false, false) => year / 100 - 1,
    }
}

/// A field of letters.
fn word(out: &mut String, moment: &Moment, (field, case, name): (Field, Case, Name)) {
    let mut padded = |text: &str, width: usize| {
        let width = if name == Name::Padded { width } else { 0 };
        let _ = write!(out, "{:<width$}", case.apply(text));
    };
    let after_noon = moment.hour % 24 >= 12;
    let before_christ = moment.date.year <= 0;
    let weekday = usize::try_from(moment.date.of_week() + 6).unwrap_or_default() % 7;
    let month_name = MONTHS.get(moment.month_index()).copied().unwrap_or_default();
    let day_name = DAYS.get(weekday).copied().unwrap_or_default();
    match field {
        Field::HalfDay { dotted } => padded(pick(after_noon, dotted, ["A.M.", "AM", "P.M.", "PM"]), 0),
        Field::Era { dotted } => padded(pick(before_christ, dotted, ["A.D.", "AD", "B.C.", "BC"]), 0),
        Field::MonthName => padded(month_name, 9),
        Field::MonthShort => padded(month_name.get(..3).unwrap_or_default(), 0),
        Field::DayName => padded(day_name, 9),
        Field::DayShort => padded(day_name.get(..3).unwrap_or_default(), 0),
        Field::MonthRoman => {
            if let Some(month) = roman(moment) {
                // `TM` does not touch it.
                let width = if name == Name::Filled { 0 } else { 4 };
                let _ = write!(out, "{:<width$}", case.apply(month));
            }
        }
        Field::Zone if case == Case::Lower => out.push_str(&moment.zone.to_ascii_lowercase()),
        Field::Zone => out.push_str(&moment.zone),
        Field::ZoneHour => offset_hour(out, moment.offset, 2),
        Field::ZoneMinute => {
            let _ = write!(out, "{:02}", moment.offset.abs() / 60 % 60);
        }
        Field::Offset => {
            offset_hour(out, moment.offset, if name == Name::Filled { 0 } else { 2 });
            if moment.offset % 3_600 != 0 {
                let _ = write!(out, ":{:02}", moment.offset.abs() / 60 % 60);
            }
        }
        // Numbers, and those that PostgreSQL does not show.
        _ => {}
    }
}

/// One of dotted, plain, dotted later, plain later.
fn pick(later: bool, dotted: bool, [early_dotted, early, late_dotted, late]: [&'static str; 4]) -> &'static str {
    match (later, dotted) {
        (false, true) => early_dotted,
        (false, false) => early,
        (true, true) => late_dotted,
        (true, false) => late,
    }
}

/// The month in Roman numbers; of an interval, a negative one counts from the end of the year, and full years have one.
fn roman(moment: &Moment) -> Option<&'static str> {
    let index = match moment.date.month {
        0 if moment.date.year == 0 => return None,
        0 if moment.date.year > 0 => 11,
        0 => 0,
        month if month < 0 => 12 + month,
        month => month - 1,
    };
    ROMAN.get(usize::try_from(index).unwrap_or_default()).copied()
}

fn offset_hour(out: &mut String, offset: i32, width: usize) {
    let _ = write!(out, "{}{:0width$}", if offset < 0 { '-' } else { '+' }, offset.abs() / 3_600);
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
    fn one_prefix_and_one_suffix_belong_to_a_field() {
        for (pattern, expect) in [
            ("FMFMDD fxDD DDSPth Monththx TMMonthx FMOF TZHth fmxDD", "FM02 02 02th January  x Januaryx +0 +00 x02"),
            ("\"a\\\"b\" of Yy th", "a\"b +00 44 th"),
        ] {
            assert_eq!(shown(&to_char(), &[moment("2024-01-02 00:00:00"), text(pattern)]), expect);
        }
    }

    #[test]
    fn intervals_have_the_numbers_of_a_calendar_but_not_its_names() {
        for (interval, pattern, expect) in [
            ("-1 mon -3 days -02:03:04", "HH24:MI:SS.MS DD MM YYYY", "-02:-03:-04.000 -3 -01 0000"),
            ("15 months 5 days", "YYYY-MM-DD DDD Q", "0001-03-05 455 1"),
            (
                "-12 hours -3 mon",
                "HH HH12 RM Q J IW IYYY IDDD MM Y,YYY W WW CCth",
                "012 012 X    0 1720937 35 -001 240 -03 0,000 1 -12 00th",
            ),
            (
                "-5000 years -3 mon",
                "J IW IYYY IDDD MM Y,YYY W WW CCth",
                "-105274 35 -5001 245 -03 -5,000 1 -257154 -50th",
            ),
            ("1 day", "Month", "invalid format specification for an interval value"),
        ] {
            assert_eq!(shown(&to_char(), &[span(interval), text(pattern)]), expect);
        }
    }
}
