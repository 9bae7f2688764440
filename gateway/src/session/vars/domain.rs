//! What values a variable takes, and how PostgreSQL prints them back.

use chrono_tz::Tz;

use crate::error::{Error, Result, SqlState};

/// The set of values of a variable.
#[derive(Debug, Clone, Copy)]
pub enum Domain {
    Bool,
    /// A whole number between the bounds.
    Integer(i64, i64),
    /// Milliseconds, with PostgreSQL's units (`2s`, `5min`).
    Milliseconds,
    /// Kilobytes, with PostgreSQL's units (`4MB`).
    Kilobytes,
    /// A whole number of units between the bounds.
    Units(Unit, i64, i64),
    Real(f64, f64),
    Text,
    /// One of the words, whatever its case.
    Enum(&'static [&'static str]),
    TimeZone,
    DateStyle,
    SearchPath,
    /// Only UTF8 by any of its names.
    Utf8,
    /// One value only: others are a feature that is missing (0A000).
    Only(&'static str),
}

impl Domain {
    /// The value in its normal form, or 22023.
    pub fn check(self, name: &str, value: &str) -> Result<String> {
        let text = value.trim();
        let normal = match self {
            Domain::Bool => parse_bool(text).map(|on| if on { "on" } else { "off" }.to_owned()),
            Domain::Integer(min, max) => return integer(name, text, min, max),
            Domain::Milliseconds => parse_milliseconds(text).map(print_milliseconds),
            Domain::Kilobytes => parse_kilobytes(text).map(print_kilobytes),
            Domain::Units(unit, min, max) => {
                unit.parse(text).filter(|count| (min..=max).contains(count)).map(|count| unit.print(count))
            }
            Domain::Real(min, max) => {
                text.parse::<f64>().ok().filter(|real| (min..=max).contains(real)).map(|real| real.to_string())
            }
            Domain::Text => Some(value.to_owned()),
            Domain::Enum(words) => return word(name, text, words),
            Domain::TimeZone => parse_time_zone(text).map(|zone| zone.name().to_owned()),
            Domain::DateStyle => date_style(text),
            Domain::SearchPath => Some(value.to_owned()),
            Domain::Utf8 => is_utf8(text).then(|| "UTF8".to_owned()),
            Domain::Only(only) => return only_value(name, text, only),
        };
        normal.ok_or_else(|| invalid(name, value))
    }

    /// `pg_settings.vartype`.
    pub fn vartype(self) -> &'static str {
        match self {
            Domain::Bool => "bool",
            Domain::Integer(..) | Domain::Milliseconds | Domain::Kilobytes | Domain::Units(..) => "integer",
            Domain::Real(..) => "real",
            Domain::Enum(_) => "enum",
            Domain::Text
            | Domain::TimeZone
            | Domain::DateStyle
            | Domain::SearchPath
            | Domain::Utf8
            | Domain::Only(_) => "string",
        }
    }
}

fn invalid(name: &str, value: &str) -> Error {
    Error::new(SqlState::InvalidParameterValue, format!("invalid value for parameter \"{name}\": \"{value}\""))
}

fn integer(name: &str, text: &str, min: i64, max: i64) -> Result<String> {
    let number: i64 = text.parse().map_err(|_| invalid(name, text))?;
    if (min..=max).contains(&number) {
        return Ok(number.to_string());
    }
    let message = format!("{number} is outside the valid range for parameter \"{name}\" ({min} .. {max})");
    Err(Error::new(SqlState::InvalidParameterValue, message))
}

fn word(name: &str, text: &str, words: &[&str]) -> Result<String> {
    let found = words.iter().find(|word| word.eq_ignore_ascii_case(text));
    let hint = || format!("Available values: {}.", words.join(", "));
    found.map(|word| (*word).to_owned()).ok_or_else(|| invalid(name, text).hint(hint()))
}

fn only_value(name: &str, text: &str, only: &'static str) -> Result<String> {
    if text.eq_ignore_ascii_case(only) || parse_bool(text).is_some_and(|on| Some(on) == parse_bool(only)) {
        return Ok(only.to_owned());
    }
    Err(Error::unsupported(format!("parameter \"{name}\" can only be \"{only}\"")))
}

/// PostgreSQL's booleans: any unambiguous prefix of true, false, yes, no, and on, off, 1, 0.
pub fn parse_bool(text: &str) -> Option<bool> {
    let text = text.to_ascii_lowercase();
    let is_prefix = |word: &str| !text.is_empty() && word.starts_with(&text);
    match text.as_str() {
        "on" | "1" => Some(true),
        "off" | "of" | "0" => Some(false),
        _ if is_prefix("true") || is_prefix("yes") => Some(true),
        _ if is_prefix("false") || is_prefix("no") => Some(false),
        _ => None,
    }
}

/// The unit in which PostgreSQL keeps a setting, as bytes or milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Bytes(i64),
    Milliseconds(i64),
}

const MEMORY: [(&str, i64); 5] = [("TB", 1 << 40), ("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10), ("B", 1)];
const TIME: [(&str, i64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1)];

impl Unit {
    /// `pg_settings.unit`.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "B" => Self::Bytes(1),
            "kB" => Self::Bytes(1 << 10),
            "8kB" => Self::Bytes(8 << 10),
            "MB" => Self::Bytes(1 << 20),
            "ms" => Self::Milliseconds(1),
            "s" => Self::Milliseconds(1_000),
            "min" => Self::Milliseconds(60_000),
            _ => return None,
        })
    }

    fn size(self) -> (i64, &'static [(&'static str, i64)]) {
        match self {
            Self::Bytes(size) => (size, &MEMORY),
            Self::Milliseconds(size) => (size, &TIME),
        }
    }

    /// How many of the unit a text means; a bare number counts units.
    pub fn parse(self, text: &str) -> Option<i64> {
        let (number, unit) = split_unit(text.trim())?;
        let (size, units) = self.size();
        let factor = match unit {
            "" => size as f64,
            "us" if matches!(self, Self::Milliseconds(_)) => 0.001,
            unit => units.iter().find(|(name, _)| *name == unit)?.1 as f64,
        };
        let count = (number * factor / size as f64).round();
        (count.abs() <= f64::from(i32::MAX)).then_some(count as i64)
    }

    /// As SHOW prints it: in the largest unit that divides.
    pub fn print(self, count: i64) -> String {
        let (size, units) = self.size();
        let Some(whole) = count.checked_mul(size).filter(|whole| *whole > 0) else { return count.to_string() };
        let largest = units.iter().find(|(_, size)| whole % size == 0);
        largest.map_or_else(|| count.to_string(), |(name, size)| format!("{}{name}", whole / size))
    }
}

fn split_unit(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-')).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    Some((number.parse().ok()?, unit.trim()))
}

/// Reads milliseconds; `None` if it is no duration or negative.
pub fn parse_milliseconds(text: &str) -> Option<u64> {
    let (number, unit) = split_unit(text.trim())?;
    let factor = match unit {
        "us" => 0.001,
        "" | "ms" => 1.0,
        "s" => 1e3,
        "min" => 6e4,
        "h" => 3.6e6,
        "d" => 8.64e7,
        _ => return None,
    };
    let milliseconds = (number * factor).round();
    (0.0..=f64::from(i32::MAX)).contains(&milliseconds).then_some(milliseconds as u64)
}

/// Prints as SHOW does: in the largest unit that divides.
fn print_milliseconds(milliseconds: u64) -> String {
    for (size, unit) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s")] {
        if milliseconds > 0 && milliseconds.is_multiple_of(size) {
            return format!("{}{unit}", milliseconds / size);
        }
    }
    if milliseconds == 0 { "0".to_owned() } else { format!("{milliseconds}ms") }
}

fn parse_kilobytes(text: &str) -> Option<u64> {
    let (number, unit) = split_unit(text)?;
    let factor = match unit {
        "B" => 1.0 / 1024.0,
        "" | "kB" => 1.0,
        "MB" => 1024.0,
        "GB" => 1024.0 * 1024.0,
        "TB" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    let kilobytes = (number * factor).round();
    (0.0..=f64::from(i32::MAX)).contains(&kilobytes).then_some(kilobytes as u64)
}

fn print_kilobytes(kilobytes: u64) -> String {
    for (size, unit) in [(1 << 20, "GB"), (1 << 10, "MB")] {
        if kilobytes > 0 && kilobytes.is_multiple_of(size) {
            return format!("{}{unit}", kilobytes / size);
        }
    }
    if kilobytes == 0 { "0".to_owned() } else { format!("{kilobytes}kB") }
}

/// Zone names whatever their case, and the abbreviations that PostgreSQL knows as UTC.
pub fn parse_time_zone(text: &str) -> Option<Tz> {
    let text = text.trim().trim_matches('\'');
    if ["utc", "gmt", "z", "zulu", "default", "0", "+00", "+00:00", "localtime"]
        .contains(&text.to_ascii_lowercase().as_str())
    {
        return Some(if text.eq_ignore_ascii_case("gmt") { Tz::GMT } else { Tz::UTC });
    }
    if let Some(zone) = parse_offset_zone(text) {
        return Some(zone);
    }
    chrono_tz::TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(text)).copied()
}

/// `SET TIME ZONE 7` and `'+07'` mean hours east of Greenwich; the zone database names them with the sign reversed.
fn parse_offset_zone(text: &str) -> Option<Tz> {
    let hours: i32 = text.strip_suffix(":00").unwrap_or(text).parse().ok()?;
    let name = match hours {
        0 => return Some(Tz::UTC),
        1..=14 => format!("Etc/GMT-{hours}"),
        -12..=-1 => format!("Etc/GMT+{}", -hours),
        _ => return None,
    };
    name.parse().ok()
}

/// The normal form `ISO, MDY` of any list of style and order words.
fn date_style(text: &str) -> Option<String> {
    let (mut style, mut order) = (None, None);
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let part = part.trim_matches('\'').trim_matches('"').to_ascii_lowercase();
        match part.as_str() {
            "iso" => style = Some("ISO"),
            "postgres" | "postgresql" => style = Some("Postgres"),
            "sql" => style = Some("SQL"),
            "german" => style = Some("German"),
            "ymd" => order = Some("YMD"),
            "dmy" | "euro" | "european" => order = Some("DMY"),
            "mdy" | "us" | "noneuropean" => order = Some("MDY"),
            "default" => (style, order) = (Some("ISO"), Some("MDY")),
            _ => return None,
        }
    }
    let order = order.unwrap_or(if style == Some("German") { "DMY" } else { "MDY" });
    Some(format!("{}, {order}", style.unwrap_or("ISO")))
}

fn is_utf8(text: &str) -> bool {
    let name: String = text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    ["utf8", "unicode"].contains(&name.as_str())
}

/// Splits a comma list of identifiers: quoted ones as they are, others in lower case.
pub fn split_identifiers(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut name = String::new();
    let (mut quoted, mut was_quoted) = (false, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                name.push('"');
            }
            '"' => (quoted, was_quoted) = (!quoted, true),
            ',' if !quoted => push_name(&mut names, std::mem::take(&mut name), std::mem::take(&mut was_quoted)),
            c if quoted => name.push(c),
            c if c.is_whitespace() => {}
            c => name.extend(c.to_lowercase()),
        }
    }
    push_name(&mut names, name, was_quoted);
    names
}

fn push_name(names: &mut Vec<String>, name: String, quoted: bool) {
    if quoted || !name.is_empty() {
        names.push(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_normalised_as_postgresql_prints_them() {
        let cases = [
            (Domain::Bool, "tr", "on"),
            (Domain::Bool, "OFF", "off"),
            (Domain::Milliseconds, "2000", "2s"),
            (Domain::Milliseconds, "1500", "1500ms"),
            (Domain::Milliseconds, "5min", "5min"),
            (Domain::Kilobytes, "4096", "4MB"),
            (Domain::TimeZone, "europe/paris", "Europe/Paris"),
            (Domain::TimeZone, "7", "Etc/GMT-7"),
            (Domain::DateStyle, "iso", "ISO, MDY"),
            (Domain::DateStyle, "German", "German, DMY"),
            (Domain::Utf8, "'utf-8'", "UTF8"),
        ];
        for (domain, given, expected) in cases {
            assert_eq!(domain.check("x", given).unwrap(), expected, "{given}");
        }
    }

    #[test]
    fn values_out_of_the_domain_are_22023() {
        for (domain, given) in [
            (Domain::Bool, "maybe"),
            (Domain::Milliseconds, "-1"),
            (Domain::TimeZone, "Mars/Base"),
            (Domain::Integer(-15, 3), "4"),
            (Domain::Enum(&["a", "b"]), "c"),
        ] {
            assert_eq!(domain.check("x", given).unwrap_err().state, SqlState::InvalidParameterValue, "{given}");
        }
    }
}
