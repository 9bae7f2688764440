//! PostgreSQL's binary formats, read back into the text that PostgreSQL prints.
//!
//! Owns: the proof that a value's two formats agree. It is written from the protocol, not from our encoder.

use std::fmt::Write as _;

use bytes::{Buf, Bytes};
use chrono::{Duration, NaiveDate, NaiveDateTime, NaiveTime};

/// The text of a binary value of the type `oid`, in a session with TimeZone UTC and the default styles.
pub fn text(oid: u32, value: &Bytes) -> String {
    let mut bytes = value.clone();
    let text = match oid {
        16 => if bytes.get_u8() == 1 { "t" } else { "f" }.to_owned(),
        17 => hex(&bytes.split_to(bytes.len())),
        20 => bytes.get_i64().to_string(),
        21 => bytes.get_i16().to_string(),
        23 => bytes.get_i32().to_string(),
        27 => format!("({},{})", bytes.get_u32(), bytes.get_u16()),
        26 | 28 | 29 | 2205 | 2206 | 24 => bytes.get_u32().to_string(),
        700 => float(f64::from(bytes.get_f32()), &format!("{:e}", value.clone().get_f32()), 6),
        701 => float(bytes.get_f64(), &format!("{:e}", value.clone().get_f64()), 15),
        1082 => date(bytes.get_i32()),
        1083 => time(bytes.get_i64()),
        1114 => timestamp(bytes.get_i64(), ""),
        790 => money(bytes.get_i64()),
        1184 => timestamp(bytes.get_i64(), "+00"),
        1186 => interval(bytes.get_i64(), bytes.get_i32(), bytes.get_i32()),
        1266 => time(bytes.get_i64()) + &offset(-bytes.get_i32()),
        1700 => numeric(&mut bytes),
        2249 => record(&mut bytes),
        2950 => uuid(&bytes.split_to(16)),
        3802 => {
            assert_eq!(bytes.get_u8(), 1, "the version of jsonb");
            utf8(&mut bytes)
        }
        _ if element(oid).is_some() => array(&mut bytes),
        _ => utf8(&mut bytes),
    };
    assert!(bytes.is_empty(), "bytes are left after a value of type {oid}");
    text
}

/// The element type of an array type.
fn element(oid: u32) -> Option<u32> {
    Some(match oid {
        199 => 114,
        1000 => 16,
        1001 => 17,
        1002 => 18,
        1003 => 19,
        1005 => 21,
        1007 => 23,
        1009 => 25,
        1015 => 1043,
        1016 => 20,
        1021 => 700,
        1022 => 701,
        1028 => 26,
        1115 => 1114,
        1182 => 1082,
        1183 => 1083,
        1185 => 1184,
        1187 => 1186,
        1231 => 1700,
        2287 => 2249,
        2951 => 2950,
        3807 => 3802,
        _ => return None,
    })
}

/// Hundredths as dollars.
fn money(cents: i64) -> String {
    let digits = (cents.unsigned_abs() / 100).to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}${}.{:02}", groups.join(","), cents.unsigned_abs() % 100)
}

/// Seconds east of Greenwich, whole minutes.
fn offset(seconds: i32) -> String {
    let (sign, seconds) = (if seconds < 0 { '-' } else { '+' }, seconds.abs());
    match seconds / 60 % 60 {
        0 => format!("{sign}{:02}", seconds / 3600),
        minutes => format!("{sign}{:02}:{minutes:02}", seconds / 3600),
    }
}

fn utf8(bytes: &mut Bytes) -> String {
    String::from_utf8(bytes.split_to(bytes.len()).to_vec()).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("\\x".to_owned(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn uuid(bytes: &[u8]) -> String {
    let digits = hex(bytes).split_off(2);
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

/// PostgreSQL prints the shortest digits, with an exponent below 1e-4 and from 1e15 (float8) or 1e6 (float4) on.
fn float(value: f64, scientific: &str, exponent_end: i32) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.into();
    }
    if value == 0.0 {
        return if value.is_sign_negative() { "-0" } else { "0" }.into();
    }
    let (digits, exponent) = scientific.split_once('e').unwrap();
    let exponent: i32 = exponent.parse().unwrap();
    let significant = digits.trim_start_matches('-').replace('.', "");
    if (-4..exponent_end).contains(&exponent) {
        return plain(digits.starts_with('-'), &significant, exponent);
    }
    format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

fn plain(negative: bool, significant: &str, exponent: i32) -> String {
    let sign = if negative { "-" } else { "" };
    let length = i32::try_from(significant.len()).unwrap();
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap());
    if exponent < 0 {
        return format!("{sign}0.{}{significant}", zeros(-exponent - 1));
    }
    if exponent + 1 >= length {
        return format!("{sign}{significant}{}", zeros(exponent + 1 - length));
    }
    let (whole, fraction) = significant.split_at(usize::try_from(exponent + 1).unwrap());
    format!("{sign}{whole}.{fraction}")
}

fn epoch() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2000, 1, 1).unwrap().and_time(NaiveTime::MIN)
}

fn date(days: i32) -> String {
    match days {
        i32::MAX => "infinity".into(),
        i32::MIN => "-infinity".into(),
        days => (epoch() + Duration::days(days.into())).format("%Y-%m-%d").to_string(),
    }
}

fn timestamp(micros: i64, offset: &str) -> String {
    match micros {
        i64::MAX => "infinity".into(),
        i64::MIN => "-infinity".into(),
        micros => {
            let at = epoch() + Duration::microseconds(micros);
            let within_day = (at.time() - NaiveTime::MIN).num_microseconds().unwrap();
            format!("{} {}{offset}", at.format("%Y-%m-%d"), time(within_day))
        }
    }
}

fn time(micros: i64) -> String {
    let seconds = micros / 1_000_000;
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    clock + &fraction(micros % 1_000_000)
}

fn fraction(micros: i64) -> String {
    if micros == 0 {
        return String::new();
    }
    format!(".{micros:06}").trim_end_matches('0').to_owned()
}

fn interval(micros: i64, days: i32, months: i32) -> String {
    let mut parts = Vec::new();
    let mut negative_before = false;
    for (value, unit) in [(months / 12, "year"), (months % 12, "mon"), (days, "day")] {
        if value != 0 {
            let sign = if negative_before && value > 0 { "+" } else { "" };
            parts.push(format!("{sign}{value} {unit}{}", if value == 1 { "" } else { "s" }));
            negative_before = value < 0;
        }
    }
    if micros != 0 || parts.is_empty() {
        let sign = match (micros < 0, negative_before) {
            (true, _) => "-",
            (false, true) => "+",
            (false, false) => "",
        };
        parts.push(format!("{sign}{}", time(micros.abs())));
    }
    parts.join(" ")
}

fn numeric(bytes: &mut Bytes) -> String {
    let groups = bytes.get_u16();
    let weight = bytes.get_i16();
    let sign = bytes.get_u16();
    let scale = bytes.get_u16();
    match sign {
        0xC000 => return "NaN".into(),
        0xD000 => return "Infinity".into(),
        0xF000 => return "-Infinity".into(),
        _ => {}
    }
    let digits: Vec<i16> = (0..groups).map(|_| bytes.get_i16()).collect();
    assert!(digits.iter().all(|digit| (0..10_000).contains(digit)), "a digit of base 10000");
    // A group's weight is its power of 10000; groups that the message leaves out are zero.
    let group = |power: i32| usize::try_from(i32::from(weight) - power).ok().and_then(|at| digits.get(at)).copied();
    let groups = |powers: &mut dyn Iterator<Item = i32>| {
        powers.map(|power| format!("{:04}", group(power).unwrap_or(0))).collect::<String>()
    };
    let whole = groups(&mut (0..=i32::from(weight)).rev());
    let whole = whole.trim_start_matches('0');
    let mut text = if sign == 0x4000 { "-" } else { "" }.to_owned();
    text.push_str(if whole.is_empty() { "0" } else { whole });
    if scale > 0 {
        let places = groups(&mut (1..=i32::from(scale.div_ceil(4))).map(|place| -place));
        text.push('.');
        text.push_str(&places[..usize::from(scale)]);
    }
    text
}

/// The number of fields; the type and the value of each.
fn record(bytes: &mut Bytes) -> String {
    let fields: Vec<String> = (0..bytes.get_i32())
        .map(|_| {
            let oid = bytes.get_u32();
            match usize::try_from(bytes.get_i32()) {
                Ok(length) => quoted_field(&text(oid, &bytes.split_to(length))),
                Err(_) => String::new(),
            }
        })
        .collect();
    format!("({})", fields.join(","))
}

fn quoted_field(field: &str) -> String {
    let special = |c: char| c.is_ascii_whitespace() || "(),\"\\".contains(c);
    if field.is_empty() || field.contains(special) {
        return format!("\"{}\"", field.replace('\\', "\\\\").replace('"', "\"\""));
    }
    field.to_owned()
}

fn array(bytes: &mut Bytes) -> String {
    let dimensions = bytes.get_i32();
    let _has_nulls = bytes.get_i32();
    let oid = bytes.get_u32();
    if dimensions == 0 {
        return "{}".into();
    }
    let lengths: Vec<i32> = (0..dimensions)
        .map(|_| {
            let length = bytes.get_i32();
            assert_eq!(bytes.get_i32(), 1, "the lower bound of an array");
            length
        })
        .collect();
    level(bytes, oid, &lengths)
}

fn level(bytes: &mut Bytes, oid: u32, lengths: &[i32]) -> String {
    let items: Vec<String> = (0..lengths[0])
        .map(|_| {
            if lengths.len() > 1 {
                return level(bytes, oid, &lengths[1..]);
            }
            match usize::try_from(bytes.get_i32()) {
                Ok(length) => quoted(&text(oid, &bytes.split_to(length))),
                Err(_) => "NULL".into(),
            }
        })
        .collect();
    format!("{{{}}}", items.join(","))
}

fn quoted(item: &str) -> String {
    let special = |c: char| c.is_ascii_whitespace() || "{},\"\\".contains(c);
    if item.is_empty() || item.eq_ignore_ascii_case("null") || item.contains(special) {
        return format!("\"{}\"", item.replace('\\', "\\\\").replace('"', "\\\""));
    }
    item.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(oid: u32, bytes: &[u8], expected: &str) {
        assert_eq!(text(oid, &Bytes::copy_from_slice(bytes)), expected);
    }

    #[test]
    fn numbers_print_as_postgres_prints_them() {
        check(701, &1e15_f64.to_be_bytes(), "1e+15");
        check(701, &123_456.789_f64.to_be_bytes(), "123456.789");
        check(701, &1e-5_f64.to_be_bytes(), "1e-05");
        check(701, &0.0001_f64.to_be_bytes(), "0.0001");
        check(700, &0.1_f32.to_be_bytes(), "0.1");
        check(1700, &[0, 1, 0, 0, 0, 0, 0, 2, 0, 1], "1.00");
        check(1700, &[0, 1, 0xFF, 0xFF, 0x40, 0, 0, 3, 0x13, 0x88], "-0.500");
        check(1700, &[0, 1, 0xFF, 0xFE, 0, 0, 0, 6, 0x03, 0xE8], "0.000010");
        check(1700, &[0, 0, 0, 0, 0, 0, 0, 2], "0.00");
    }

    #[test]
    fn times_print_as_postgres_prints_them() {
        check(1114, &1_500_000_i64.to_be_bytes(), "2000-01-01 00:00:01.5");
        check(1184, &(-1_i64).to_be_bytes(), "1999-12-31 23:59:59.999999+00");
        let mut bytes = 90_000_000_i64.to_be_bytes().to_vec();
        bytes.extend((-2_i32).to_be_bytes());
        bytes.extend(14_i32.to_be_bytes());
        check(1186, &bytes, "1 year 2 mons -2 days +00:01:30");
    }
}
