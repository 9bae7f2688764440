//! Spans of time as people write them in options and properties.
//!
//! Owns: their units. Pure.

use std::time::Duration;

/// `5 minutes`, `1 h 30 min`.
pub(crate) fn interval(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|digits| *digits > 0)?;
        let (count, behind) = rest.split_at(digits);
        let behind = behind.trim_start();
        let end = behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(end);
        let seconds: u64 = match unit {
            "s" | "sec" | "secs" | "second" | "seconds" => 1,
            "min" | "mins" | "minute" | "minutes" => 60,
            "h" | "hour" | "hours" => 3_600,
            "d" | "day" | "days" => 86_400,
            "week" | "weeks" => 604_800,
            _ => return None,
        };
        total = total.checked_add(Duration::from_secs(count.parse::<u64>().ok()?.checked_mul(seconds)?))?;
        rest = behind.trim_start();
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_numbers_with_units() {
        let seconds = |text: &str| interval(text).map(|span| span.as_secs());
        assert_eq!(seconds("5 minutes"), Some(300));
        assert_eq!(seconds(" 1 h 30min "), Some(5_400));
        assert_eq!(seconds("1 week"), Some(604_800));
        for wrong in ["", "5", "minutes", "5 fortnights", "99999999999999999999 days", "-1 day"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
