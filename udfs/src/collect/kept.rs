//! The rows that an aggregate has been given: its arguments, the keys of its order, and the group of each.
//!
//! Owns: what is kept, and in which order it comes out. Must never know: why.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ListArray, UInt32Array, new_empty_array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{SortOptions, concat, take};
use arrow::datatypes::{DataType, Field};
use arrow::row::{RowConverter, Rows, SortField};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::EmitTo;

use crate::room;

/// How the rows of a group are ordered.
#[derive(Debug)]
pub(super) struct Order {
    /// Of each key; the keys are the columns behind the arguments.
    pub(super) options: Vec<SortOptions>,
    /// How many columns are arguments.
    pub(super) arguments: usize,
    /// Whether rows with equal arguments are one.
    pub(super) is_distinct: bool,
}

#[derive(Debug)]
pub(super) struct Kept {
    types: Vec<DataType>,
    order: Order,
    batches: Vec<Vec<ArrayRef>>,
    /// The group of each row.
    groups: Vec<u32>,
    group_count: usize,
    /// How many rows at the start have left the window.
    forgotten: usize,
    bytes: usize,
}

impl Kept {
    pub(super) fn new(types: Vec<DataType>, order: Order) -> Self {
        Self { types, order, batches: Vec::new(), groups: Vec::new(), group_count: 0, forgotten: 0, bytes: 0 }
    }

    pub(super) fn groups_are(&mut self, count: usize) {
        self.group_count = self.group_count.max(count);
    }

    pub(super) fn push(&mut self, columns: Vec<ArrayRef>, groups: &mut dyn Iterator<Item = usize>) -> Result<()> {
        for group in groups {
            let Ok(group) = u32::try_from(group) else { return exec_err!("too many groups") };
            self.groups.push(group);
        }
        if u32::try_from(self.groups.len()).is_err() {
            return exec_err!("too many rows in an aggregate");
        }
        if columns.first().is_some_and(|first| !first.is_empty()) {
            self.bytes += bytes(&columns)?;
            self.batches.push(columns);
        }
        Ok(())
    }

    /// The oldest rows leave the window.
    pub(super) fn forget(&mut self, rows: usize) {
        self.forgotten += rows;
    }

    /// The rows as one batch, to be restored after they were taken.
    pub(super) fn compacted(&mut self) -> Result<(Vec<ArrayRef>, Vec<u32>)> {
        let (columns, groups) = self.taken()?;
        self.put(columns.clone(), groups.clone())?;
        Ok((columns, groups))
    }

    pub(super) fn restore(&mut self, (columns, groups): (Vec<ArrayRef>, Vec<u32>)) {
        self.group_count = 1;
        self.groups = groups;
        if columns.first().is_some_and(|first| !first.is_empty()) {
            self.batches = vec![columns];
        }
    }

    fn put(&mut self, columns: Vec<ArrayRef>, groups: Vec<u32>) -> Result<()> {
        self.push(columns, &mut groups.into_iter().map(|group| group as usize))
    }

    /// Every row that is in the window.
    fn taken(&mut self) -> Result<(Vec<ArrayRef>, Vec<u32>)> {
        // All of it is twice there while the batches become one.
        let _room = room::claim(self.bytes)?;
        let batches = std::mem::take(&mut self.batches);
        let mut groups = std::mem::take(&mut self.groups);
        let forgotten = std::mem::take(&mut self.forgotten).min(groups.len());
        self.bytes = 0;
        groups.drain(..forgotten);
        let mut columns = Vec::with_capacity(self.types.len());
        for (at, of) in self.types.iter().enumerate() {
            let parts: Vec<&dyn Array> = batches.iter().filter_map(|batch| batch.get(at)).map(AsRef::as_ref).collect();
            let column = if parts.is_empty() { new_empty_array(of) } else { concat(&parts)? };
            columns.push(column.slice(forgotten, column.len() - forgotten));
        }
        Ok((columns, groups))
    }

    /// The columns of the first groups, or of all, and how many groups those are; the other rows stay.
    fn emitted(&mut self, emit_to: EmitTo) -> Result<(Vec<ArrayRef>, Vec<u32>, usize)> {
        let (columns, groups) = self.taken()?;
        let EmitTo::First(count) = emit_to else {
            return Ok((columns, groups, std::mem::take(&mut self.group_count)));
        };
        let limit = u32::try_from(count).unwrap_or(u32::MAX);
        let rows = |is_first: bool| -> UInt32Array {
            let rows = (0..).zip(&groups).filter(|(_, group)| (**group < limit) == is_first);
            rows.map(|(row, _): (u32, _)| row).collect()
        };
        let of = |rows: &UInt32Array| -> Result<Vec<ArrayRef>> {
            columns.iter().map(|column| Ok(take(column, rows, None)?)).collect()
        };
        let (first, rest) = (of(&rows(true))?, of(&rows(false))?);
        self.group_count -= count.min(self.group_count);
        self.put(rest, groups.iter().filter(|group| **group >= limit).map(|group| group - limit).collect())?;
        Ok((first, groups.into_iter().filter(|group| *group < limit).collect(), count))
    }

    /// The arguments of the rows, by group and order, and where each group begins.
    pub(super) fn sorted(&mut self, emit_to: EmitTo) -> Result<(Vec<ArrayRef>, OffsetBuffer<i32>)> {
        let (columns, groups, count) = self.emitted(emit_to)?;
        let keys = self.order.keys(&columns)?;
        let mut rows: Vec<u32> = (0..).take(groups.len()).collect();
        let group = |row: u32| groups.get(row as usize);
        match &keys {
            None if groups.is_sorted() => {}
            None => rows.sort_by_key(|row| group(*row)),
            Some(keys) => rows.sort_by(|one, other| {
                let key = |row: u32| keys.row(row as usize);
                group(*one).cmp(&group(*other)).then_with(|| key(*one).cmp(&key(*other)))
            }),
        }
        if let (Some(keys), true) = (&keys, self.order.is_distinct) {
            rows.dedup_by(|one, other| {
                group(*one) == group(*other) && keys.row(*one as usize) == keys.row(*other as usize)
            });
        }
        let offsets = offsets(rows.iter().filter_map(|row| group(*row)), count)?;
        let arguments = columns.iter().take(self.order.arguments);
        if rows.len() == groups.len() && rows.is_sorted() {
            return Ok((arguments.map(Arc::clone).collect(), offsets));
        }
        let _room = room::claim(bytes(&columns)?)?;
        let rows = UInt32Array::from(rows);
        let arguments = arguments.map(|column| Ok(take(column, &rows, None)?)).collect::<Result<_>>()?;
        Ok((arguments, offsets))
    }

    /// All columns of the rows, one list for each group.
    pub(super) fn lists(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let (columns, groups, count) = self.emitted(emit_to)?;
        let mut rows: Vec<u32> = (0..).take(groups.len()).collect();
        rows.sort_by_key(|row| groups.get(*row as usize));
        let offsets = offsets(rows.iter().filter_map(|row| groups.get(*row as usize)), count)?;
        let rows = UInt32Array::from(rows);
        let list = |column: &ArrayRef| {
            let item = Field::new_list_field(column.data_type().clone(), true);
            let list = ListArray::try_new(Arc::new(item), offsets.clone(), take(column, &rows, None)?, None)?;
            Ok(Arc::new(list) as ArrayRef)
        };
        columns.iter().map(list).collect()
    }

    /// With what it takes to make one batch of the rows, which nobody is asked for when it is made.
    pub(super) fn size(&self) -> usize {
        2 * self.bytes + self.groups.capacity() * size_of::<u32>() + self.batches.len() * size_of::<Vec<ArrayRef>>()
    }
}

impl Order {
    /// What the rows are ordered by: their keys, and for DISTINCT the arguments behind them.
    fn keys(&self, columns: &[ArrayRef]) -> Result<Option<Rows>> {
        let mut by: Vec<(ArrayRef, SortOptions)> =
            columns.iter().skip(self.arguments).cloned().zip(self.options.iter().copied()).collect();
        if self.is_distinct {
            let ascending = SortOptions { descending: false, nulls_first: false };
            by.extend(columns.iter().take(self.arguments).map(|column| (Arc::clone(column), ascending)));
        }
        if by.is_empty() {
            return Ok(None);
        }
        let field = |(column, options): &(ArrayRef, SortOptions)| {
            SortField::new_with_options(column.data_type().clone(), *options)
        };
        let converter = RowConverter::new(by.iter().map(field).collect())?;
        let columns: Vec<ArrayRef> = by.into_iter().map(|(column, _)| column).collect();
        Ok(Some(converter.convert_columns(&columns)?))
    }
}

fn bytes(columns: &[ArrayRef]) -> Result<usize> {
    columns.iter().try_fold(0, |sum, column| Ok(sum + column.to_data().get_slice_memory_size()?))
}

/// Where each group begins, from the groups of sorted rows.
fn offsets<'g>(groups: impl Iterator<Item = &'g u32>, count: usize) -> Result<OffsetBuffer<i32>> {
    let mut lengths = vec![0_usize; count];
    let mut rows = 0_usize;
    for group in groups {
        if let Some(length) = lengths.get_mut(*group as usize) {
            *length += 1;
        }
        rows += 1;
    }
    if i32::try_from(rows).is_err() {
        return exec_err!("too many rows in an aggregate");
    }
    Ok(OffsetBuffer::from_lengths(lengths))
}
