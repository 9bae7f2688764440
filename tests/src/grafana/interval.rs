//! Grafana's durations: how it reads them, writes them and rounds the one between two points of a panel.
//!
//! Owns: `grafana-plugin-sdk-go/backend/gtime` and `intervalv2` as far as panels need them.

use std::time::Duration;

const SECOND_MS: u64 = 1000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;
const YEAR_MS: u64 = 365 * DAY_MS;

/// Up to so many milliseconds the interval is rounded to so many.
const STEPS_MS: [(u64, u64); 30] = [
    (10, 1),
    (15, 10),
    (35, 20),
    (75, 50),
    (150, 100),
    (350, 200),
    (750, 500),
    (1_500, 1_000),
    (3_500, 2_000),
    (7_500, 5_000),
    (12_500, 10_000),
    (17_500, 15_000),
    (25_000, 20_000),
    (45_000, 30_000),
    (90_000, MINUTE_MS),
    (210_000, 2 * MINUTE_MS),
    (450_000, 5 * MINUTE_MS),
    (750_000, 10 * MINUTE_MS),
    (1_050_000, 15 * MINUTE_MS),
    (1_500_000, 20 * MINUTE_MS),
    (2_700_000, 30 * MINUTE_MS),
    (5_400_000, HOUR_MS),
    (9_000_000, 2 * HOUR_MS),
    (16_200_000, 3 * HOUR_MS),
    (32_400_000, 6 * HOUR_MS),
    (86_400_000, 12 * HOUR_MS),
    (604_800_000, DAY_MS),
    (1_814_400_000, 7 * DAY_MS),
    (3_628_799_999, 30 * DAY_MS),
    (u64::MAX, YEAR_MS),
];

/// The interval of a panel that shows `range` with at most `points` points, not below a minute.
pub fn rounded(range: Duration, points: u64) -> Duration {
    let exact_ms = range.as_millis() as u64 / points.max(1);
    let step_ms = STEPS_MS.iter().find(|(up_to, _)| exact_ms <= *up_to).map_or(YEAR_MS, |(_, step)| *step);
    Duration::from_millis(step_ms.max(MINUTE_MS))
}

/// Writes an interval in its largest unit, as `$__interval` has it: `1m`, `2h`, `3d`.
pub(super) fn format(interval: Duration) -> String {
    let ms = interval.as_millis() as u64;
    let units = [(YEAR_MS, "y"), (DAY_MS, "d"), (HOUR_MS, "h"), (MINUTE_MS, "m"), (SECOND_MS, "s"), (1, "ms")];
    match units.into_iter().find(|(unit_ms, _)| ms >= *unit_ms) {
        Some((unit_ms, name)) => format!("{}{name}", ms / unit_ms),
        None => "1ms".into(),
    }
}

/// Reads an interval in seconds: a whole number of `d`, `w`, `M` or `y`, else a duration of Go, as `1h30m` or `0.5s`.
pub(super) fn parse_s(text: &str) -> Result<f64, String> {
    let error = || format!("error parsing interval {text}");
    let calendar = [("d", DAY_MS), ("w", 7 * DAY_MS), ("M", 30 * DAY_MS), ("y", YEAR_MS)];
    for (unit, ms) in calendar {
        if let Some(Ok(count)) = text.strip_suffix(unit).map(str::parse::<u32>) {
            return Ok(f64::from(count) * (ms / SECOND_MS) as f64);
        }
    }
    let (mut seconds, mut rest) = (0.0, text);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(error)?;
        let (number, after) = rest.split_at(digits);
        let length = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, next) = after.split_at(length);
        let unit_s = match unit {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(error()),
        };
        seconds += number.parse::<f64>().map_err(|_| error())? * unit_s;
        rest = next;
    }
    if seconds > 0.0 { Ok(seconds) } else { Err(error()) }
}

/// Writes a number as Go's `%v` does: the shortest digits, with an exponent below 1e-04 and from 1e+06 on.
pub(super) fn go_float(value: f64) -> String {
    let exponent_form = format!("{value:e}");
    let Some((digits, exponent)) = exponent_form.split_once('e') else { return exponent_form };
    let Ok(exponent) = exponent.parse::<i32>() else { return exponent_form };
    if (-4..6).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_read_as_grafana_reads_them() {
        for (text, seconds) in
            [("5m", 300.0), ("1h30m", 5400.0), ("500ms", 0.5), ("0.5s", 0.5), ("1d", 86400.0), ("1w", 604800.0)]
        {
            assert_eq!(parse_s(text), Ok(seconds), "{text}");
        }
        assert_eq!(parse_s("1M"), Ok(2_592_000.0));
        assert_eq!(parse_s("1y"), Ok(31_536_000.0));
        for text in ["", "5", "5x", "m", "0s", "1.5d"] {
            assert!(parse_s(text).is_err(), "{text}");
        }
    }

    #[test]
    fn intervals_are_written_in_their_largest_unit() {
        for (ms, text) in [(0, "1ms"), (20, "20ms"), (60_000, "1m"), (5_400_000, "1h"), (7 * DAY_MS, "7d")] {
            assert_eq!(format(Duration::from_millis(ms)), text);
        }
    }

    #[test]
    fn numbers_are_written_as_go_writes_them() {
        for (value, text) in [
            (300.0, "300"),
            (0.5, "0.5"),
            (604_800.0, "604800"),
            (2_592_000.0, "2.592e+06"),
            (31_536_000.0, "3.1536e+07"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
        ] {
            assert_eq!(go_float(value), text);
        }
    }

    #[test]
    fn the_interval_follows_the_range() {
        assert_eq!(rounded(Duration::from_millis(YEAR_MS), 1000), Duration::from_millis(6 * HOUR_MS));
        assert_eq!(rounded(Duration::from_secs(3600), 1000), Duration::from_secs(60));
        assert_eq!(rounded(Duration::from_millis(60 * YEAR_MS), 100), Duration::from_millis(YEAR_MS));
    }
}
