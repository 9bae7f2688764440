//! Where replayed rows go: a topic, or a table by INSERT through the HTTP port of its server.
//!
//! Owns: that a row which did not arrive is a failure. Must never know: the pace.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use serde_json::Value;

use super::rows::Row;
use crate::cli::status::Server;
use crate::config::Config;
use crate::error::{Error, Result, SqlState};

/// Rows of one INSERT, which is one commit, and how long the first of them waits for the others.
const ROWS_MAX: usize = 500;
const AGE_MAX: Duration = Duration::from_secs(1);

/// How long the last records may take to arrive.
const FLUSH: Duration = Duration::from_secs(30);

pub(super) enum Sink {
    Topic { producer: BaseProducer<Arrivals>, topic: String },
    Table { server: Box<Server>, table: String, rows: Vec<Row>, since: Instant },
}

/// The first record that did not arrive.
#[derive(Clone, Default)]
pub(super) struct Arrivals(Arc<Mutex<Option<KafkaError>>>);

impl ClientContext for Arrivals {}

impl ProducerContext for Arrivals {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            self.0.lock().get_or_insert_with(|| error.clone());
        }
    }
}

impl Sink {
    pub(super) fn open(to: &str, url: Option<&str>, config: &Config) -> Result<Self> {
        let Some(rest) = to.strip_prefix("kafka://") else {
            let mut server = Server::at(url, config)?;
            server.login()?;
            return Ok(Self::Table {
                server: Box::new(server),
                table: to.to_owned(),
                rows: Vec::new(),
                since: Instant::now(),
            });
        };
        let named = rest.split_once('/').filter(|(brokers, topic)| !brokers.is_empty() && !topic.is_empty());
        let (brokers, topic) = named.ok_or_else(|| {
            Error::new(SqlState::InvalidParameterValue, format!("bad target \"{to}\""))
                .hint("It is as in kafka://broker:9092/topic.")
        })?;
        let mut settings = ClientConfig::new();
        settings
            .set("bootstrap.servers", brokers)
            .set("client.id", "lakegate-replay")
            .set("enable.idempotence", "true");
        settings.set("message.timeout.ms", "30000").set("linger.ms", "5");
        let producer = settings.create_with_context(Arrivals::default()).map_err(|error| failed(&error))?;
        Ok(Self::Topic { producer, topic: topic.to_owned() })
    }

    pub(super) fn send(&mut self, row: Row) -> Result<()> {
        match self {
            Self::Topic { producer, topic } => {
                let text = Value::Object(row).to_string();
                let mut record = BaseRecord::<(), str>::to(topic).payload(&text);
                while let Err((error, again)) = producer.send(record) {
                    if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                        return Err(failed(&error));
                    }
                    producer.poll(Duration::from_millis(100));
                    record = again;
                }
                producer.poll(Duration::ZERO);
                arrived(producer)
            }
            Self::Table { rows, since, .. } => {
                if rows.is_empty() {
                    *since = Instant::now();
                }
                rows.push(row);
                self.rest()
            }
        }
    }

    /// Does what is due while no row goes.
    pub(super) fn rest(&mut self) -> Result<()> {
        match self {
            Self::Topic { producer, .. } => {
                producer.poll(Duration::ZERO);
                arrived(producer)
            }
            Self::Table { rows, since, .. } if rows.len() >= ROWS_MAX || since.elapsed() >= AGE_MAX => self.flush(),
            Self::Table { .. } => Ok(()),
        }
    }

    /// Waits until all rows have arrived.
    pub(super) fn end(mut self) -> Result<()> {
        self.flush()
    }

    fn flush(&mut self) -> Result<()> {
        match self {
            Self::Topic { producer, .. } => {
                producer.flush(FLUSH).map_err(|error| failed(&error))?;
                arrived(producer)
            }
            Self::Table { rows, .. } if rows.is_empty() => Ok(()),
            Self::Table { server, table, rows, .. } => {
                server.query(&insert(table, &std::mem::take(rows)))?;
                Ok(())
            }
        }
    }
}

fn arrived(producer: &BaseProducer<Arrivals>) -> Result<()> {
    match producer.context().0.lock().take() {
        Some(error) => Err(failed(&error)),
        None => Ok(()),
    }
}

fn failed(error: &KafkaError) -> Error {
    Error::new(SqlState::ConnectionFailure, "could not write to the topic").detail(format!("{error}."))
}

/// One statement for rows that may have different keys. Each value is a literal of no type, which takes that of its column.
fn insert(table: &str, rows: &[Row]) -> String {
    let mut names: Vec<&String> = Vec::new();
    for name in rows.iter().flat_map(Row::keys) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let columns = names.iter().map(|name| format!("\"{}\"", name.replace('"', "\"\""))).collect::<Vec<_>>().join(", ");
    let literal = |value: Option<&Value>| match value {
        None | Some(Value::Null) => "NULL".to_owned(),
        Some(Value::String(text)) => format!("'{}'", text.replace('\'', "''")),
        Some(other) => format!("'{}'", other.to_string().replace('\'', "''")),
    };
    let row = |row: &Row| {
        let values: Vec<String> = names.iter().map(|name| literal(row.get(*name))).collect();
        format!("({})", values.join(", "))
    };
    let rows: Vec<String> = rows.iter().map(row).collect();
    format!("INSERT INTO {table} ({columns}) VALUES {}", rows.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_different_keys_are_one_statement() {
        let rows: Vec<Row> = [r#"{"a": 1, "b": "it's"}"#, r#"{"a": null, "C\"": [1]}"#]
            .map(|text| serde_json::from_str(text).unwrap())
            .into();
        let expected = "INSERT INTO s.t (\"a\", \"b\", \"C\"\"\") VALUES ('1', 'it''s', NULL), (NULL, NULL, '[1]')";
        assert_eq!(insert("s.t", &rows), expected);
    }
}
