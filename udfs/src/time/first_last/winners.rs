//! The row of the best time of every group: its key and its value.
//!
//! Values stay in columns: those that won in one batch are one piece, and a group points into its piece. When most of what
//! is kept has lost since, the pieces become one again, so each row is copied a few times at most, of whatever type.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BinaryBuilder, Int64Array, UInt32Array, new_null_array};
use arrow::compute::{interleave, take};
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::EmitTo;

use super::keys::{Read, Side, key_type};
use crate::Error;

#[derive(Debug)]
pub(super) struct Winners {
    side: Side,
    of: DataType,
    best: Best,
    /// Where the value of each group is.
    at: Vec<Place>,
    pieces: Vec<ArrayRef>,
    /// How many rows the pieces have.
    rows: usize,
    piece_bytes: usize,
    key_bytes: usize,
}

/// The best key of each group.
#[derive(Debug)]
enum Best {
    Whole(Vec<Option<i64>>),
    Bytes(Vec<Option<Box<[u8]>>>),
}

#[derive(Debug, Clone, Copy)]
struct Place {
    piece: u32,
    row: u32,
}

/// The place of a group that has no row yet.
const NOWHERE: Place = Place { piece: u32::MAX, row: 0 };

/// Pieces of fewer rows than this are not worth to be made one.
const ROWS_MIN: usize = 1_024;

impl Winners {
    pub(super) fn new(side: Side, of: &DataType, time: &DataType) -> Self {
        let best = match key_type(time) {
            DataType::Int64 => Best::Whole(Vec::new()),
            _ => Best::Bytes(Vec::new()),
        };
        let (at, pieces) = (Vec::new(), Vec::new());
        Self { side, of: of.clone(), best, at, pieces, rows: 0, piece_bytes: 0, key_bytes: 0 }
    }

    pub(super) fn groups_are(&mut self, count: usize) {
        let count = count.max(self.at.len());
        self.at.resize(count, NOWHERE);
        match &mut self.best {
            Best::Whole(best) => best.resize(count, None),
            Best::Bytes(best) => best.resize(count, None),
        }
    }

    /// Rows that may be better than what their groups have; a row without a key does not count.
    pub(super) fn offer(
        &mut self,
        values: &ArrayRef,
        keys: &ArrayRef,
        groups: impl Iterator<Item = usize>,
    ) -> Result<()> {
        let Ok(piece) = u32::try_from(self.pieces.len()) else { return exec_err!("too many pieces") };
        let mut changed = Changed { piece, at: &mut self.at, groups: Vec::new() };
        let side = self.side;
        match (&mut self.best, Read::of(keys)) {
            (Best::Whole(best), Read::Whole(keys)) => {
                for ((row, key), group) in (0..).zip(keys.iter()).zip(groups) {
                    if let (Some(key), Some(best)) = (key, best.get_mut(group))
                        && best.is_none_or(|best| side.prefers(&key, &best))
                    {
                        *best = Some(key);
                        changed.set(group, row);
                    }
                }
            }
            (Best::Bytes(best), Read::Bytes(keys)) => {
                for ((row, key), group) in (0..).zip(keys.iter()).zip(groups) {
                    if let (Some(key), Some(best)) = (key, best.get_mut(group))
                        && best.as_ref().is_none_or(|best| side.prefers(key, best.as_ref()))
                    {
                        self.key_bytes -= best.as_ref().map_or(0, |best| best.len());
                        self.key_bytes += key.len();
                        *best = Some(key.into());
                        changed.set(group, row);
                    }
                }
            }
            _ => return exec_err!("keys of {}", keys.data_type()),
        }
        let rows = changed.taken();
        if rows.is_empty() { Ok(()) } else { self.keep(take(values, &rows, None)?) }
    }

    fn keep(&mut self, piece: ArrayRef) -> Result<()> {
        let piece = compact(piece);
        self.rows += piece.len();
        self.piece_bytes += piece.to_data().get_slice_memory_size()?;
        self.pieces.push(piece);
        if self.rows > ROWS_MIN.max(2 * self.at.len()) { self.make_one() } else { Ok(()) }
    }

    /// Drops the rows that no group points to.
    fn make_one(&mut self) -> Result<()> {
        let piece = self.values(self.at.iter().filter(|place| place.piece != NOWHERE.piece))?;
        let kept = self.at.iter_mut().filter(|place| place.piece != NOWHERE.piece);
        (0..).zip(kept).for_each(|(row, place)| *place = Place { piece: 0, row });
        self.rows = piece.len();
        self.piece_bytes = piece.to_data().get_slice_memory_size()?;
        self.pieces = vec![piece];
        Ok(())
    }

    /// The values of these places, NULL of those that are nowhere.
    fn values<'p>(&self, places: impl Iterator<Item = &'p Place>) -> Result<ArrayRef> {
        if narrow(&self.of) && i32::try_from(self.piece_bytes).is_err() {
            return Err(Error::LimitExceeded("the values of an aggregate are larger than 2 GiB".to_owned()).into());
        }
        let none = new_null_array(&self.of, 1);
        let pieces: Vec<&dyn Array> = self.pieces.iter().chain([&none]).map(AsRef::as_ref).collect();
        let index = |place: &Place| match place.piece {
            u32::MAX => (self.pieces.len(), 0),
            piece => (piece as usize, place.row as usize),
        };
        let indices: Vec<_> = places.map(index).collect();
        Ok(compact(interleave(&pieces, &indices)?))
    }

    /// The values and the keys of all groups, which stay.
    pub(super) fn current(&self) -> Result<(ArrayRef, ArrayRef)> {
        Ok((self.values(self.at.iter())?, self.best.array(self.at.len())))
    }

    /// The values and the keys of the first groups, or of all, which go.
    pub(super) fn emitted(&mut self, emit_to: EmitTo) -> Result<(ArrayRef, ArrayRef)> {
        let count = match emit_to {
            EmitTo::All => self.at.len(),
            EmitTo::First(count) => count.min(self.at.len()),
        };
        let values = self.values(self.at.iter().take(count))?;
        let keys = self.best.array(count);
        self.at.drain(..count);
        self.key_bytes -= self.best.forget(count);
        if self.at.is_empty() {
            self.pieces = Vec::new();
            (self.rows, self.piece_bytes) = (0, 0);
        } else if self.rows > ROWS_MIN.max(2 * self.at.len()) {
            self.make_one()?;
        }
        Ok((values, keys))
    }

    pub(super) fn bytes(&self) -> usize {
        let best = match &self.best {
            Best::Whole(best) => best.capacity() * size_of::<Option<i64>>(),
            Best::Bytes(best) => best.capacity() * size_of::<Option<Box<[u8]>>>() + self.key_bytes,
        };
        let pieces = self.pieces.capacity() * size_of::<ArrayRef>() + self.piece_bytes;
        size_of_val(self) + best + pieces + self.at.capacity() * size_of::<Place>()
    }
}

impl Best {
    fn array(&self, count: usize) -> ArrayRef {
        match self {
            Self::Whole(best) => Arc::new(best.iter().take(count).copied().collect::<Int64Array>()),
            Self::Bytes(best) => {
                let mut keys = BinaryBuilder::with_capacity(count, 0);
                best.iter().take(count).for_each(|key| keys.append_option(key.as_ref()));
                Arc::new(keys.finish())
            }
        }
    }

    /// Forgets the first groups, and tells the length of their keys.
    fn forget(&mut self, count: usize) -> usize {
        match self {
            Self::Whole(best) => {
                best.drain(..count);
                0
            }
            Self::Bytes(best) => best.drain(..count).flatten().map(|key| key.len()).sum(),
        }
    }
}

/// The groups that have a better row in a batch, which will be the next piece.
struct Changed<'a> {
    piece: u32,
    at: &'a mut [Place],
    groups: Vec<usize>,
}

impl Changed<'_> {
    fn set(&mut self, group: usize, row: u32) {
        let Some(place) = self.at.get_mut(group) else { return };
        if place.piece != self.piece {
            self.groups.push(group);
        }
        *place = Place { piece: self.piece, row };
    }

    /// The rows of the batch that the piece is made of; the groups point into the piece.
    fn taken(self) -> UInt32Array {
        let mut rows = Vec::with_capacity(self.groups.len());
        for (at, group) in (0..).zip(self.groups) {
            if let Some(place) = self.at.get_mut(group) {
                rows.push(place.row);
                place.row = at;
            }
        }
        rows.into()
    }
}

/// A view would keep the buffers of the whole batch.
fn compact(values: ArrayRef) -> ArrayRef {
    use arrow::array::AsArray;
    match values.data_type() {
        DataType::Utf8View => Arc::new(values.as_string_view().gc()),
        DataType::BinaryView => Arc::new(values.as_binary_view().gc()),
        _ => values,
    }
}

/// Whether the type counts its bytes or items in 32 bits.
fn narrow(of: &DataType) -> bool {
    of.is_nested() || matches!(of, DataType::Utf8 | DataType::Binary)
}
