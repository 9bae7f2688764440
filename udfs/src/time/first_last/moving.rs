//! The best row of a window that moves.
//!
//! Owns: which rows of the window may yet be the best. Must never know: how windows are framed.

use std::collections::VecDeque;

use arrow::array::{Array, ArrayRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::keys::{Read, Side, keys};
use super::pair;
use crate::Error;

/// A key of either type; one window has those of one.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
enum Key {
    Whole(i64),
    Bytes(Box<[u8]>),
}

/// The rows that may yet be the best, the best first.
#[derive(Debug)]
pub(super) struct Moving {
    side: Side,
    kept: VecDeque<(u64, Key, ScalarValue)>,
    /// The number of the first row in the window.
    first: u64,
    /// The number of the next row that comes.
    next: u64,
    none: ScalarValue,
}

impl Moving {
    pub(super) fn new(side: Side, none: ScalarValue) -> Self {
        Self { side, kept: VecDeque::new(), first: 0, next: 0, none }
    }
}

impl Accumulator for Moving {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (values, times) = pair(values)?;
        let keys = keys(times)?;
        let read = Read::of(&keys);
        for row in 0..keys.len() {
            let number = self.next;
            self.next += 1;
            if keys.is_null(row) {
                continue;
            }
            let key = match read {
                Read::Whole(keys) => Key::Whole(keys.value(row)),
                Read::Bytes(keys) => Key::Bytes(keys.value(row).into()),
            };
            while self.kept.back().is_some_and(|(_, earlier, _)| self.side.prefers(&key, earlier)) {
                self.kept.pop_back();
            }
            self.kept.push_back((number, key, ScalarValue::try_from_array(values, row)?));
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.first += values.first().map_or(0, |values| values.len()) as u64;
        while self.kept.front().is_some_and(|(number, ..)| *number < self.first) {
            self.kept.pop_front();
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, _: &[ArrayRef]) -> Result<()> {
        Err(Error::Unsupported("a window of states is not supported".to_owned()).into())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Err(Error::Unsupported("the state of a window is not supported".to_owned()).into())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.kept.front().map_or_else(|| self.none.clone(), |(.., value)| value.clone()))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.kept.iter().map(|row| size_of_val(row) + row.2.size()).sum::<usize>()
    }
}
