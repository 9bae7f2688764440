//! Cuts the text of a file into parts of whole records, which can be read side by side.
//!
//! Owns: how large a part is. Must never know: columns.

use std::sync::Arc;

use encoding_rs::Encoding;

use super::boundary::last_record_end;
use super::split::{Dialect, line_end};
use super::{At, RECORD_BYTES_MAX};
use crate::Error;
use crate::format::text::{Filled, Text};
use crate::pinned::Pinned;

/// The first part is small, so that the first rows come soon.
const FIRST_PART_BYTES: usize = 64 << 10;
const PART_BYTES: usize = 1 << 20;

/// The text of a file that is not yet read.
pub(super) struct Parts {
    file: Arc<Pinned>,
    text: Text,
    buffer: String,
    part_bytes: usize,
    is_at_end: bool,
    /// Why there is no more text, held back until the records before it are taken.
    failed: Option<Error>,
}

/// Why there is no next part.
pub(super) enum Stop {
    /// The record that comes next is too long.
    TooLong,
    Failed(Error),
}

impl Stop {
    /// With so many lines before.
    pub(super) fn into_error(self, file: &Pinned, lines_before: u64) -> Error {
        match self {
            Self::TooLong => At(file).too_long(lines_before + 1),
            Self::Failed(error) => error,
        }
    }
}

impl Parts {
    pub(super) fn open(file: &Arc<Pinned>, encoding: &'static Encoding) -> Self {
        Self {
            file: Arc::clone(file),
            text: Text::open(file, encoding),
            buffer: String::new(),
            part_bytes: FIRST_PART_BYTES,
            is_at_end: false,
            failed: None,
        }
    }

    /// Whether the part that was given last is the last one.
    pub(super) fn is_at_end(&self) -> bool {
        self.is_at_end && self.buffer.is_empty()
    }

    /// Goes past the first lines of the file.
    pub(super) async fn skip_lines(&mut self, lines: u64) -> Result<(), Error> {
        let (mut skipped, mut used) = (0, 0);
        while skipped < lines {
            match line_end(self.buffer.as_bytes().get(used..).unwrap_or_default(), self.is_at_end) {
                Some(end) => {
                    used += end;
                    skipped += 1;
                }
                None if self.is_at_end => break,
                None if self.buffer.len() - used > RECORD_BYTES_MAX => {
                    return Err(At(&self.file).too_long(skipped + 1));
                }
                None => {
                    self.fill(self.buffer.len() + 1).await;
                    self.failed.clone().filter(|_| !self.is_at_end).map_or(Ok(()), Err)?;
                }
            }
        }
        self.buffer.drain(..used);
        Ok(())
    }

    /// The next whole records, of a text of which all can be cut; `None` at the end.
    pub(super) async fn whole(&mut self, dialect: Dialect) -> Result<Option<String>, Stop> {
        let mut bytes = std::mem::replace(&mut self.part_bytes, PART_BYTES);
        loop {
            self.fill(bytes).await;
            if self.is_at_end {
                return Ok(self.rest());
            }
            // Less than what is there only at the start, where a block is more than the part shall be.
            let all = self.buffer.as_bytes();
            let part = all.get(..bytes).unwrap_or(all);
            if let Some(end) = last_record_end(part, dialect).or_else(|| last_record_end(all, dialect)) {
                let rest = self.buffer.split_off(end);
                return Ok(Some(std::mem::replace(&mut self.buffer, rest)));
            }
            if let Some(error) = self.failed.take() {
                return Err(Stop::Failed(error));
            }
            if self.buffer.len() > RECORD_BYTES_MAX {
                return Err(Stop::TooLong);
            }
            bytes = self.buffer.len() * 2;
        }
    }

    /// What was not used of the last part, with more text behind it; `None` at the end.
    pub(super) async fn more(&mut self, unused: String) -> Result<Option<String>, Stop> {
        if unused.len() > RECORD_BYTES_MAX {
            return Err(Stop::TooLong);
        }
        let bytes = unused.len();
        // Only at the start there is more than that: behind the lines that were skipped.
        self.buffer.insert_str(0, &unused);
        if self.buffer.len() == bytes {
            self.fill(bytes + PART_BYTES).await;
        }
        match self.failed.take_if(|_| self.buffer.len() == bytes) {
            Some(error) => Err(Stop::Failed(error)),
            None => Ok(self.rest()),
        }
    }

    fn rest(&mut self) -> Option<String> {
        Some(std::mem::take(&mut self.buffer)).filter(|rest| !rest.is_empty())
    }

    /// Reads on until so many bytes are there, or nothing more comes.
    async fn fill(&mut self, bytes: usize) {
        while self.buffer.len() < bytes && !self.is_at_end && self.failed.is_none() {
            match self.text.fill(&mut self.buffer).await {
                Ok(Filled::More) => {}
                Ok(Filled::End | Filled::Limit) => self.is_at_end = true,
                Err(error) => self.failed = Some(error),
            }
        }
    }
}
