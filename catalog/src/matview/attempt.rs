//! One refresh as it is told afterwards, and the last ones of a view as the lake keeps them.
//!
//! Owns: that a replica that starts knows what others did. It is told to people, and nothing is decided by it.

use chrono::{DateTime, Utc};
use object_store::{ObjectStoreExt, PutPayload};
use serde::{Deserialize, Serialize};

use super::place;
use crate::Error;
use crate::definition::Name;
use crate::publish::Lake;

/// Refreshes of one view that are told of.
const KEPT_MAX: usize = 100;

/// Never read more than so many can be.
const BYTES_MAX: u64 = 1 << 20;

/// One refresh.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// 0 if it came to none.
    pub epoch: u64,
    pub started_at: DateTime<Utc>,
    pub ended_at: DateTime<Utc>,
    pub outcome: Outcome,
    /// `A`, `P` or `F`.
    pub class: Option<String>,
    /// Why not less was read, or why it failed.
    pub reason: Option<String>,
    pub objects_added: u64,
    pub objects_changed: u64,
    pub objects_removed: u64,
    /// Of the files that were read.
    pub bytes_read: u64,
    pub rows_written: u64,
    pub files_written: u64,
    pub files_removed: u64,
    /// Of the table that has the rows.
    pub version: Option<u64>,
    /// Who asked, or the job.
    pub asked_by: String,
    pub replica: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Refreshed,
    /// Nothing that the view is made of has changed.
    Unchanged,
    Failed,
}

impl Outcome {
    pub fn text(self) -> &'static str {
        match self {
            Self::Refreshed => "refreshed",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
        }
    }
}

impl Lake {
    /// The last refreshes of a view, the newest last. What cannot be read is as if there were none.
    pub async fn attempts(&self, view: &Name) -> Vec<Attempt> {
        let Ok((_, source)) = self.first_writable(view) else { return Vec::new() };
        let reading = async {
            let found = source.store.get(&place::history(view)).await?;
            if found.meta.size > BYTES_MAX {
                return Ok(Vec::new());
            }
            let bytes = found.bytes().await?;
            Ok::<_, object_store::Error>(serde_json::from_slice(&bytes).unwrap_or_default())
        };
        match reading.await {
            Ok(attempts) => attempts,
            Err(object_store::Error::NotFound { .. }) => Vec::new(),
            Err(error) => {
                tracing::debug!(%error, "the history of a materialized view could not be read");
                Vec::new()
            }
        }
    }

    /// Keeps the last refreshes of a view.
    pub async fn keep_attempts(&self, view: &Name, attempts: &[Attempt]) -> Result<(), Error> {
        let (_, source) = self.first_writable(view)?;
        let last = attempts.get(attempts.len().saturating_sub(KEPT_MAX)..).unwrap_or_default();
        let Ok(text) = serde_json::to_vec(last) else { return Ok(()) };
        let put = source.store.put(&place::history(view), PutPayload::from(text)).await;
        put.map(drop).map_err(|cause| source.failed(cause))
    }
}
