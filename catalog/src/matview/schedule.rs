//! Times of the clock at which a view is made anew: the five fields of cron, or six with seconds before them, in UTC.
//!
//! Owns: which times these are. Must never know: a view.
//! <https://man7.org/linux/man-pages/man5/crontab.5.html>

use chrono::{DateTime, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

/// Times of the clock, in the fields of cron.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule(Cron);

impl Schedule {
    /// `0 6 * * mon-fri`; an error says what is wrong.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
        let schedule = Self(parser.parse(text).map_err(|error| error.to_string())?);
        match schedule.next(Utc::now()) {
            Some(_) => Ok(schedule),
            None => Err("there is no such time".to_owned()),
        }
    }

    /// Whether one of its times has come since `last`.
    pub fn is_due(&self, last: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        self.next(last).is_some_and(|next| next <= now)
    }

    fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.0.find_next_occurrence(&after, false).ok()
    }

    /// As it is written.
    pub(super) fn text(&self) -> &str {
        self.0.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_due_when_one_of_its_times_has_come() {
        let time = |text: &str| format!("{text}Z").parse::<DateTime<Utc>>().unwrap();
        let cases = [
            // A Friday.
            ("0 6 * * *", "2026-11-27T06:00:00", "2026-11-28T05:59:59", false),
            ("0 6 * * *", "2026-11-27T06:00:00", "2026-11-28T06:00:00", true),
            ("0 6 * * *", "2026-11-27T05:59:59", "2026-11-27T06:00:00", true),
            ("*/15 * * * *", "2026-11-27T06:01:00", "2026-11-27T06:14:59", false),
            ("*/15 * * * *", "2026-11-27T06:01:00", "2026-11-27T09:00:00", true),
            ("0 6 * * mon-thu", "2026-11-27T00:00:00", "2026-11-29T23:59:59", false),
            ("0 6 * * mon-thu", "2026-11-27T00:00:00", "2026-11-30T06:00:00", true),
            ("0 0 * * 0", "2026-11-27T00:00:00", "2026-11-29T00:00:00", true),
            ("0 0 * * 7", "2026-11-27T00:00:00", "2026-11-29T00:00:00", true),
            ("30 0 */5 * * *", "2026-11-27T00:00:29", "2026-11-27T00:00:30", true),
            ("30 0 */5 * * *", "2026-11-27T00:00:30", "2026-11-27T05:00:29", false),
        ];
        for (schedule, last, now, expected) in cases {
            let found = Schedule::read(schedule).unwrap().is_due(time(last), time(now));
            assert_eq!(found, expected, "{schedule} from {last} to {now}");
        }
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for wrong in ["", "* * *", "60 * * * *", "* * * * * * *", "every day", "0 0 30 2 *"] {
            assert!(Schedule::read(wrong).is_err(), "{wrong}");
        }
    }
}
