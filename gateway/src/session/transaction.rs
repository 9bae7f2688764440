//! The transaction block of one session. Reads need no undo, so a block is its status, its savepoints and what it defined.

use std::sync::Arc;

use catalog::Snapshot;

use super::channels::Ask;
use crate::engine::{Block, Mark};
use crate::error::{Error, Result, SqlState};

/// What ReadyForQuery reports: `I`, `T` or `E`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    #[default]
    Idle,
    InBlock,
    Failed,
}

/// What a failed block answers to everything but its end.
pub fn aborted() -> Error {
    let message = "current transaction is aborted, commands ignored until end of transaction block";
    Error::new(SqlState::InFailedSqlTransaction, message)
}

#[derive(Default)]
pub struct Transaction {
    pub status: Status,
    /// Savepoints from the oldest to the newest; a name may occur twice, the newest hides the older.
    pub savepoints: Vec<Savepoint>,
    /// The lake with what the block has defined, which its own statements see; others see it after COMMIT.
    pub defined: Option<Arc<Snapshot>>,
    /// The change of a table that the block makes, which is seen after COMMIT.
    pub(crate) written: Option<Block>,
    /// What it listens for and tells others, which is done at COMMIT.
    pub asked: Vec<Ask>,
    /// `now()` of the block, so that every statement of it sees the same time.
    pub began_at: Option<chrono::DateTime<chrono::Utc>>,
}

#[derive(Debug)]
pub struct Savepoint {
    pub name: String,
    /// What the block had defined then.
    pub defined: Option<Arc<Snapshot>>,
    /// What the block had written then.
    pub(crate) written: Option<Mark>,
    /// How much the block had asked for then.
    pub asked: usize,
}

impl Transaction {
    pub fn begin(&mut self) {
        *self = Self { status: Status::InBlock, began_at: Some(chrono::Utc::now()), ..Self::default() };
    }

    pub fn is_in_block(&self) -> bool {
        self.status != Status::Idle
    }

    /// The newest savepoint of this name. Unknown: 3B001.
    pub fn find_savepoint(&self, name: &str) -> Result<usize> {
        self.savepoints.iter().rposition(|savepoint| savepoint.name == name).ok_or_else(|| {
            let message = format!("savepoint \"{name}\" does not exist");
            Error::new(SqlState::InvalidSavepointSpecification, message)
        })
    }

    /// Records that a statement failed: a block then refuses everything but its end (25P02).
    pub fn fail(&mut self) {
        if self.status == Status::InBlock {
            self.status = Status::Failed;
        }
    }
}
