//! What WITH (...) says of a stream.
//!
//! Owns: the names of the options and their values. Pure.

use std::time::Duration;

use crate::interval::interval;

/// Where a stream reads, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// `host:port` each; none are all of the configuration.
    pub brokers: Vec<String>,
    pub topic: String,
    pub format: Format,
    /// What the brokers know it as; its offsets are told to them, and never asked of them.
    pub group: Option<String>,
    pub start: Start,
    /// A commit has the records of so long.
    pub commit_every: Duration,
    /// A commit has no more rows.
    pub batch_rows_max: usize,
    pub on_error: OnError,
    pub on_lost: OnLost,
    pub is_paused: bool,
    /// As they were written.
    pairs: Vec<(String, String)>,
}

/// What the value of a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One object.
    Json,
    /// One line, without a header.
    Csv { delimiter: u8 },
}

/// Where a stream begins that has no offset in its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    Earliest,
    Latest,
}

/// What becomes of a record that is no row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// It goes to the table of rejects.
    Reject,
    /// The stream stops before it.
    Fail,
}

/// What is done where the topic has records no more that were not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnLost {
    Fail,
    /// It goes on with those that are there, and counts the others.
    Skip,
}

const NAMES: &str = "brokers, topic, format, delimiter, group, start, commit_every, max_batch_rows, on_error, on_lost \
                     and paused";
const COMMIT_EVERY: Duration = Duration::from_secs(2);
const COMMIT_EVERY_MIN: Duration = Duration::from_millis(100);
const COMMIT_EVERY_MAX: Duration = Duration::from_secs(3_600);
const BATCH_ROWS_MAX: usize = 100_000;
const BATCH_ROWS_MOST: usize = 1_000_000;

impl Options {
    /// Reads names with their values; an error says what is wrong, as PostgreSQL would.
    pub(crate) fn read(pairs: &[(String, String)]) -> Result<Self, String> {
        let mut options = Self {
            brokers: Vec::new(),
            topic: String::new(),
            format: Format::Json,
            group: None,
            start: Start::Earliest,
            commit_every: COMMIT_EVERY,
            batch_rows_max: BATCH_ROWS_MAX,
            on_error: OnError::Reject,
            on_lost: OnLost::Fail,
            is_paused: false,
            pairs: pairs.to_vec(),
        };
        let mut delimiter = None;
        for (at, (name, value)) in pairs.iter().enumerate() {
            if pairs.iter().take(at).any(|(known, _)| known == name) {
                return Err(format!("parameter \"{name}\" specified more than once"));
            }
            match name.as_str() {
                "delimiter" => delimiter = Some(self::delimiter(value)?),
                _ => options.set(name, value)?,
            }
        }
        if options.topic.is_empty() {
            return Err("a stream has a topic; write topic = 'name'".to_owned());
        }
        match (&mut options.format, delimiter) {
            (_, None) => {}
            (Format::Csv { delimiter }, Some(given)) => *delimiter = given,
            (Format::Json, Some(_)) => return Err("parameter \"delimiter\" is of format csv".to_owned()),
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "brokers" => self.brokers = brokers(value)?,
            "topic" => self.topic = topic(value)?,
            "format" => {
                self.format = one_of(name, value, &[("json", Format::Json), ("csv", Format::Csv { delimiter: b',' })])?
            }
            "group" => self.group = Some(value.to_owned()).filter(|group| !group.is_empty()),
            "start" => self.start = one_of(name, value, &[("earliest", Start::Earliest), ("latest", Start::Latest)])?,
            "commit_every" => self.commit_every = commit_every(value)?,
            "max_batch_rows" => self.batch_rows_max = rows(value)?,
            "on_error" => self.on_error = one_of(name, value, &[("reject", OnError::Reject), ("fail", OnError::Fail)])?,
            "on_lost" => self.on_lost = one_of(name, value, &[("fail", OnLost::Fail), ("skip", OnLost::Skip)])?,
            "paused" => {
                self.is_paused = one_of(name, value, &[("true", true), ("on", true), ("false", false), ("off", false)])?
            }
            _ => return Err(format!("unrecognized parameter \"{name}\"; there are {NAMES}")),
        }
        Ok(())
    }

    /// The same, paused or not.
    pub fn paused(&self, is_paused: bool) -> Self {
        let mut options = Self { is_paused, ..self.clone() };
        options.pairs.retain(|(name, _)| name != "paused");
        if is_paused {
            options.pairs.push(("paused".to_owned(), "true".to_owned()));
        }
        options
    }

    pub(super) fn text(&self) -> String {
        let pair = |(name, value): &(String, String)| format!("{name} = '{}'", value.replace('\'', "''"));
        self.pairs.iter().map(pair).collect::<Vec<_>>().join(", ")
    }
}

fn one_of<T: Copy>(name: &str, value: &str, known: &[(&str, T)]) -> Result<T, String> {
    let found = known.iter().find(|(word, _)| value.trim().eq_ignore_ascii_case(word));
    found.map(|(_, value)| *value).ok_or_else(|| {
        let known = known.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        format!("invalid value for parameter \"{name}\": \"{value}\"; there are {known}")
    })
}

fn brokers(value: &str) -> Result<Vec<String>, String> {
    let brokers: Vec<String> = value.split(',').map(|broker| broker.trim().to_owned()).collect();
    let is_one = |broker: &String| {
        broker.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
    };
    match brokers.iter().all(is_one) {
        true => Ok(brokers),
        false => {
            Err(format!("invalid value for parameter \"brokers\": \"{value}\"; it is as in 'host:9092, other:9092'"))
        }
    }
}

/// As brokers have them. <https://kafka.apache.org/documentation/#topicconfigs>
fn topic(value: &str) -> Result<String, String> {
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let is_named = !value.is_empty() && value.len() <= 249 && !matches!(value, "." | "..");
    match is_named && value.bytes().all(is_one) {
        true => Ok(value.to_owned()),
        false => Err(format!("invalid value for parameter \"topic\": \"{value}\"")),
    }
}

fn commit_every(value: &str) -> Result<Duration, String> {
    let lower = value.trim().to_lowercase();
    let millis = lower.strip_suffix("ms").map(|count| count.trim().parse().ok().map(Duration::from_millis));
    let span = millis.unwrap_or_else(|| interval(&lower)).ok_or_else(|| {
        format!("invalid value for parameter \"commit_every\": \"{value}\"; it is a span of time, as in '2 seconds'")
    })?;
    if !(COMMIT_EVERY_MIN..=COMMIT_EVERY_MAX).contains(&span) {
        return Err(format!("{value} is outside the valid range for parameter \"commit_every\" (100 ms .. 1 hour)"));
    }
    Ok(span)
}

fn rows(value: &str) -> Result<usize, String> {
    let rows = value.trim().parse().ok().filter(|rows| (1..=BATCH_ROWS_MOST).contains(rows));
    rows.ok_or_else(|| {
        format!("{value} is outside the valid range for parameter \"max_batch_rows\" (1 .. {BATCH_ROWS_MOST})")
    })
}

fn delimiter(value: &str) -> Result<u8, String> {
    match value.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | b'"') => Ok(*byte),
        _ => Err("parameter \"delimiter\" is one ASCII character, or 'tab'".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Options, String> {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Options::read(&pairs)
    }

    #[test]
    fn options_have_defaults_and_are_written_as_they_were() {
        let options = read(&[("topic", "t"), ("brokers", "a:1, b:2"), ("commit_every", "250 ms")]).unwrap();
        assert_eq!(options.brokers, ["a:1", "b:2"]);
        assert_eq!(
            (options.start, options.on_error, options.on_lost),
            (Start::Earliest, OnError::Reject, OnLost::Fail)
        );
        assert_eq!(options.commit_every, Duration::from_millis(250));
        assert_eq!(options.text(), "topic = 't', brokers = 'a:1, b:2', commit_every = '250 ms'");
        let paused = options.paused(true);
        assert!(paused.is_paused && paused.text().ends_with(", paused = 'true'"));
        assert_eq!(paused.paused(false), options);
    }

    #[test]
    fn wrong_options_say_what_there_is() {
        let cases: [(&[(&str, &str)], &str); 10] = [
            (&[("format", "json")], "a stream has a topic"),
            (&[("topic", "t"), ("format", "avro")], "there are json, csv"),
            (&[("topic", "a/b")], "invalid value for parameter \"topic\""),
            (&[("topic", "t"), ("brokers", "nowhere")], "it is as in 'host:9092"),
            (&[("topic", "t"), ("start", "now")], "there are earliest, latest"),
            (&[("topic", "t"), ("commit_every", "1 ms")], "outside the valid range"),
            (&[("topic", "t"), ("max_batch_rows", "0")], "outside the valid range"),
            (&[("topic", "t"), ("delimiter", ";")], "is of format csv"),
            (&[("topic", "t"), ("topic", "t")], "specified more than once"),
            (&[("topic", "t"), ("acks", "all")], "unrecognized parameter \"acks\""),
        ];
        for (pairs, expected) in cases {
            let error = read(pairs).unwrap_err();
            assert!(error.contains(expected), "{pairs:?}: {error}");
        }
    }
}
