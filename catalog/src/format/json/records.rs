//! The text of a JSON file that is not yet taken, in blocks of whole values.
//!
//! Owns: how much is held, and the line on which each value begins. Must never know: what a value means.

use std::ops::Range;
use std::sync::Arc;

use encoding_rs::Encoding;

use super::cut::{Cut, Cutter, Form};
use crate::Error;
use crate::format::text::{Filled, Text};
use crate::pinned::Pinned;

/// The largest value, or line.
const VALUE_BYTES_MAX: usize = 16 << 20;

/// Values are given in blocks of at most so many bytes, unless one is larger.
const BLOCK_BYTES_MAX: usize = 4 << 20;

/// A file that is being cut into values.
pub(super) struct Records {
    file: Arc<Pinned>,
    pub(super) text: Text,
    buffer: String,
    used: usize,
    at_end: bool,
    /// Why there is no more text, held back until the values before it are taken.
    failed: Option<Error>,
    /// The line on which the text that is not taken starts, from 1.
    pub(super) line: u64,
    form: Option<Form>,
    cutter: Cutter,
}

/// Some values, by their places in `Records::rest`.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// Each is a value; on lines, one range holds them all.
    pub(super) values: Vec<Range<usize>>,
    /// At most so many values.
    pub(super) rows: usize,
    end: usize,
}

impl Records {
    pub(super) fn open(file: &Arc<Pinned>, encoding: &'static Encoding) -> Self {
        Self {
            file: Arc::clone(file),
            text: Text::open(file, encoding),
            buffer: String::new(),
            used: 0,
            at_end: false,
            failed: None,
            line: 1,
            form: None,
            cutter: Cutter::new(Form::Lines),
        }
    }

    /// The text that is not taken.
    pub(super) fn rest(&self) -> &str {
        self.buffer.get(self.used..).unwrap_or_default()
    }

    /// At most `rows_max` values of what is there; none if there is no whole one.
    pub(super) fn block(&mut self, rows_max: usize) -> Result<Block, Error> {
        if self.form.is_none() {
            let Some(form) = Form::of(self.rest(), self.at_end) else { return Ok(Block::default()) };
            self.form = Some(form);
            self.cutter = Cutter::new(form);
        }
        match self.form {
            Some(Form::Lines) | None => Ok(self.lines(rows_max)),
            Some(Form::Values | Form::Array) => self.values(rows_max),
        }
    }

    fn lines(&self, rows_max: usize) -> Block {
        let rest = self.rest();
        let (mut end, mut rows) = (0, 0);
        for (at, _) in rest.match_indices('\n') {
            if rows == rows_max || (rows > 0 && at > BLOCK_BYTES_MAX) {
                break;
            }
            (end, rows) = (at + 1, rows + 1);
        }
        if rows == 0 && self.at_end && !rest.is_empty() {
            (end, rows) = (rest.len(), 1);
        }
        let all = 0..end;
        Block { values: if rows > 0 { vec![all] } else { Vec::new() }, rows, end }
    }

    fn values(&mut self, rows_max: usize) -> Result<Block, Error> {
        let mut block = Block::default();
        let rest = self.buffer.get(self.used..).unwrap_or_default();
        while block.rows < rows_max && block.end <= BLOCK_BYTES_MAX {
            let text = rest.get(block.end..).unwrap_or_default();
            match self.cutter.next(text) {
                Ok(Cut::Value(value)) => {
                    block.values.push(block.end + value.start..block.end + value.end);
                    block.rows += 1;
                    block.end += value.end;
                }
                Ok(Cut::End(used)) => {
                    block.end += used;
                    if block.rows == 0 && self.at_end && !self.cutter.may_end() {
                        return Err(self.bad(block.end, "the array does not end"));
                    }
                    break;
                }
                Ok(Cut::Open(used)) => {
                    block.end += used;
                    if block.rows == 0 && self.at_end {
                        return Err(self.bad(block.end, "a value does not end"));
                    }
                    break;
                }
                // The values before it come first.
                Err(_) if block.rows > 0 => break,
                Err(fault) => return Err(self.bad(block.end + fault.at, fault.reason)),
            }
        }
        Ok(block)
    }

    /// What is wrong at a place of the rest.
    fn bad(&self, at: usize, reason: &str) -> Error {
        let (table, file) = (self.file.table.clone(), self.file.key().to_owned());
        Error::BadRecord { table, file, line: self.line_of(at), reason: reason.to_owned() }
    }

    /// The line of a place of the rest.
    fn line_of(&self, at: usize) -> u64 {
        self.line + self.lines_in(0..at)
    }

    /// The line ends in a part of the rest.
    pub(super) fn lines_in(&self, part: Range<usize>) -> u64 {
        let text = self.rest().get(part).unwrap_or_default();
        text.bytes().filter(|byte| *byte == b'\n').count() as u64
    }

    pub(super) fn take(&mut self, block: &Block) {
        self.line = self.line_of(block.end);
        self.used += block.end;
    }

    /// Reads on; false at the end of the file.
    pub(super) async fn fill(&mut self) -> Result<bool, Error> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        if self.at_end {
            return Ok(false);
        }
        self.buffer.drain(..self.used);
        self.used = 0;
        if self.buffer.len() > VALUE_BYTES_MAX {
            let (table, file) = (self.file.table.clone(), self.file.key().to_owned());
            return Err(Error::RecordTooLong { table, file, line: self.line, bytes_max: VALUE_BYTES_MAX });
        }
        match self.text.fill(&mut self.buffer).await {
            Ok(filled) => self.at_end = filled != Filled::More,
            Err(error) => self.failed = Some(error),
        }
        Ok(true)
    }
}
