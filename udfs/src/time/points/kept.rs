//! The points of groups, as vectors that grow and are sorted in place.
//!
//! Owns: memory and state. Must never know: what is made of the points.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{Field, Float64Type, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

use super::{Finish, Point, Series};
use crate::Error;
use crate::aggregate::passes;

/// By time, then by value, so that no order of rows shows.
fn order(one: &Point, other: &Point) -> Ordering {
    one.time.cmp(&other.time).then_with(|| {
        let values = one.value.partial_cmp(&other.value);
        values.unwrap_or_else(|| one.value.is_nan().cmp(&other.value.is_nan()))
    })
}

/// Sorts without memory of its own; points mostly come in order.
fn sort(points: &mut [Point]) {
    if !points.is_sorted_by(|one, other| order(one, other) != Ordering::Greater) {
        points.sort_unstable_by(order);
    }
}

fn heap(points: &Vec<Point>) -> usize {
    points.capacity() * size_of::<Point>()
}

/// The points of groups as columns of state.
fn state<'p>(groups: impl Iterator<Item = &'p [Point]> + Clone) -> Result<[ArrayRef; 2]> {
    let rows: usize = groups.clone().map(<[Point]>::len).sum();
    if i32::try_from(rows).is_err() {
        return Err(Error::LimitExceeded("an aggregate has more than 2147483647 points".to_owned()).into());
    }
    let offsets = OffsetBuffer::from_lengths(groups.clone().map(<[Point]>::len));
    let times: Int64Array = groups.clone().flatten().map(|point| point.time).collect();
    let values: Float64Array = groups.flatten().map(|point| point.value).collect();
    let list = |items: ArrayRef| -> Result<ArrayRef> {
        let item = Field::new_list_field(items.data_type().clone(), false);
        Ok(Arc::new(ListArray::try_new(Arc::new(item), offsets.clone(), items, None)?))
    };
    Ok([list(Arc::new(times))?, list(Arc::new(values))?])
}

/// Gives every list of points of a state, with its row.
fn each_state(states: &[ArrayRef], mut give: impl FnMut(usize, &[i64], &[f64])) -> Result<()> {
    let [times, values] = states else { return exec_err!("{} columns are no points", states.len()) };
    let (times, values) = (times.as_list::<i32>(), values.as_list::<i32>());
    let (all_times, all_values) =
        (times.values().as_primitive::<Int64Type>().values(), values.values().as_primitive::<Float64Type>().values());
    let range = |offsets: &[i32], row: usize| -> Option<std::ops::Range<usize>> {
        Some(usize::try_from(*offsets.get(row)?).ok()?..usize::try_from(*offsets.get(row + 1)?).ok()?)
    };
    for row in 0..times.len() {
        let times = range(times.value_offsets(), row).and_then(|range| all_times.get(range));
        let values = range(values.value_offsets(), row).and_then(|range| all_values.get(range));
        if let (Some(times), Some(values)) = (times, values) {
            give(row, times, values);
        }
    }
    Ok(())
}

fn joined<'a>(times: &'a [i64], values: &'a [f64]) -> impl Iterator<Item = Point> + 'a {
    times.iter().zip(values).map(|(time, value)| Point { time: *time, value: *value })
}

/// The points of many groups.
#[derive(Debug)]
pub(super) struct Groups<S: Series> {
    finish: Finish<S>,
    groups: Vec<Vec<Point>>,
    bytes: usize,
}

impl<S: Series> Groups<S> {
    pub(super) fn new(finish: Finish<S>) -> Self {
        Self { finish, groups: Vec::new(), bytes: 0 }
    }

    fn groups_are(&mut self, count: usize) {
        self.groups.resize_with(count.max(self.groups.len()), Vec::new);
    }

    fn push(&mut self, group: usize, points: impl Iterator<Item = Point>) {
        let Some(kept) = self.groups.get_mut(group) else { return };
        self.bytes -= heap(kept);
        kept.extend(points);
        self.bytes += heap(kept);
    }

    fn taken(&mut self, emit_to: EmitTo) -> Vec<Vec<Point>> {
        let taken = match emit_to {
            EmitTo::All => std::mem::take(&mut self.groups),
            EmitTo::First(count) => self.groups.drain(..count.min(self.groups.len())).collect(),
        };
        self.bytes -= taken.iter().map(heap).sum::<usize>();
        taken
    }
}

impl<S: Series> GroupsAccumulator for Groups<S> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.groups_are(total_num_groups);
        let point = self.finish.columns.read(values)?;
        for (row, group) in group_indices.iter().enumerate() {
            if passes(opt_filter, row) {
                self.push(*group, point(row).into_iter());
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.groups_are(total_num_groups);
        each_state(states, |row, times, values| {
            if let Some(group) = group_indices.get(row) {
                self.push(*group, joined(times, values));
            }
        })
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let mut taken = self.taken(emit_to);
        taken.iter_mut().for_each(|points| sort(points));
        let groups: Vec<&[Point]> = taken.iter().map(Vec::as_slice).collect();
        self.finish.of.finish(&self.finish.setting, &groups, &self.finish.to)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let taken = self.taken(emit_to);
        Ok(state(taken.iter().map(Vec::as_slice))?.to_vec())
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let point = self.finish.columns.read(values)?;
        let counts = |row: &usize| passes(opt_filter, *row);
        let rows = 0..values.first().map_or(0, |first| first.len());
        let points: Vec<Option<Point>> = rows.map(|row| Some(row).filter(counts).and_then(&point)).collect();
        Ok(state(points.iter().map(Option::as_slice))?.to_vec())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.groups.capacity() * size_of::<Vec<Point>>() + self.bytes
    }
}

/// All points of a query.
#[derive(Debug)]
pub(super) struct Alone<S: Series> {
    finish: Finish<S>,
    points: Vec<Point>,
}

impl<S: Series> Alone<S> {
    pub(super) fn new(finish: Finish<S>) -> Self {
        Self { finish, points: Vec::new() }
    }
}

impl<S: Series> Accumulator for Alone<S> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let point = self.finish.columns.read(values)?;
        self.points.extend((0..values.first().map_or(0, |first| first.len())).filter_map(point));
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        each_state(states, |_, times, values| self.points.extend(joined(times, values)))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let columns = state(std::iter::once(self.points.as_slice()))?;
        columns.iter().map(|column| ScalarValue::try_from_array(column, 0)).collect()
    }

    /// Points that are sorted stay what they are.
    fn evaluate(&mut self) -> Result<ScalarValue> {
        sort(&mut self.points);
        let Finish { of, setting, to, .. } = &self.finish;
        ScalarValue::try_from_array(&of.finish(setting, &[self.points.as_slice()], to)?, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + heap(&self.points)
    }
}

/// The points of a window that moves, in the order of its rows.
#[derive(Debug)]
pub(super) struct Moving<S: Series> {
    finish: Finish<S>,
    points: VecDeque<Point>,
}

impl<S: Series> Moving<S> {
    pub(super) fn new(finish: Finish<S>) -> Self {
        Self { finish, points: VecDeque::new() }
    }
}

impl<S: Series> Accumulator for Moving<S> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let point = self.finish.columns.read(values)?;
        self.points.extend((0..values.first().map_or(0, |first| first.len())).filter_map(point));
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let point = self.finish.columns.read(values)?;
        let count = (0..values.first().map_or(0, |first| first.len())).filter_map(point).count();
        self.points.drain(..count.min(self.points.len()));
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        each_state(states, |_, times, values| self.points.extend(joined(times, values)))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let columns = state(std::iter::once(&*self.points.make_contiguous()))?;
        columns.iter().map(|column| ScalarValue::try_from_array(column, 0)).collect()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut points: Vec<Point> = self.points.iter().copied().collect();
        sort(&mut points);
        let Finish { of, setting, to, .. } = &self.finish;
        ScalarValue::try_from_array(&of.finish(setting, &[points.as_slice()], to)?, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + 2 * self.points.capacity() * size_of::<Point>()
    }
}
