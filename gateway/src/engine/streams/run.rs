//! One stream, from a lease to commits.
//!
//! Owns: the order of the steps by which every record is in the table once, wherever this process ends: what the table says of
//! offsets is in the commit of the rows, and is what the next run begins with. The lease saves work; the commit is the safety.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use catalog::{OnError, OnLost, Records, Reject, Start, Stream, StreamState};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::batch::Batch;
use super::known::{Committed, Known};
use super::table::Table;
use super::topic::Topic;
use crate::engine::Core;
use crate::error::{Error, Result, SqlState};

/// How often it is looked whether the stream shall stop.
const IDLE: Duration = Duration::from_millis(250);

/// How often another server is looked for that runs the stream, and may have ended.
const ELSEWHERE: Duration = Duration::from_secs(1);

/// A stream that fails rests longer each time.
const REST: Duration = Duration::from_secs(1);
const REST_MAX: Duration = Duration::from_secs(30);

/// How often it is asked whether the topic has more partitions.
const PARTITIONS: Duration = Duration::from_secs(60);

pub(super) struct Run {
    pub(super) core: Arc<Core>,
    pub(super) stream: Arc<Stream>,
    pub(super) known: Arc<Known>,
    pub(super) database: String,
    pub(super) stop: CancellationToken,
}

/// Why a stream has ended that has not failed.
enum Ended {
    Stopped,
    /// Its topic or its table is another: it begins anew from what the table says.
    Changed,
}

impl Run {
    /// Runs the stream wherever it may, until it is stopped.
    pub(super) async fn keep(self) {
        let mut failures: u32 = 0;
        while !self.stop.is_cancelled() {
            let rest = match self.leased().await {
                Ok(Some(Ended::Stopped)) => return,
                Ok(Some(Ended::Changed)) => {
                    failures = 0;
                    IDLE
                }
                Ok(None) => {
                    self.known.enter(StreamState::Elsewhere);
                    ELSEWHERE
                }
                Err(error) => {
                    let is_away = error.state == SqlState::ConnectionFailure;
                    let state = if is_away { StreamState::Unreachable } else { StreamState::Failed };
                    self.known.fail(state, &error);
                    tracing::warn!(stream = %self.stream.name, %error, detail = error.detail, "a stream has stopped");
                    failures = failures.saturating_add(1);
                    (REST * 2_u32.saturating_pow(failures - 1)).min(REST_MAX)
                }
            };
            if self.stop.run_until_cancelled(tokio::time::sleep(rest)).await.is_none() {
                return;
            }
        }
    }

    /// `None` if another server runs it.
    async fn leased(&self) -> Result<Option<Ended>> {
        let replica = self.core.matviews.replica();
        let Some(lease) = self.core.lake.stream_lease(&self.stream.name, replica).await? else { return Ok(None) };
        let ended = self.go().await;
        lease.release().await;
        ended.map(Some)
    }

    async fn go(&self) -> Result<Ended> {
        let Stream { options, .. } = &*self.stream;
        let brokers = self.core.streams.brokers(&self.stream)?;
        let mut table = Table::open(&self.core, &self.stream, &self.database).await?;
        let topic = Topic::open(&brokers, &options.topic, options.group.as_deref())?;
        let marks = topic.partitions().await?;
        let (mut offsets, lost) = self.begin(table.offsets(), &marks)?;
        if options.start == Start::Latest && table.offsets().is_empty() {
            // Who comes next shall begin where this run does.
            let mut nothing = Batch::new(&self.core);
            nothing.next.clone_from(&offsets);
            table.commit(nothing).await?;
        }
        topic.assign(&offsets)?;
        self.known.begin(offsets.clone(), lost);
        let mut asked_at = Instant::now();
        loop {
            let batch = self.batch(&topic, &table).await?;
            if batch.count == 0 {
                self.known.go_on();
            } else {
                match self.commit(&mut table, batch, &mut offsets).await {
                    Ok(()) => topic.tell(&offsets),
                    // Another server was faster, or the table is another.
                    Err(error) if error.state == SqlState::SerializationFailure => return Ok(Ended::Changed),
                    Err(error) => return Err(error),
                }
            }
            if self.stop.is_cancelled() {
                return Ok(Ended::Stopped);
            }
            if asked_at.elapsed() > PARTITIONS {
                asked_at = Instant::now();
                // While no broker answers that is told elsewhere.
                if topic.partitions().await.is_ok_and(|marks| marks.len() != offsets.len()) {
                    return Ok(Ended::Changed);
                }
            }
        }
    }

    /// Where each partition is read on, and how many records are gone that were not read.
    fn begin(
        &self,
        known: &BTreeMap<i32, u64>,
        marks: &BTreeMap<i32, (i64, i64)>,
    ) -> Result<(BTreeMap<i32, i64>, u64)> {
        let Stream { options, .. } = &*self.stream;
        let (mut offsets, mut lost) = (BTreeMap::new(), 0);
        for (partition, (first, end)) in marks {
            let offset = match known.get(partition) {
                Some(offset) => i64::try_from(*offset).unwrap_or(i64::MAX),
                // What came into a partition that is new came after the start.
                None if options.start == Start::Earliest || !known.is_empty() => *first,
                None => *end,
            };
            if (*first..=*end).contains(&offset) {
                offsets.insert(*partition, offset);
                continue;
            }
            let what = format!("partition {partition} of topic \"{}\"", options.topic);
            let has = format!("The table goes on with offset {offset}; the topic has {first} to {end}.");
            if offset > *end {
                // Offsets of another topic of this name say nothing of this one.
                let message = format!("{what} ends before the records that the table has");
                return Err(Error::new(SqlState::ObjectNotInPrerequisiteState, message).detail(has));
            }
            if options.on_lost == OnLost::Fail {
                let message = format!("records of {what} are gone that were not read");
                return Err(Error::new(SqlState::ObjectNotInPrerequisiteState, message)
                    .detail(has)
                    .hint("With on_lost = 'skip' the stream goes on, and counts them."));
            }
            lost += offset.abs_diff(*first);
            offsets.insert(*partition, *first);
        }
        Ok((offsets, lost))
    }

    /// The records of the next commit; none if there are none for a moment.
    async fn batch(&self, topic: &Topic, table: &Table) -> Result<Batch> {
        let options = &self.stream.options;
        let mut batch = Batch::new(&self.core);
        let idle = Instant::now() + IDLE;
        while !batch.is_full(options.batch_rows_max) && !self.stop.is_cancelled() {
            let due = batch.began_at().map(|began_at| began_at + options.commit_every);
            if due.unwrap_or(idle) <= Instant::now() {
                break;
            }
            let mut records = Records::default();
            let until = (Instant::now() + IDLE).min(due.unwrap_or(idle));
            topic.read(&mut records, until, options.batch_rows_max - batch.count).await?;
            let (ends, trouble) = topic.heard();
            self.known.hear(ends, trouble);
            if !records.is_empty() {
                batch.add(&self.core, table.decoder(), records).await?;
            }
            if options.on_error == OnError::Fail
                && let Some(reject) = batch.rejects.first()
            {
                return Err(poisoned(reject));
            }
        }
        Ok(batch)
    }

    async fn commit(&self, table: &mut Table, batch: Batch, offsets: &mut BTreeMap<i32, i64>) -> Result<()> {
        let (rejects, unknown_fields) = (batch.rejects.len() as u64, batch.unknown_fields);
        offsets.extend(&batch.next);
        let rows = table.commit(batch).await?;
        let committed = Committed { rows, rejects, unknown_fields, version: table.version() };
        self.known.commit(offsets.clone(), &committed);
        Ok(())
    }
}

/// What a stream stops with that takes no record that is no row.
fn poisoned(reject: &Reject) -> Error {
    let Reject { partition, offset, reason, .. } = reject;
    let message = format!("the record at offset {offset} of partition {partition} is no row of the table");
    Error::new(SqlState::DataException, message)
        .detail(format!("{reason}."))
        .hint("With on_error = 'reject' the stream goes on, and keeps it in the table of rejects.")
}
