//! How fast rows go, and what is said to change it. Pure.

use std::fmt;
use std::time::Duration;

const INTERVAL_MAX: Duration = Duration::from_secs(3_600);

/// Where `+` ends that halves an interval, and `-` begins that doubles it.
const LEAST: Duration = Duration::from_micros(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    pub(super) interval: Duration,
    pub(super) is_paused: bool,
}

/// What a line has said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Changed,
    Quit,
    Unknown,
}

impl Pace {
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, is_paused: false }
    }

    pub(super) fn hear(&mut self, line: &str) -> Told {
        let line = line.trim().to_ascii_lowercase();
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line.as_str(), ""));
        match (word, rest.trim()) {
            ("+", "") if self.interval <= LEAST => self.interval = Duration::ZERO,
            ("+", "") => self.interval /= 2,
            ("-", "") => self.interval = (self.interval.max(LEAST) * 2).min(INTERVAL_MAX),
            ("pause", "") => self.is_paused = true,
            ("resume", "") => self.is_paused = false,
            ("quit", "") => return Told::Quit,
            ("interval", rest) => match interval(rest) {
                Some(interval) => self.interval = interval,
                None => return Told::Unknown,
            },
            ("rate", rest) => match rest.parse::<f64>() {
                Ok(rate) if rate.is_finite() && rate >= 1.0 / INTERVAL_MAX.as_secs_f64() => {
                    self.interval = Duration::from_secs_f64(1.0 / rate);
                }
                _ => return Told::Unknown,
            },
            _ => return Told::Unknown,
        }
        Told::Changed
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paused = if self.is_paused { ", paused" } else { "" };
        if self.interval.is_zero() {
            return write!(f, "as fast as it goes{paused}");
        }
        write!(f, "{:?} a row, {:.1} rows/s{paused}", self.interval, 1.0 / self.interval.as_secs_f64())
    }
}

/// `50ms`, `2s`, `0`.
pub(super) fn interval(text: &str) -> Option<Duration> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse().ok()?;
    let seconds = match unit.trim() {
        "us" => number / 1e6,
        "ms" => number / 1e3,
        "s" => number,
        "" if number == 0.0 => 0.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok().filter(|interval| *interval <= INTERVAL_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_changed_by_what_is_said() {
        let mut pace = Pace::new(Duration::from_millis(50));
        for (said, told, millis) in [
            ("+", Told::Changed, 25.0),
            ("-", Told::Changed, 50.0),
            (" rate 100 ", Told::Changed, 10.0),
            ("interval 2s", Told::Changed, 2_000.0),
            ("rate 0", Told::Unknown, 2_000.0),
            ("interval soon", Told::Unknown, 2_000.0),
            ("faster", Told::Unknown, 2_000.0),
            ("INTERVAL 0", Told::Changed, 0.0),
            ("+", Told::Changed, 0.0),
            ("quit", Told::Quit, 0.0),
        ] {
            assert_eq!(pace.hear(said), told, "{said}");
            assert_eq!(pace.interval.as_secs_f64() * 1e3, millis, "{said}");
        }
        assert_eq!((pace.hear("pause"), pace.is_paused), (Told::Changed, true));
        assert_eq!((pace.hear("resume"), pace.is_paused), (Told::Changed, false));
        for wrong in ["", "50", "ms", "-1s", "2h", "99999s"] {
            assert_eq!(interval(wrong), None, "{wrong}");
        }
    }
}
