//! The fields of a date and time, in whatever order PostgreSQL lets them stand.
//!
//! Owns: the tokens and what each fills. Must never know: which type asked.

use std::borrow::Cow;

use super::super::civil::to_days;
use super::{Offset, Order, is_space};

/// Why a text is no date or time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    Syntax,
    /// No month, or no day of any month: perhaps the order of fields is another.
    MonthOrDay,
    Range,
    Zone,
}

#[derive(Debug, Default)]
pub(super) struct Fields {
    /// Since 1970-01-01.
    pub(super) day: Option<i64>,
    /// Since midnight.
    pub(super) micros: Option<i64>,
    pub(super) zone: Option<Offset>,
}

/// What was read before the day can be known.
#[derive(Debug, Default)]
struct Parts<'a> {
    /// Year, month and day, each as it was written.
    numbers: Vec<&'a str>,
    /// Where among `numbers` a month's name stood.
    month: Option<(usize, i64)>,
    before_christ: bool,
    afternoon: Option<bool>,
}

const DAY_MICROS: i64 = 86_400_000_000;

impl Fields {
    pub(super) fn read(text: &str, order: Order) -> Result<Self, Failure> {
        let mut fields = Self::default();
        let mut parts = Parts::default();
        for token in text.split(|c| is_space(c) || c == ',').filter(|token| !token.is_empty()) {
            fields.token(token, &mut parts)?;
        }
        if let Some(afternoon) = parts.afternoon {
            fields.micros = Some(half_day(fields.micros.ok_or(Failure::Syntax)?, afternoon)?);
        }
        if !parts.numbers.is_empty() || parts.month.is_some() {
            fields.day = Some(parts.day(order)?);
        } else if parts.before_christ {
            return Err(Failure::Syntax);
        }
        Ok(fields)
    }

    fn token<'a>(&mut self, token: &'a str, parts: &mut Parts<'a>) -> Result<(), Failure> {
        let first = token.chars().next().ok_or(Failure::Syntax)?;
        let has_date = !parts.numbers.is_empty() || parts.month.is_some();
        match first {
            '+' | '-' if has_date || self.micros.is_some() => self.zone(token),
            '0'..='9' => {
                // `2026-01-02T03:04` is two tokens.
                if let Some((date, time)) = token.split_once(['T', 't']).filter(|(date, time)| splits(date, time)) {
                    self.date(date, parts)?;
                    return self.time(time);
                }
                if token.contains(':') { self.time(token) } else { self.date(token, parts) }
            }
            'T' | 't' if token.get(1..2).is_some_and(|next| next.bytes().all(|byte| byte.is_ascii_digit())) => {
                self.time(token.get(1..).unwrap_or_default())
            }
            c if c.is_ascii_alphabetic() => self.word(token, parts),
            _ => Err(Failure::Syntax),
        }
    }

    fn word(&mut self, word: &str, parts: &mut Parts<'_>) -> Result<(), Failure> {
        let lower = word.to_ascii_lowercase();
        match lower.as_str() {
            "bc" => parts.before_christ = true,
            "ad" | "at" | "on" => {}
            "am" => parts.afternoon = Some(false),
            "pm" => parts.afternoon = Some(true),
            _ if is_weekday(&lower) => {}
            _ => match month_of(&lower) {
                Some(month) if parts.month.is_none() => parts.month = Some((parts.numbers.len(), month)),
                Some(_) => return Err(Failure::Syntax),
                None => return self.zone(word),
            },
        }
        Ok(())
    }

    /// `2026-01-02`, `1/2/2026`, `02-Jan-2026`, `20260102`, `2026.002`, or one number of a date in words.
    fn date<'a>(&mut self, token: &'a str, parts: &mut Parts<'a>) -> Result<(), Failure> {
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_digits(token) {
            match token.len() {
                8 if parts.numbers.is_empty() && parts.month.is_none() => {
                    parts.numbers.extend([token.get(..4), token.get(4..6), token.get(6..)].into_iter().flatten());
                }
                6 if !parts.numbers.is_empty() && parts.month.is_none() && self.micros.is_none() => {
                    return self.time(token);
                }
                _ => parts.numbers.push(token),
            }
            return Ok(());
        }
        for field in token.split(['-', '/', '.']) {
            if is_digits(field) {
                parts.numbers.push(field);
            } else if parts.month.is_none() {
                let month = month_of(&field.to_ascii_lowercase()).ok_or(Failure::Syntax)?;
                parts.month = Some((parts.numbers.len(), month));
            } else {
                return Err(Failure::Syntax);
            }
        }
        Ok(())
    }

    /// `12:34`, `12:34:56.789`, with an offset or `Z`, `AM`, `PM` at its end.
    fn time(&mut self, token: &str) -> Result<(), Failure> {
        let end = token.find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.').unwrap_or(token.len());
        let (clock, rest) = token.split_at(end);
        if self.micros.is_some() {
            return Err(Failure::Syntax);
        }
        let clock = spread(clock);
        let mut fields = clock.split(':');
        let number = |field: Option<&str>| field.unwrap_or("0").parse::<i64>().map_err(|_| Failure::Syntax);
        let (hours, minutes) = (number(fields.next())?, number(fields.next())?);
        let seconds = fields.next().unwrap_or("0");
        let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
        let seconds = number(Some(seconds))?;
        if fields.next().is_some() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Failure::Syntax);
        }
        if hours > 24 || minutes > 59 || seconds > 60 {
            return Err(Failure::Range);
        }
        let micros = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + micros_of(fraction)?;
        if micros > DAY_MICROS {
            return Err(Failure::Range);
        }
        self.micros = Some(micros);
        match rest.to_ascii_lowercase().as_str() {
            "" => Ok(()),
            "am" => self.shift(micros, false),
            "pm" => self.shift(micros, true),
            _ => self.zone(rest),
        }
    }

    fn shift(&mut self, micros: i64, afternoon: bool) -> Result<(), Failure> {
        self.micros = Some(half_day(micros, afternoon)?);
        Ok(())
    }

    /// `Z`, `+02`, `-05:30`, `+053000`, `UTC`, `PST`, `Europe/Paris`.
    fn zone(&mut self, text: &str) -> Result<(), Failure> {
        if self.zone.is_some() {
            return Err(Failure::Syntax);
        }
        let unsigned = text.strip_prefix(['+', '-']);
        self.zone = Some(match unsigned {
            Some(unsigned) => {
                let seconds = displacement(unsigned)?;
                Offset::Fixed(if text.starts_with('-') { -seconds } else { seconds })
            }
            None => match abbreviation(&text.to_ascii_lowercase()) {
                Some(hours) => Offset::Fixed(hours * 3_600),
                None => Offset::Named(text.parse().map_err(|_| Failure::Syntax)?),
            },
        });
        Ok(())
    }
}

impl Parts<'_> {
    /// The day that year, month and day make.
    fn day(&self, order: Order) -> Result<i64, Failure> {
        let (year, month, day) = match (self.numbers.as_slice(), self.month) {
            ([one, two], Some((at, month))) => {
                // A year is told by its length, or by being first before the month's name.
                let year_first = one.len() > 2 || (at == 1 && order == Order::Ymd);
                if year_first { (*one, month, *two) } else { (*two, month, *one) }
            }
            ([one, two, three], None) => {
                let year_first = one.len() > 2 || order == Order::Ymd;
                let (year, month, day) = match (year_first, order) {
                    (true, _) => (*one, *two, *three),
                    (false, Order::Dmy) => (*three, *two, *one),
                    (false, _) => (*three, *one, *two),
                };
                (year, number(month)?, day)
            }
            ([year, day_of_year], None) if year.len() > 2 && day_of_year.len() == 3 => {
                let year = self.year(year)?;
                let length = to_days(year + 1, 1, 1) - to_days(year, 1, 1);
                let day = number(day_of_year)?;
                let first = to_days(year, 1, 1);
                return if (1..=length).contains(&day) { Ok(first + day - 1) } else { Err(Failure::Range) };
            }
            _ => return Err(Failure::Syntax),
        };
        let year = self.year(year)?;
        let day = number(day)?;
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return Err(Failure::MonthOrDay);
        }
        let first = to_days(year, month, 1);
        let next = if month == 12 { to_days(year + 1, 1, 1) } else { to_days(year, month + 1, 1) };
        if day > next - first { Err(Failure::Range) } else { Ok(first + day - 1) }
    }

    /// A year of two digits is of 1970 to 2069.
    fn year(&self, text: &str) -> Result<i64, Failure> {
        let year = Some(number(text)?).filter(|year| *year < 6_000_000).ok_or(Failure::Range)?;
        match (self.before_christ, text.len()) {
            (true, _) if year == 0 => Err(Failure::Range),
            (true, _) => Ok(1 - year),
            (false, ..=2) if year < 70 => Ok(year + 2_000),
            (false, ..=2) => Ok(year + 1_900),
            (false, _) if year == 0 => Err(Failure::Range),
            (false, _) => Ok(year),
        }
    }
}

/// `030405.6` with its colons.
fn spread(clock: &str) -> Cow<'_, str> {
    let digits = clock.split('.').next().unwrap_or_default().len();
    match (digits, clock.split_at_checked(2)) {
        (4, Some((hours, minutes))) if !clock.contains(':') => Cow::Owned(format!("{hours}:{minutes}")),
        (6, Some((hours, rest))) if !clock.contains(':') => {
            let (minutes, seconds) = rest.split_at_checked(2).unwrap_or((rest, "0"));
            Cow::Owned(format!("{hours}:{minutes}:{seconds}"))
        }
        _ => Cow::Borrowed(clock),
    }
}

fn splits(date: &str, time: &str) -> bool {
    date.bytes().last().is_some_and(|byte| byte.is_ascii_digit())
        && time.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
}

fn number(text: &str) -> Result<i64, Failure> {
    text.parse::<i64>().map_err(|_| Failure::Range)
}

/// A fraction of a second, rounded to the microsecond.
#[expect(clippy::cast_possible_truncation, reason = "at most a million")]
fn micros_of(fraction: &str) -> Result<i64, Failure> {
    if fraction.is_empty() {
        return Ok(0);
    }
    let fraction: f64 = format!("0.{fraction}").parse().map_err(|_| Failure::Syntax)?;
    Ok((fraction * 1e6).round_ties_even() as i64)
}

fn half_day(micros: i64, afternoon: bool) -> Result<i64, Failure> {
    let noon = DAY_MICROS / 2;
    let hour = DAY_MICROS / 24;
    match (afternoon, micros) {
        (_, micros) if micros >= noon + hour => Err(Failure::Range),
        (true, micros) if micros < noon => Ok(micros + noon),
        (false, micros) if micros >= noon => Ok(micros - noon),
        (_, micros) => Ok(micros),
    }
}

/// Seconds of `02`, `02:30`, `0230`, `02:30:15`.
fn displacement(text: &str) -> Result<i32, Failure> {
    let fields: Vec<&str> = match text.len() {
        4 | 6 if !text.contains(':') => (0..text.len()).step_by(2).filter_map(|at| text.get(at..at + 2)).collect(),
        _ => text.split(':').collect(),
    };
    let mut seconds = 0;
    for (field, (unit, most)) in fields.iter().zip([(3_600, 15), (60, 59), (1, 59)]) {
        let is_number = (1..=2).contains(&field.len()) && field.bytes().all(|byte| byte.is_ascii_digit());
        let value = field.parse::<i32>().ok().filter(|_| is_number).ok_or(Failure::Syntax)?;
        if value > most {
            return Err(Failure::Zone);
        }
        seconds += value * unit;
    }
    if (1..=3).contains(&fields.len()) { Ok(seconds) } else { Err(Failure::Syntax) }
}

/// Hours of the abbreviations that PostgreSQL's default set has and clients send.
fn abbreviation(word: &str) -> Option<i32> {
    Some(match word {
        "z" | "zulu" | "utc" | "gmt" | "uct" | "wet" => 0,
        "bst" | "cet" | "met" | "west" => 1,
        "cest" | "eet" | "mest" => 2,
        "eest" | "msk" => 3,
        "ast" | "edt" => -4,
        "est" | "cdt" => -5,
        "cst" | "mdt" => -6,
        "mst" | "pdt" => -7,
        "pst" | "akdt" => -8,
        "akst" => -9,
        "hst" => -10,
        "jst" | "kst" => 9,
        _ => return None,
    })
}

fn month_of(word: &str) -> Option<i64> {
    const NAMES: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let at = NAMES
        .iter()
        .position(|name| *name == word || name.get(..3) == Some(word) || (word == "sept" && *name == "september"))?;
    i64::try_from(at + 1).ok()
}

fn is_weekday(word: &str) -> bool {
    const NAMES: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
    NAMES.iter().any(|name| *name == word || name.get(..3) == Some(word))
        || matches!(word, "tues" | "wednes" | "thur" | "thurs")
}
