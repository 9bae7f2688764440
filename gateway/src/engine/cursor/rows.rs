//! The rows of a cursor and the place where it stands among them.
//!
//! Owns: what is kept of the rows already read, and how a cursor moves, step by step as PostgreSQL's portals do
//! (`DoPortalRunFetch` in `pquery.c`). Must never know: statements.

use std::collections::VecDeque;

use arrow::array::{RecordBatch, UInt64Array};
use arrow::compute::take_record_batch;
use datafusion::execution::memory_pool::MemoryReservation;

use super::movement::{ALL, Movement, cannot_scroll};
use crate::engine::QueryStream;
use crate::error::{Error, Result, SqlState};

/// Rows that one FETCH may hold in memory, at most: FETCH answers as a whole, unlike a portal.
const FETCH_ROWS_MAX: u64 = 1_000_000;

/// What a cursor keeps that was declared neither SCROLL nor NO SCROLL, in bytes.
const UNASKED_BYTES_MAX: usize = 1024 * 1024;

/// Whether a cursor goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scroll {
    /// NO SCROLL.
    No,
    /// SCROLL: all rows that were read are kept, and 53200 is where there is no room for them.
    Yes,
    /// Neither: PostgreSQL goes back where its plan can. Here a cursor does while its rows are few.
    WhileSmall,
}

pub(super) struct Rows {
    stream: QueryStream,
    /// Whether the stream has come to its end.
    read: bool,
    /// Whether rows were lost: none that come behind may seem to be the next.
    pub(super) failed: bool,
    scroll: Scroll,
    /// What was read and is kept, in its order: all of it, or the last batch alone where `forgotten`.
    kept: VecDeque<Kept>,
    /// Whether rows are gone that a backward movement could ask for.
    forgotten: bool,
    memory: MemoryReservation,
    /// The number of the row on which the cursor stands, from 1; the last one behind the end.
    at: u64,
    before_first: bool,
    after_last: bool,
}

struct Kept {
    /// How many rows come before.
    before: u64,
    batch: RecordBatch,
}

/// What a movement has come upon.
#[derive(Default)]
pub(super) struct Taken {
    pub batches: Vec<RecordBatch>,
    pub rows: u64,
}

/// What becomes of the rows that a movement comes upon.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Give,
    Count,
}

impl Rows {
    pub(super) fn new(stream: QueryStream, scroll: Scroll, memory: MemoryReservation) -> Self {
        let (kept, forgotten) = (VecDeque::new(), scroll == Scroll::No);
        Self {
            stream,
            read: false,
            failed: false,
            scroll,
            kept,
            forgotten,
            memory,
            at: 0,
            before_first: true,
            after_last: false,
        }
    }

    pub(super) async fn go(&mut self, movement: Movement, purpose: Purpose) -> Result<Taken> {
        match movement {
            Movement::Forward(count) => self.forward(count, purpose).await,
            Movement::Backward(count) => self.backward(count, purpose),
            Movement::Again | Movement::Relative(0) => self.again(purpose),
            Movement::Absolute(0) => {
                self.rewind()?;
                Ok(Taken::default())
            }
            Movement::Absolute(number @ 1..) => {
                let number = number.unsigned_abs();
                if number <= self.at || (number == 1 && self.after_last) {
                    self.rewind()?;
                }
                self.forward(number - 1 - self.at, Purpose::Count).await?;
                self.forward(1, purpose).await
            }
            Movement::Absolute(number) => {
                self.forward(ALL, Purpose::Count).await?;
                self.backward(number.unsigned_abs() - 1, Purpose::Count)?;
                self.backward(1, purpose)
            }
            Movement::Relative(distance @ 1..) => {
                self.forward(distance.unsigned_abs() - 1, Purpose::Count).await?;
                self.forward(1, purpose).await
            }
            Movement::Relative(distance) => {
                self.backward(distance.unsigned_abs() - 1, Purpose::Count)?;
                self.backward(1, purpose)
            }
        }
    }

    async fn forward(&mut self, count: u64, purpose: Purpose) -> Result<Taken> {
        let mut taken = Taken::default();
        while !self.after_last && taken.rows < count {
            let Some(part) = self.next(count - taken.rows).await? else {
                self.after_last = true;
                break;
            };
            self.at += part.num_rows() as u64;
            self.before_first = false;
            taken.add(part, purpose)?;
        }
        Ok(taken)
    }

    fn backward(&mut self, count: u64, purpose: Purpose) -> Result<Taken> {
        if self.forgotten {
            return Err(cannot_scroll());
        }
        let mut taken = Taken::default();
        if count == 0 || self.before_first {
            return Ok(taken);
        }
        let nearest = if self.after_last { self.at } else { self.at - 1 };
        while taken.rows < count
            && let Some(part) = self.before(nearest - taken.rows, count - taken.rows)?
        {
            taken.add(part, purpose)?;
        }
        if taken.rows > 0 {
            self.after_last = false;
        }
        if taken.rows < count {
            (self.at, self.before_first) = (0, true);
        } else {
            self.at = nearest + 1 - taken.rows;
        }
        Ok(taken)
    }

    fn again(&mut self, purpose: Purpose) -> Result<Taken> {
        let mut taken = Taken::default();
        if self.before_first || self.after_last {
            return Ok(taken);
        }
        if purpose == Purpose::Count {
            taken.rows = 1;
            return Ok(taken);
        }
        if self.forgotten {
            return Err(cannot_scroll());
        }
        if let Some(part) = self.before(self.at, 1)? {
            taken.add(part, purpose)?;
        }
        Ok(taken)
    }

    /// To the place before the first row.
    fn rewind(&mut self) -> Result<()> {
        if self.before_first && !self.after_last {
            return Ok(());
        }
        if self.forgotten {
            return Err(cannot_scroll());
        }
        (self.at, self.before_first, self.after_last) = (0, true, false);
        Ok(())
    }

    /// The rows behind the cursor, at most `count` of one batch; `None` behind the last.
    async fn next(&mut self, count: u64) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(part) = self.after(count) {
                return Ok(Some(part));
            }
            if self.read {
                return Ok(None);
            }
            let read = self.stream.next().await.transpose();
            match read.and_then(|batch| batch.map(|batch| self.keep(batch)).transpose()) {
                Ok(Some(())) => {}
                Ok(None) => self.read = true,
                Err(error) => {
                    self.failed = true;
                    return Err(error);
                }
            }
        }
    }

    fn after(&self, count: u64) -> Option<RecordBatch> {
        let kept = &self.kept[self.batch_of(self.at + 1)?];
        let skip = (self.at - kept.before) as usize;
        let rows = count.min((kept.batch.num_rows() - skip) as u64) as usize;
        Some(kept.batch.slice(skip, rows))
    }

    /// Row `number` and those before it, in descending order, at most `count` of one batch; `None` before the first.
    fn before(&self, number: u64, count: u64) -> Result<Option<RecordBatch>> {
        let Some(kept) = self.batch_of(number).map(|index| &self.kept[index]) else { return Ok(None) };
        let last = number - kept.before;
        let rows = count.min(last);
        let descending = UInt64Array::from_iter_values((last - rows..last).rev());
        take_record_batch(&kept.batch, &descending).map(Some).map_err(Error::from)
    }

    /// Which of the kept batches has the row of this number.
    fn batch_of(&self, number: u64) -> Option<usize> {
        let behind = self.kept.partition_point(|kept| kept.before < number);
        let index = behind.checked_sub(1)?;
        let kept = &self.kept[index];
        (number - kept.before <= kept.batch.num_rows() as u64).then_some(index)
    }

    fn keep(&mut self, batch: RecordBatch) -> Result<()> {
        let before = self.kept.back().map_or(0, |kept| kept.before + kept.batch.num_rows() as u64);
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let bytes = batch.get_array_memory_size();
        let room = match self.scroll {
            Scroll::No => false,
            Scroll::Yes => {
                self.memory.try_grow(bytes).map_err(|error| {
                    Error::from(error).hint("A cursor keeps the rows that it has read. Declare it with NO SCROLL.")
                })?;
                true
            }
            Scroll::WhileSmall => {
                self.memory.size() + bytes <= UNASKED_BYTES_MAX && self.memory.try_grow(bytes).is_ok()
            }
        };
        if self.forgotten || !room {
            // The first batch that is not kept is the only one as long as the cursor stands in it.
            self.forgotten = true;
            self.kept.clear();
            self.memory.free();
        }
        self.kept.push_back(Kept { before, batch });
        Ok(())
    }
}

impl Taken {
    fn add(&mut self, part: RecordBatch, purpose: Purpose) -> Result<()> {
        self.rows += part.num_rows() as u64;
        if purpose == Purpose::Count {
            return Ok(());
        }
        if self.rows > FETCH_ROWS_MAX {
            return Err(Error::new(SqlState::ProgramLimitExceeded, "too many rows in one FETCH")
                .hint(format!("Fetch at most {FETCH_ROWS_MAX} rows at a time.")));
        }
        self.batches.push(part);
        Ok(())
    }
}
