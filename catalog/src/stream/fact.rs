//! What is known of a stream beside its definition: where it runs, how far it has come, and why it does not go on.

use chrono::{DateTime, Utc};

use crate::definition::Name;

/// How a stream stands, as one server sees it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StreamState {
    /// It is about to run here.
    #[default]
    Starting,
    Running,
    /// No broker answers; it goes on by itself.
    Unreachable,
    Paused,
    /// It has stopped, and tries again later.
    Failed,
    /// Another server runs it.
    Elsewhere,
}

impl StreamState {
    pub fn text(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Unreachable => "unreachable",
            Self::Paused => "paused",
            Self::Failed => "failed",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// What this process knows of a stream.
#[derive(Debug, Clone)]
pub struct StreamFact {
    pub name: Name,
    pub table: Name,
    pub topic: String,
    pub state: StreamState,
    /// Since when it runs here.
    pub started_at: Option<DateTime<Utc>>,
    pub partitions: Vec<PartitionFact>,
    /// Since this process runs it.
    pub rows: u64,
    pub rejects: u64,
    /// Fields of records that no column has.
    pub unknown_fields: u64,
    /// Records that the topic had no more.
    pub lost: u64,
    pub commits: u64,
    pub committed_at: Option<DateTime<Utc>>,
    pub version: Option<u64>,
    pub error: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionFact {
    pub partition: i32,
    /// The record that comes next into the table.
    pub offset: Option<i64>,
    /// The record that comes next into the topic.
    pub end: Option<i64>,
}

impl PartitionFact {
    /// Records of the topic that are not in the table.
    pub fn lag(&self) -> Option<i64> {
        Some((self.end? - self.offset?).max(0))
    }
}

impl StreamFact {
    /// Of all partitions; `None` if it is not known of one.
    pub fn lag(&self) -> Option<i64> {
        let lags = self.partitions.iter().map(PartitionFact::lag);
        if self.partitions.is_empty() { None } else { lags.sum() }
    }
}
