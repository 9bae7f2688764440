//! Reads a file part by part, some of them side by side, and gives the rows in their order.
//!
//! Owns: how many parts are read at a time, and on which line each starts. Must never know: values.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::runtime::SpawnedTask;

use super::parts::{Parts, Stop};
use super::rejects::Rejects;
use super::rows::{Part, Rows, Start, Wanted, Wrong};
use crate::Error;
use crate::pinned::Pinned;

/// A file that is being read.
pub(crate) struct Reader {
    rows: Arc<Rows>,
    parts: Parts,
    rejects: Option<Arc<Rejects>>,
    left_out: u64,
    /// Whether the lines before the first record are still to be skipped.
    is_at_start: bool,
    /// Of the next part that is not read beside others.
    start: Start,
    /// What the last part did not use, where records are left out.
    unused: String,
    running: VecDeque<SpawnedTask<Result<Part, Wrong>>>,
    stopped: Option<Stop>,
    /// Lines before the part whose rows come next.
    lines_before: u64,
    ready: std::vec::IntoIter<RecordBatch>,
}

impl Reader {
    pub(crate) fn open(file: &Arc<Pinned>, wanted: Wanted) -> Result<Self, Error> {
        let rejects = wanted.plan.rejects(file.key()).map(Arc::clone);
        let layout = &wanted.layout;
        Ok(Self {
            parts: Parts::open(file, layout.encoding),
            rejects,
            left_out: 0,
            is_at_start: true,
            start: Start { header: layout.header, skip_lines: 0 },
            unused: String::new(),
            running: VecDeque::new(),
            stopped: None,
            lines_before: layout.skip_lines,
            ready: Vec::new().into_iter(),
            rows: Arc::new(Rows::new(file, wanted)?),
        })
    }

    /// How many records were left out so far.
    pub(crate) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The next rows; `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<RecordBatch>, Error> {
        if std::mem::take(&mut self.is_at_start) {
            self.parts.skip_lines(self.rows.wanted.layout.skip_lines).await?;
        }
        loop {
            if let Some(batch) = self.ready.next() {
                return Ok(Some(batch));
            }
            let part = if self.rejects.is_some() { self.in_order().await } else { self.side_by_side().await };
            let Some(part) = part? else { return Ok(None) };
            if let Some(rejects) = &self.rejects {
                self.left_out += part.rejects.len() as u64;
                for (wrong, record) in part.rejects {
                    let line = self.lines_before + wrong.line;
                    rejects.add(line, || wrong.into_reject(record, &self.rows, self.lines_before));
                }
            }
            self.lines_before += part.lines;
            self.ready = part.batches.into_iter();
        }
    }

    /// The next part, when the parts before may have left out more than a whole record.
    async fn in_order(&mut self) -> Result<Option<Part>, Error> {
        let text = self.parts.more(std::mem::take(&mut self.unused)).await;
        let Some(mut text) = text.map_err(|stop| self.stop(stop))? else { return Ok(None) };
        let is_last = self.parts.is_at_end();
        let part = self.read(&text, is_last)?;
        // What is left of the last part holds no record.
        self.unused = if is_last { String::new() } else { text.split_off(part.used) };
        Ok(Some(part))
    }

    /// The next part, while those behind it are read.
    async fn side_by_side(&mut self) -> Result<Option<Part>, Error> {
        while self.running.len() < self.rows.wanted.parts.max(1) && self.stopped.is_none() {
            match self.parts.whole(self.rows.wanted.layout.dialect).await {
                Ok(None) => break,
                // Nothing would be read beside it, or it may have no more than what stands before the header.
                Ok(Some(text)) if self.start.header || (self.running.is_empty() && self.parts.is_at_end()) => {
                    return self.read(&text, true).map(Some);
                }
                Ok(Some(text)) => {
                    let rows = Arc::clone(&self.rows);
                    let read = async move { rows.read(&text, Start::default(), true) };
                    self.running.push_back(SpawnedTask::spawn(read));
                }
                Err(stop) => self.stopped = Some(stop),
            }
        }
        match (self.running.pop_front(), self.stopped.take()) {
            (Some(task), stopped) => {
                self.stopped = stopped;
                let ended = |error: tokio::task::JoinError| self.rows.file.unreadable(error.to_string());
                let part = task.join_unwind().await.map_err(ended)?;
                part.map(Some).map_err(|wrong| self.wrong(wrong))
            }
            (None, Some(stop)) => Err(self.stop(stop)),
            (None, None) => Ok(None),
        }
    }

    fn read(&mut self, text: &str, ends_whole: bool) -> Result<Part, Error> {
        let part = self.rows.read(text, self.start, ends_whole).map_err(|wrong| self.wrong(wrong))?;
        self.start = part.next;
        Ok(part)
    }

    fn wrong(&self, wrong: Wrong) -> Error {
        wrong.into_error(&self.rows, self.lines_before)
    }

    fn stop(&self, stop: Stop) -> Error {
        stop.into_error(&self.rows.file, self.lines_before)
    }
}
