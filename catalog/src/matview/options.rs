//! What WITH (...) says of a materialized view.
//!
//! Owns: the names of the options and their values. Pure.

use std::time::Duration;

use super::schedule::Schedule;
use crate::interval::interval;

/// How a materialized view is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    pub refresh: Refresh,
    pub policy: Policy,
    /// Columns by whose values its rows lie in folders.
    pub partition_by: Vec<String>,
    /// Whether jobs leave it alone.
    pub is_suspended: bool,
    /// How old its rows may be for a query of a client.
    pub max_staleness: Option<Duration>,
    pub on_stale: OnStale,
}

/// When it is made anew without being asked to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Refresh {
    #[default]
    Manual,
    Every(Duration),
    /// At times of the clock.
    Cron(Schedule),
    /// When a file that it is made of has come, changed or gone; not before nothing has changed for so long.
    OnChange {
        debounce: Duration,
    },
    /// When a materialized view that it is made of has changed.
    Downstream,
}

/// How much may be read again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Policy {
    /// As little as can be.
    #[default]
    Auto,
    /// A query of which always everything has to be read is refused.
    Incremental,
    /// A refresh that has to read everything fails, but the first one.
    IncrementalStrict,
    /// Everything.
    Full,
}

/// What is answered where the rows of a view are older than they may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnStale {
    /// The rows that are there.
    #[default]
    Serve,
    /// 55000.
    Error,
    /// What its query gives now.
    Base,
}

/// Shorter intervals would be spent on listings.
const EVERY_MIN: Duration = Duration::from_secs(1);

const REFRESH: &str = "refresh is manual, on_change, downstream, or as in 'every 5 minutes' and 'cron 0 6 * * *'";

impl Options {
    /// Reads names with their values; an error says what is wrong, as PostgreSQL would.
    pub(crate) fn read(pairs: &[(String, String)]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut seen: Vec<&str> = Vec::new();
        for (name, value) in pairs {
            if seen.contains(&name.as_str()) {
                return Err(format!("parameter \"{name}\" specified more than once"));
            }
            seen.push(name);
            match name.as_str() {
                "refresh" => options.refresh = refresh(value)?,
                "refresh_policy" => options.policy = policy(value)?,
                "partition_by" => options.partition_by = columns(value)?,
                "suspended" => options.is_suspended = switch(value)?,
                "max_staleness" => options.max_staleness = max_staleness(value)?,
                "on_stale" => options.on_stale = on_stale(value)?,
                _ => {
                    return Err(format!(
                        "unrecognized parameter \"{name}\"; there are refresh, refresh_policy, partition_by, max_staleness, \
                         on_stale and suspended"
                    ));
                }
            }
        }
        Ok(options)
    }
}

impl Options {
    /// These with other values of some.
    pub(super) fn changed(&self, pairs: &[(String, String)]) -> Result<Self, String> {
        let given = Self::read(pairs)?;
        let is_given = |name: &str| pairs.iter().any(|(given, _)| given == name);
        let mut options = self.clone();
        if is_given("refresh") {
            options.refresh = given.refresh;
        }
        if is_given("refresh_policy") {
            options.policy = given.policy;
        }
        if is_given("suspended") {
            options.is_suspended = given.is_suspended;
        }
        if is_given("max_staleness") {
            options.max_staleness = given.max_staleness;
        }
        if is_given("on_stale") {
            options.on_stale = given.on_stale;
        }
        match is_given("partition_by") && given.partition_by != self.partition_by {
            true => Err("partition_by cannot be changed; drop the view and create it anew".to_owned()),
            false => Ok(options),
        }
    }

    /// Those that are not as if they were not given, as they are written.
    pub(super) fn text(&self) -> String {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let mut written = Vec::new();
        if self.refresh != Refresh::default() {
            written.push(format!("refresh = {}", quoted(&self.refresh.text())));
        }
        if self.policy != Policy::default() {
            written.push(format!("refresh_policy = {}", quoted(self.policy.text())));
        }
        if !self.partition_by.is_empty() {
            written.push(format!("partition_by = {}", quoted(&self.partition_by.join(", "))));
        }
        if let Some(max_staleness) = self.max_staleness {
            written.push(format!("max_staleness = {}", quoted(&interval_text(max_staleness))));
        }
        if self.on_stale != OnStale::default() {
            written.push(format!("on_stale = {}", quoted(self.on_stale.text())));
        }
        if self.is_suspended {
            written.push("suspended = true".to_owned());
        }
        written.join(", ")
    }
}

impl Refresh {
    /// As the option is written.
    pub fn text(&self) -> String {
        match self {
            Self::Manual => "manual".to_owned(),
            Self::Every(interval) => format!("every {}", interval_text(*interval)),
            Self::Cron(schedule) => format!("cron {}", schedule.text()),
            Self::OnChange { debounce } if debounce.is_zero() => "on_change".to_owned(),
            Self::OnChange { debounce } => format!("on_change debounce {}", interval_text(*debounce)),
            Self::Downstream => "downstream".to_owned(),
        }
    }
}

impl Policy {
    /// As the option is written.
    pub fn text(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Incremental => "incremental",
            Self::IncrementalStrict => "incremental_strict",
            Self::Full => "full",
        }
    }
}

impl OnStale {
    pub const ALL: [Self; 3] = [Self::Serve, Self::Error, Self::Base];

    /// As the option is written.
    pub fn text(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Error => "error",
            Self::Base => "base",
        }
    }
}

fn refresh(value: &str) -> Result<Refresh, String> {
    let lower = value.trim().to_lowercase();
    let wrong = || format!("invalid value for parameter \"refresh\": \"{value}\"; {REFRESH}");
    match lower.split_once(char::is_whitespace) {
        None => match lower.as_str() {
            "manual" => Ok(Refresh::Manual),
            "on_change" => Ok(Refresh::OnChange { debounce: Duration::ZERO }),
            "downstream" => Ok(Refresh::Downstream),
            _ => Err(wrong()),
        },
        Some(("every", rest)) => {
            let every = interval(rest).ok_or_else(wrong)?;
            if every < EVERY_MIN {
                return Err(format!("{value} is outside the valid range for parameter \"refresh\" (at least 1 s)"));
            }
            Ok(Refresh::Every(every))
        }
        Some(("cron", rest)) => match Schedule::read(rest.trim()) {
            Ok(schedule) => Ok(Refresh::Cron(schedule)),
            Err(reason) => Err(format!("{}; {reason}", wrong())),
        },
        Some(("on_change", rest)) => {
            let rest = rest.trim_start().strip_prefix("debounce").ok_or_else(wrong)?;
            Ok(Refresh::OnChange { debounce: interval(rest).ok_or_else(wrong)? })
        }
        Some(_) => Err(wrong()),
    }
}

fn policy(value: &str) -> Result<Policy, String> {
    let all = [Policy::Auto, Policy::Incremental, Policy::IncrementalStrict, Policy::Full];
    let found = all.into_iter().find(|policy| value.trim().eq_ignore_ascii_case(policy.text()));
    found.ok_or_else(|| {
        let known = all.map(Policy::text).join(", ");
        format!("invalid value for parameter \"refresh_policy\": \"{value}\"; there are {known}")
    })
}

fn max_staleness(value: &str) -> Result<Option<Duration>, String> {
    if value.trim().eq_ignore_ascii_case("none") {
        return Ok(None);
    }
    interval(&value.to_lowercase()).map(Some).ok_or_else(|| {
        format!(
            "invalid value for parameter \"max_staleness\": \"{value}\"; it is a span of time, as in '10 minutes', or none"
        )
    })
}

fn on_stale(value: &str) -> Result<OnStale, String> {
    let found = OnStale::ALL.into_iter().find(|known| value.trim().eq_ignore_ascii_case(known.text()));
    found.ok_or_else(|| {
        let known = OnStale::ALL.map(OnStale::text).join(", ");
        format!("invalid value for parameter \"on_stale\": \"{value}\"; there are {known}")
    })
}

fn switch(value: &str) -> Result<bool, String> {
    match value.trim().to_lowercase().as_str() {
        "true" | "on" | "yes" | "1" => Ok(true),
        "false" | "off" | "no" | "0" => Ok(false),
        _ => Err(format!("parameter \"suspended\" requires a Boolean value, and not \"{value}\"")),
    }
}

fn columns(value: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = value.split(',').map(|name| name.trim().to_owned()).collect();
    match names.iter().any(String::is_empty) {
        true => Err(format!("invalid value for parameter \"partition_by\": \"{value}\"; it names columns")),
        false => Ok(names),
    }
}

pub(crate) fn interval_text(interval: Duration) -> String {
    let seconds = interval.as_secs();
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let whole = units.into_iter().find(|(unit, _)| seconds >= *unit && seconds.is_multiple_of(*unit));
    let (count, unit) = whole.map_or((seconds, "second"), |(unit, name)| (seconds / unit, name));
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Options, String> {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Options::read(&pairs)
    }

    #[test]
    fn options_are_read_and_written() {
        let options = read(&[
            ("refresh", "Every 90 min"),
            ("refresh_policy", "incremental_strict"),
            ("partition_by", "day, Region"),
        ]);
        let options = options.unwrap();
        assert_eq!(options.refresh, Refresh::Every(Duration::from_secs(5_400)));
        assert_eq!(options.refresh.text(), "every 90 minutes");
        assert_eq!((options.policy, options.policy.text()), (Policy::IncrementalStrict, "incremental_strict"));
        assert_eq!(options.partition_by, ["day", "Region"]);
        for text in
            ["manual", "on_change", "on_change debounce 30 seconds", "downstream", "every 1 day", "cron 0 6 * * 1-5"]
        {
            assert_eq!(read(&[("refresh", text)]).unwrap().refresh.text(), text);
        }
    }

    #[test]
    fn options_are_changed_and_written_back() {
        let options = read(&[("refresh", "every 1 hour"), ("partition_by", "a, b")]).unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let changed = options.changed(&[pair("refresh_policy", "full"), pair("suspended", "on")]).unwrap();
        assert_eq!(
            changed.text(),
            "refresh = 'every 1 hour', refresh_policy = 'full', partition_by = 'a, b', suspended = true"
        );
        assert_eq!(
            changed.changed(&[pair("refresh", "manual"), pair("suspended", "off")]).unwrap().refresh,
            Refresh::Manual
        );
        let bounded = options.changed(&[pair("max_staleness", "90 min"), pair("on_stale", "Base")]).unwrap();
        assert_eq!(
            bounded.text(),
            "refresh = 'every 1 hour', partition_by = 'a, b', max_staleness = '90 minutes', on_stale = 'base'"
        );
        assert_eq!(bounded.changed(&[pair("max_staleness", "none"), pair("on_stale", "serve")]).unwrap(), options);
        assert!(options.changed(&[pair("partition_by", "a")]).is_err());
        assert!(options.changed(&[pair("suspended", "perhaps")]).is_err());
        assert_eq!(Options::default().text(), "");
    }

    #[test]
    fn wrong_options_say_what_there_is() {
        let cases = [
            (&[("refresh", "sometimes")][..], "invalid value for parameter \"refresh\""),
            (&[("refresh", "every")], "invalid value"),
            (&[("refresh", "every 5")], "invalid value"),
            (&[("refresh", "every 99999999999999999999 days")], "invalid value"),
            (&[("refresh", "every 0 s")], "outside the valid range"),
            (&[("refresh", "cron 0 6 * *")], "invalid value for parameter \"refresh\""),
            (&[("refresh", "on_change soon")], "invalid value"),
            (&[("refresh_policy", "never")], "there are auto, incremental, incremental_strict, full"),
            (&[("max_staleness", "soon")], "it is a span of time"),
            (&[("on_stale", "wait")], "there are serve, error, base"),
            (&[("partition_by", "a,,b")], "it names columns"),
            (&[("fillfactor", "70")], "unrecognized parameter \"fillfactor\""),
            (&[("refresh", "manual"), ("refresh", "manual")], "specified more than once"),
        ];
        for (pairs, expected) in cases {
            let error = read(pairs).unwrap_err();
            assert!(error.contains(expected), "{pairs:?}: {error}");
        }
    }
}
