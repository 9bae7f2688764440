//! `EST5EDT,M4.1.0,M10.5.0`: a zone as POSIX writes it, with the hours west of Greenwich, and perhaps the name of its
//! summer time and the rules for its begin and end.
//!
//! Owns: PostgreSQL's `tzparse`: the rules hold in all years, and are those of `M3.2.0,M11.1.0` where there are none. Must
//! never know: the names of other zones.
//! <https://www.postgresql.org/docs/16/datetime-posix-timezone-specs.html>

use super::MICROS_PER_SECOND;
use crate::pg::civil;

/// A zone whose clock changes twice a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posix {
    /// Seconds east of Greenwich.
    standard: i32,
    summer: i32,
    begin: Rule,
    end: Rule,
}

/// When the clock changes, in every year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rule {
    day: Day,
    /// Seconds of that day, by the clock before the change.
    at: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Day {
    /// `J60`: from 1, without 29 February.
    Julian(i32),
    /// `59`: from 0, with 29 February.
    Counted(i32),
    /// `M3.2.0`: the month, its week, of which 5 is the last, and the day of the week from Sunday.
    Month(i32, i32, i32),
}

/// What a text means.
pub(super) enum Parsed {
    /// Seconds east of Greenwich.
    Fixed(i32),
    Changing(Posix),
}

const HOUR: i32 = 3_600;
const DAY_SECONDS: i64 = 24 * 3_600;
const AT_TWO_IN_MARCH: Rule = Rule { day: Day::Month(3, 2, 0), at: 2 * HOUR };
const AT_TWO_IN_NOVEMBER: Rule = Rule { day: Day::Month(11, 1, 0), at: 2 * HOUR };

/// A name, an offset, and perhaps the name and the offset of the summer time.
pub(super) fn parse(text: &str) -> Option<Parsed> {
    let (_, rest) = name(text)?;
    let (west, rest) = offset(rest)?;
    if rest.is_empty() {
        return Some(Parsed::Fixed(-west));
    }
    let (summer_name, rest) = name(rest)?;
    if summer_name.is_empty() {
        return None;
    }
    let (summer_west, rest) = match rest.as_bytes().first() {
        None | Some(b',' | b';') => (west - HOUR, rest),
        Some(_) => offset(rest)?,
    };
    let (begin, end) = match rest {
        "" => (AT_TWO_IN_MARCH, AT_TWO_IN_NOVEMBER),
        rest => {
            let (begin, rest) = rule(rest.strip_prefix([',', ';'])?)?;
            let (end, rest) = rule(rest.strip_prefix(',')?)?;
            rest.is_empty().then_some((begin, end))?
        }
    };
    Some(Parsed::Changing(Posix { standard: -west, summer: -summer_west, begin, end }))
}

/// Letters, or anything within `<` and `>`; and what follows.
fn name(text: &str) -> Option<(&str, &str)> {
    if let Some(quoted) = text.strip_prefix('<') {
        return quoted.split_once('>');
    }
    let end = text.find(|c: char| c.is_ascii_digit() || matches!(c, ',' | '+' | '-')).unwrap_or(text.len());
    Some(text.split_at(end))
}

/// The day of a change, and perhaps its time behind a `/`; and what follows.
fn rule(text: &str) -> Option<(Rule, &str)> {
    let (day, rest) = if let Some(day) = text.strip_prefix(['J', 'j']) {
        let (day, rest) = number(day, 1, 365)?;
        (Day::Julian(day), rest)
    } else if let Some(month) = text.strip_prefix(['M', 'm']) {
        let (month, rest) = number(month, 1, 12)?;
        let (week, rest) = number(rest.strip_prefix('.')?, 1, 5)?;
        let (day, rest) = number(rest.strip_prefix('.')?, 0, 6)?;
        (Day::Month(month, week, day), rest)
    } else {
        let (day, rest) = number(text, 0, 365)?;
        (Day::Counted(day), rest)
    };
    let (at, rest) = match rest.strip_prefix('/') {
        Some(time) => offset(time)?,
        None => (2 * HOUR, rest),
    };
    Some((Rule { day, at }, rest))
}

/// `5`, `-5:45`, `+5:45:30`: seconds, and what follows.
fn offset(text: &str) -> Option<(i32, &str)> {
    const HOURS_MAX: i32 = 24 * 7 - 1;
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (hours, mut rest) = number(rest, 0, HOURS_MAX)?;
    let mut seconds = hours * HOUR;
    for (unit, most) in [(60, 59), (1, 60)] {
        let Some(after) = rest.strip_prefix(':') else { break };
        let (count, after) = number(after, 0, most)?;
        seconds += count * unit;
        rest = after;
    }
    Some((sign * seconds, rest))
}

fn number(text: &str, least: i32, most: i32) -> Option<(i32, &str)> {
    let (digits, rest) = text.split_at(text.bytes().take_while(u8::is_ascii_digit).count());
    let number = digits.parse().ok().filter(|number| (least..=most).contains(number))?;
    Some((number, rest))
}

impl Posix {
    /// Seconds east of Greenwich at an instant.
    pub(super) fn offset_at(self, micros: i64) -> i32 {
        self.offset_at_second(micros.div_euclid(MICROS_PER_SECOND))
    }

    /// Seconds east of Greenwich of a wall clock, as `DetermineTimeZoneOffset` finds them: around the first change after
    /// the day before. A gap is read with the offset before it, a repeated hour as its second pass.
    pub fn offset_of_local(self, local: i64) -> i32 {
        let local = local.div_euclid(MICROS_PER_SECOND);
        let start = local - DAY_SECONDS;
        let before = self.offset_at_second(start);
        let change = self.change_after(start);
        let after = self.offset_at_second(change);
        let (with_before, with_after) = (local - i64::from(before), local - i64::from(after));
        if with_before < change && with_after < change {
            before
        } else if with_before > change && with_after >= change || with_before <= with_after {
            after
        } else {
            before
        }
    }

    fn offset_at_second(self, second: i64) -> i32 {
        let changes = self.changes_around(second);
        let last = changes.iter().flatten().rev().find(|(at, _)| *at <= second);
        // A year without a change has summer time all along.
        last.map_or(self.summer, |(_, offset)| *offset)
    }

    /// The first change of the clock behind a second.
    fn change_after(self, second: i64) -> i64 {
        let changes = self.changes_around(second);
        let next = changes.iter().flatten().find(|(at, _)| *at > second);
        next.map_or(i64::MAX, |(at, _)| *at)
    }

    /// The changes of the year and of those beside it, in order, with the offsets behind them.
    fn changes_around(self, second: i64) -> [Option<(i64, i32)>; 6] {
        let year = year_of(second);
        let [a, b, c] = [year - 1, year, year + 1].map(|year| self.changes(year));
        let [[a, b], [c, d], [e, f]] = [a, b, c];
        [a, b, c, d, e, f]
    }

    fn changes(self, year: i64) -> [Option<(i64, i32)>; 2] {
        let (begin, end) = (self.begin.second(year, self.standard), self.end.second(year, self.summer));
        if end < begin {
            return [Some((end, self.standard)), Some((begin, self.summer))];
        }
        let length = (civil::to_days(year + 1, 1, 1) - civil::to_days(year, 1, 1)) * DAY_SECONDS;
        if begin < end && end - begin < length + i64::from(self.summer - self.standard) {
            return [Some((begin, self.summer)), Some((end, self.standard))];
        }
        [None, None]
    }
}

impl Rule {
    /// The second of the change in a year, by a clock that is so far east.
    fn second(self, year: i64, east: i32) -> i64 {
        let first = civil::to_days(year, 1, 1);
        let day = match self.day {
            Day::Counted(day) => first + i64::from(day),
            Day::Julian(day) => {
                let is_leap = civil::to_days(year + 1, 1, 1) - first == 366;
                first + i64::from(day - 1) + i64::from(is_leap && day >= 60)
            }
            Day::Month(month, week, weekday) => {
                let month = i64::from(month);
                let first = civil::to_days(year, month, 1);
                // 1970-01-04 was a Sunday.
                let day = first + (3 + i64::from(weekday) - first).rem_euclid(7) + 7 * i64::from(week - 1);
                let next =
                    if month == 12 { civil::to_days(year + 1, 1, 1) } else { civil::to_days(year, month + 1, 1) };
                if day < next { day } else { day - 7 }
            }
        };
        day * DAY_SECONDS + i64::from(self.at) - i64::from(east)
    }
}

fn year_of(second: i64) -> i64 {
    civil::from_days(second.div_euclid(DAY_SECONDS)).0
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn micros(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(&format!("{text}Z")).unwrap().timestamp_micros()
    }

    #[test]
    fn zones_without_summer_are_fixed() {
        for (text, east) in [("EST5", Some(-5 * HOUR)), ("e-2:30", Some(9_000)), ("+167", Some(-167 * HOUR))] {
            let fixed = parse(text).and_then(|parsed| match parsed {
                Parsed::Fixed(east) => Some(east),
                Parsed::Changing(_) => None,
            });
            assert_eq!(fixed, east, "{text}");
        }
        for bad in [
            "",
            "EST",
            "EST168",
            "EST5:60",
            "0530",
            "EST5EDT4x",
            "EST5,",
            "EST5EDT,M4.1.0",
            "EST5EDT,M13.1.0,M10.5.0",
            "EST5EDT,M4.6.0,M10.5.0",
            "EST5EDT,M4.1.7,M10.5.0",
            "EST5EDT,M4.1.0,M10.5.0x",
            "EST5,M4.1.0,M10.5.0",
            "EST5EDT,J0,J5",
            "EST5EDT,J1,J366",
            "EST5EDT,0,366",
            "EST5EDT;M4.1.0,M10.5.0",
            "EST5EDT,M4.1.0/168,M10.5.0",
        ] {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn summers_are_those_of_the_default_rule_in_every_year() {
        let Some(Parsed::Changing(zone)) = parse("est0bc") else { panic!("a zone") };
        for (at, hours) in [
            ("2024-01-01T00:00:00", 0),
            ("2024-03-10T01:59:59", 0),
            ("2024-03-10T02:00:00", 1),
            ("2024-11-03T00:59:59", 1),
            ("2024-11-03T01:00:00", 0),
            ("2050-07-01T00:00:00", 1),
            ("2051-03-12T02:00:00", 1),
            ("1700-07-01T00:00:00", 1),
            ("1943-02-01T00:00:00", 0),
            ("1974-02-01T00:00:00", 0),
            ("1980-04-10T00:00:00", 1),
        ] {
            assert_eq!(zone.offset_at(micros(at)), hours * HOUR, "{at}");
        }
        assert_eq!(zone.offset_of_local(micros("2024-07-01T12:00:00")), HOUR);
        assert_eq!(zone.offset_of_local(micros("2024-03-10T02:30:00")), 0);
        assert_eq!(zone.offset_of_local(micros("2024-11-03T01:30:00")), 0);
    }

    #[test]
    fn summers_follow_their_rules() {
        // Recorded from PostgreSQL.
        for (zone, at, hours) in [
            ("EST5EDT,M4.1.0,M10.5.0", "2020-04-05T06:59:59", -5),
            ("EST5EDT,M4.1.0,M10.5.0", "2020-04-05T07:00:00", -4),
            ("EST5EDT4;M4.1.0,M10.5.0", "2020-10-25T06:00:00", -5),
            ("CET-1CEST,M3.5.0/3,M10.5.0/4", "2020-07-01T12:00:00", 2),
            ("AEST-10AEDT,M10.1.0,M4.1.0/3", "2020-07-01T12:00:00", 10),
            ("AEST-10AEDT,M10.1.0,M4.1.0/3", "2020-01-01T12:00:00", 11),
            ("<-03>3<-02>,J60,J300", "2020-02-29T12:00:00", -3),
            ("<-03>3<-02>,J60,J300", "2020-03-01T12:00:00", -2),
            ("X5Y,60/1:30,300/4", "2021-03-01T12:00:00", -5),
            ("X5Y,60/1:30,300/4", "2021-03-02T12:00:00", -4),
            ("X5Y,0/0,J365/25", "2020-12-31T23:30:00", -4),
            ("X5Y,0/0,J365/25", "2021-01-01T05:00:00", -4),
        ] {
            let Some(Parsed::Changing(parsed)) = parse(zone) else { panic!("{zone}") };
            assert_eq!(parsed.offset_at(micros(at)), hours * HOUR, "{zone} {at}");
        }
    }
}
