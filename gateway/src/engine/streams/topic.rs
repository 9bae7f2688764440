//! A topic as librdkafka reads it. <https://docs.rs/rdkafka/0.39>
//!
//! Owns: the one connection of a stream to its brokers. Offsets are told to it, and never asked of a group: those of the table are
//! the ones that count. Must never know: what a record means.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use catalog::Records;
use futures::StreamExt;
use parking_lot::Mutex;
use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{CommitMode, Consumer, ConsumerContext, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::Message;
use rdkafka::statistics::Statistics;
use rdkafka::{Offset, TopicPartitionList};
use tokio::time::Instant;

use crate::error::{Error, Result, SqlState};

/// How long a question to the brokers may take.
const ASK: Duration = Duration::from_secs(5);

/// Records are given on in chunks of so many, or of so many bytes.
const CHUNK_RECORDS: usize = 4_096;
const CHUNK_BYTES: usize = 1 << 20;

/// What librdkafka may hold of records that nobody has taken.
const QUEUED_KBYTES_MAX: &str = "16384";

/// A topic that is read.
pub(super) struct Topic {
    name: String,
    consumer: Arc<StreamConsumer<Watch>>,
    /// Whether its offsets are told to the group, for those who watch it.
    tells_group: bool,
}

/// What the brokers tell by the way.
#[derive(Clone, Default)]
struct Watch(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    ends: BTreeMap<i32, i64>,
    /// Whether no broker answers.
    is_away: bool,
    trouble: Option<String>,
}

impl ClientContext for Watch {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(facility, message, "librdkafka");
    }

    fn stats(&self, statistics: Statistics) {
        let mut heard = self.0.lock();
        heard.is_away = statistics.brokers.values().all(|broker| broker.state != "UP");
        let partitions = statistics.topics.values().flat_map(|topic| &topic.partitions);
        let ends = partitions.filter(|(partition, told)| **partition >= 0 && told.hi_offset >= 0);
        heard.ends = ends.map(|(partition, told)| (*partition, told.hi_offset)).collect();
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "librdkafka");
        self.0.lock().trouble = Some(reason.to_owned());
    }
}

impl ConsumerContext for Watch {}

impl Topic {
    pub(super) fn open(brokers: &[String], topic: &str, group: Option<&str>) -> Result<Self> {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", brokers.join(","))
            .set("client.id", "lakegate")
            .set("group.id", group.unwrap_or("lakegate"))
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "error")
            .set("allow.auto.create.topics", "false")
            .set("check.crcs", "true")
            .set("isolation.level", "read_committed")
            .set("queued.max.messages.kbytes", QUEUED_KBYTES_MAX)
            .set("reconnect.backoff.max.ms", "5000")
            .set("statistics.interval.ms", "500");
        let consumer = config.create_with_context(Watch::default()).map_err(|error| failed(&error))?;
        Ok(Self { name: topic.to_owned(), consumer: Arc::new(consumer), tells_group: group.is_some() })
    }

    /// The partitions that it has, each with its first offset and the one behind its last.
    pub(super) async fn partitions(&self) -> Result<BTreeMap<i32, (i64, i64)>> {
        let (consumer, name) = (Arc::clone(&self.consumer), self.name.clone());
        let asking = tokio::task::spawn_blocking(move || {
            let metadata = consumer.fetch_metadata(Some(&name), ASK).map_err(|error| unreachable(&error))?;
            let topic = metadata.topics().iter().find(|topic| topic.name() == name);
            let missing = || Error::new(SqlState::UndefinedObject, format!("topic \"{name}\" does not exist"));
            let topic = topic.filter(|topic| !topic.partitions().is_empty()).ok_or_else(missing)?;
            let ids = topic.partitions().iter().map(rdkafka::metadata::MetadataPartition::id);
            let mark = |id: i32| match consumer.fetch_watermarks(&name, id, ASK) {
                Ok(marks) => Ok((id, marks)),
                Err(error) => Err(unreachable(&error)),
            };
            ids.map(mark).collect()
        });
        asking.await.map_err(Error::internal)?
    }

    /// Reads on from these offsets.
    pub(super) fn assign(&self, offsets: &BTreeMap<i32, i64>) -> Result<()> {
        let assignment = self.list(offsets)?;
        self.consumer.assign(&assignment).map_err(|error| failed(&error))
    }

    /// Takes records until it is time, or they are so many, or enough to be given on.
    pub(super) async fn read(&self, records: &mut Records, until: Instant, records_max: usize) -> Result<()> {
        let mut messages = self.consumer.stream();
        while records.len() < records_max.min(CHUNK_RECORDS) && records.bytes() < CHUNK_BYTES {
            let Ok(message) = tokio::time::timeout_at(until, messages.next()).await else { return Ok(()) };
            match message {
                None => return Err(Error::internal("a topic ended")),
                Some(Ok(message)) => {
                    let timestamp = message.timestamp().to_millis().filter(|millis| *millis >= 0);
                    records.push(message.partition(), message.offset(), timestamp, message.payload());
                }
                Some(Err(error)) if passes(&error) => tracing::debug!(%error, topic = self.name, "a topic is not read"),
                Some(Err(error)) => return Err(failed(&error)),
            }
        }
        Ok(())
    }

    /// How far the topic goes, and what is wrong while no broker answers.
    pub(super) fn heard(&self) -> (BTreeMap<i32, i64>, Option<String>) {
        let heard = self.consumer.context().0.lock();
        let trouble = heard.trouble.clone().unwrap_or_else(|| "no broker answers".to_owned());
        (heard.ends.clone(), heard.is_away.then_some(trouble))
    }

    /// Tells the group, if it has one, what is in the table.
    pub(super) fn tell(&self, offsets: &BTreeMap<i32, i64>) {
        let told = match self.tells_group {
            true => self.list(offsets).map(|list| self.consumer.commit(&list, CommitMode::Async)),
            false => return,
        };
        if let Ok(Err(error)) = told {
            tracing::debug!(%error, topic = self.name, "the group of a stream was not told");
        }
    }

    fn list(&self, offsets: &BTreeMap<i32, i64>) -> Result<TopicPartitionList> {
        let mut list = TopicPartitionList::with_capacity(offsets.len());
        for (partition, offset) in offsets {
            list.add_partition_offset(&self.name, *partition, Offset::Offset(*offset))
                .map_err(|error| failed(&error))?;
        }
        Ok(list)
    }
}

/// Whether librdkafka goes on by itself after an error.
fn passes(error: &KafkaError) -> bool {
    let lasts = [
        Code::AutoOffsetReset,
        Code::OffsetOutOfRange,
        Code::UnknownTopic,
        Code::UnknownPartition,
        Code::UnknownTopicOrPartition,
        Code::TopicAuthorizationFailed,
    ];
    match error {
        KafkaError::MessageConsumption(code) => !lasts.contains(code),
        _ => false,
    }
}

fn unreachable(error: &KafkaError) -> Error {
    match error.rdkafka_error_code() {
        Some(Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::TopicAuthorizationFailed) => failed(error),
        _ => Error::new(SqlState::ConnectionFailure, "no broker answers").detail(format!("{error}.")),
    }
}

fn failed(error: &KafkaError) -> Error {
    Error::new(SqlState::IoError, "could not read the topic").detail(format!("{error}."))
}
