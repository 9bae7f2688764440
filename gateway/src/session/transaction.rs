//! The transaction block of one session. Reads need no undo, so a block is its status and the names of its savepoints.

/// What ReadyForQuery reports: `I`, `T` or `E`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    #[default]
    Idle,
    InBlock,
    Failed,
}

#[derive(Debug, Default)]
pub struct Transaction {
    pub status: Status,
    pub read_only: bool,
    /// Savepoints from the oldest to the newest; a name may occur twice, the newest hides the older.
    pub savepoints: Vec<String>,
    /// `now()` of the block, so that every statement of it sees the same time.
    pub began_at: Option<chrono::DateTime<chrono::Utc>>,
}

impl Transaction {
    /// Records that a statement failed: a block then refuses everything but its end (25P02).
    pub fn fail(&mut self) {
        if self.status == Status::InBlock {
            self.status = Status::Failed;
        }
    }
}
