//! Reads `P1Y2M3DT4H5M6.7S` and `P0001-02-03T04:05:06`, as `DecodeISO8601Interval` does.
//!
//! Owns: the two ISO 8601 forms of an interval.

use super::parse::{Failure, Sum, Unit, number, time};

/// The interval of a text that begins with `P`.
pub(super) fn parse(text: &str) -> Result<Sum, Failure> {
    let body = text.strip_prefix('P').ok_or(Failure::Syntax)?;
    let (date, clock) = match body.split_once('T') {
        Some((date, clock)) => (date, Some(clock)),
        None => (body, None),
    };
    if date.is_empty() && clock.is_none_or(str::is_empty) {
        return Err(Failure::Syntax);
    }
    let mut sum = Sum::default();
    if !designated(&mut sum, date, date_unit)? {
        for (part, unit) in date.split('-').zip([Unit::Year, Unit::Month, Unit::Day]) {
            let (whole, fraction) = number(part)?;
            sum.add(unit, whole, fraction)?;
        }
    }
    let Some(clock) = clock else { return Ok(sum) };
    if !designated(&mut sum, clock, time_unit)? {
        let micros = if clock.contains(':') { time(clock)? } else { number(clock)?.0 * super::MICROS_PER_HOUR };
        sum.add(Unit::Microsecond, micros, 0.0)?;
    }
    Ok(sum)
}

/// Adds up `1Y2M`; false when the text has numbers without a letter, which is the other form.
fn designated(sum: &mut Sum, text: &str, unit_of: fn(char) -> Option<Unit>) -> Result<bool, Failure> {
    if !text.is_empty() && !text.ends_with(|last: char| last.is_ascii_alphabetic()) {
        return Ok(false);
    }
    let mut rest = text;
    while let Some(end) = rest.find(|c: char| c.is_ascii_alphabetic()) {
        let (count, tail) = rest.split_at(end);
        let unit = tail.chars().next().and_then(unit_of).ok_or(Failure::Syntax)?;
        let (whole, fraction) = number(count)?;
        sum.add(unit, whole, fraction)?;
        rest = &tail[1..];
    }
    Ok(true)
}

fn date_unit(letter: char) -> Option<Unit> {
    Some(match letter {
        'Y' => Unit::Year,
        'M' => Unit::Month,
        'W' => Unit::Week,
        'D' => Unit::Day,
        _ => return None,
    })
}

fn time_unit(letter: char) -> Option<Unit> {
    Some(match letter {
        'H' => Unit::Hour,
        'M' => Unit::Minute,
        'S' => Unit::Second,
        _ => return None,
    })
}
