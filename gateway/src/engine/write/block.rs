//! What a transaction block writes: rows of one table, which are seen with its COMMIT or never.
//!
//! Owns: that a rollback to a savepoint forgets what was written behind it. Must never know: a statement.

use std::sync::Arc;

use catalog::{Change, Target, Writer};
use datafusion::execution::memory_pool::MemoryConsumer;

use crate::engine::Core;
use crate::error::{Error, Result, SqlState};
use crate::session::{Session, StatementGuard};

/// Savepoints between which rows were written.
const PARTS_MAX: usize = 1_000;

/// The change that a block makes. Dropping it is a rollback.
pub(crate) struct Block {
    change: Change,
    target: Target,
    /// Rows between savepoints, each in files of their own.
    parts: Vec<Writer>,
    /// Whether the next rows begin a part.
    is_closed: bool,
    /// The first part of which a statement has lost rows.
    broken_from: Option<usize>,
}

/// How far a block had come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    parts: usize,
    removes: bool,
}

impl Block {
    fn new(target: Target, operation: &'static str) -> Self {
        let change = Change::new(target.clone(), operation);
        Self { change, target, parts: Vec::new(), is_closed: true, broken_from: None }
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    pub(super) fn change(&mut self) -> &mut Change {
        &mut self.change
    }

    /// Takes all rows away that are there.
    pub(super) fn remove_all(&mut self) -> Result<()> {
        if self.has_rows() {
            return Err(refused("cannot truncate a table after writing to it in the same transaction"));
        }
        Ok(self.change.remove_all()?)
    }

    /// Whether rows were written, so that what the block would read is not what it sees.
    pub(super) fn has_rows(&self) -> bool {
        !self.parts.is_empty()
    }

    /// Begins a new part with the next rows; gives what a rollback goes back to.
    pub(crate) fn mark(&mut self) -> Mark {
        self.is_closed = true;
        Mark { parts: self.parts.len(), removes: self.change.removes() }
    }

    /// Forgets what was done since a mark.
    pub(crate) fn back_to(&mut self, mark: Mark) {
        self.parts.truncate(mark.parts);
        self.is_closed = true;
        if self.broken_from.is_some_and(|broken| broken >= mark.parts) {
            self.broken_from = None;
        }
        if !mark.removes {
            self.change.remove_none();
        }
    }

    /// The writer for the next rows; until it is given back the block has lost it.
    pub(super) fn take_writer(&mut self, core: &Core) -> Result<Writer> {
        let last = if self.is_closed { None } else { self.parts.pop() };
        self.broken_from.get_or_insert(self.parts.len());
        if self.parts.len() >= PARTS_MAX {
            return Err(Error::new(SqlState::ProgramLimitExceeded, "too many savepoints between writes of one block"));
        }
        let memory = MemoryConsumer::new("rows to write").register(&core.base.memory);
        Ok(last.unwrap_or_else(|| self.target.writer(memory)))
    }

    pub(super) fn give_back(&mut self, writer: Writer) {
        if self.broken_from == Some(self.parts.len()) {
            self.broken_from = None;
        }
        self.parts.push(writer);
        self.is_closed = false;
    }

    /// Completes the files and commits. From the first byte of the commit on, nothing ends the statement early.
    pub(super) async fn commit(mut self, core: &Core, guard: &StatementGuard) -> Result<()> {
        if self.broken_from.is_some() {
            return Err(Error::internal("rows of a block were lost"));
        }
        for part in self.parts.drain(..) {
            self.change.add(part).await?;
        }
        guard.shield();
        core.lake.commit(self.change).await?;
        Ok(())
    }
}

/// The change that a statement makes: its own, or that of its block, to which it goes back however the statement ends.
pub(super) struct Lease {
    session: Arc<Session>,
    block: Option<Block>,
    is_of_block: bool,
}

impl Lease {
    /// Takes the block's change, or begins one of a table.
    pub(super) fn take(session: &Arc<Session>, target: &Target, operation: &'static str) -> Result<Self> {
        let mut transaction = session.transaction();
        let is_of_block = transaction.is_in_block();
        if transaction.defined.is_some() {
            return Err(refused("a transaction block cannot both define and write"));
        }
        let block = match transaction.written.take() {
            Some(block) if is_of_block => {
                let (known, name) = (&block.target.name, &target.name);
                if (&known.schema, &known.name) != (&name.schema, &name.name) {
                    let message =
                        format!("a transaction block can write to one table only, which is \"{}\"", known.name);
                    transaction.written = Some(block);
                    return Err(refused(message));
                }
                block
            }
            _ => Block::new(target.clone(), operation),
        };
        drop(transaction);
        Ok(Self { session: Arc::clone(session), block: Some(block), is_of_block })
    }

    pub(super) fn block(&mut self) -> Result<&mut Block> {
        self.block.as_mut().ok_or_else(|| Error::internal("a change was taken twice"))
    }

    /// Ends the statement well: commits, unless a block goes on.
    pub(super) async fn end(mut self, core: &Core, guard: &StatementGuard) -> Result<()> {
        if self.is_of_block {
            return Ok(());
        }
        match self.block.take() {
            Some(block) => block.commit(core, guard).await,
            None => Ok(()),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.is_of_block
            && let Some(block) = self.block.take()
        {
            let mut transaction = self.session.transaction();
            if transaction.is_in_block() {
                transaction.written = Some(block);
            }
        }
    }
}

/// Commits what a block has written, before the block ends.
pub(in crate::engine) async fn commit(core: &Core, session: &Session, guard: &StatementGuard) -> Result<()> {
    let written = session.transaction().written.take();
    match written {
        Some(block) => block.commit(core, guard).await,
        None => Ok(()),
    }
}

pub(super) fn refused(message: impl Into<String>) -> Error {
    Error::unsupported(message).hint("Commit first, or let each statement be a transaction of its own (autocommit).")
}
