//! What a role may take, counted against the limits of its session.
//!
//! Owns: the errors of results (54000) and of scans (53400) that are too large. Must never know: who has set a limit.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use catalog::Reads;

use crate::error::{Error, Result, SqlState};
use crate::session::vars::Limits;

/// Refuses a statement that would open more than it may; it has not begun to run.
pub(super) fn check_scan(limits: &Limits, reads: &Arc<Reads>) -> Result<()> {
    let Some(max) = limits.scan_bytes.filter(|max| reads.bytes_scanned() > *max) else { return Ok(()) };
    let message =
        format!("the statement would read {} kB, more than lakegate.max_scan_bytes", kb(reads.bytes_scanned()));
    Err(Error::new(SqlState::ConfigurationLimitExceeded, message)
        .detail(format!("It would open {} files; the limit is {} kB.", reads.files_scanned(), kb(max)))
        .hint("Narrow the range of times, or give a condition on a column by which the table is partitioned."))
}

fn kb(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 10)
}

/// What a result has come to.
#[derive(Debug)]
pub(super) struct Size {
    limits: Limits,
    rows: u64,
    bytes: u64,
}

impl Size {
    /// `None` where nothing is limited.
    pub(super) fn of(limits: Limits) -> Option<Self> {
        let is_limited = limits.result_rows.is_some() || limits.result_bytes.is_some();
        is_limited.then_some(Self { limits, rows: 0, bytes: 0 })
    }

    /// Counts rows that are about to be given.
    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        if self.limits.result_bytes.is_some() {
            for column in batch.columns() {
                self.bytes += column.to_data().get_slice_memory_size().map_err(Error::from)? as u64;
            }
        }
        let exceeds = |what: &str, limit: String| {
            let message = format!("the result has more than {limit}, as {what} allows");
            Err(Error::new(SqlState::ProgramLimitExceeded, message).hint("Add a LIMIT, or aggregate in the query."))
        };
        match self.limits {
            Limits { result_rows: Some(max), .. } if self.rows > max => {
                exceeds("lakegate.max_result_rows", format!("{max} rows"))
            }
            Limits { result_bytes: Some(max), .. } if self.bytes > max => {
                exceeds("lakegate.max_result_bytes", format!("{} kB", kb(max)))
            }
            _ => Ok(()),
        }
    }
}
