//! Summaries of groups, as they accumulate: from rows or from other summaries, in groups, alone, in parts and in windows.
//!
//! Owns: memory and state, which is the record of a summary itself. Must never know: what a summary tells.

use std::collections::VecDeque;
use std::fmt::Debug;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StructArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Fields};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

use crate::Error;
use crate::aggregate::passes;
use crate::numbers::{columns, row};

/// What is known of many rows, such that two of them make one of all their rows.
pub(crate) trait Summary: Debug + Clone + Send + Sync + 'static {
    /// What its first row must know.
    type Setting: Debug + Clone + Send + Sync;

    /// The columns of its record.
    fn fields() -> Fields;
    /// The summary of no row.
    fn new(setting: &Self::Setting) -> Self;
    /// Whether a row counts that has no NULL.
    fn counts(_row: &[f64]) -> bool {
        true
    }
    fn add(&mut self, row: &[f64]) -> Result<(), Error>;
    fn merge(&mut self, other: &Self) -> Result<(), Error>;
    /// The summaries of records; 22023 for a record that is none.
    fn read(records: &StructArray) -> Result<Vec<Option<Self>>>;
    fn write(all: &[Option<Self>]) -> Result<ArrayRef>;
    /// The bytes that it holds apart from itself.
    fn heap(&self) -> usize {
        0
    }
}

/// A column of records as the type that its summary has; a table may have kept it as another.
pub(super) fn column(records: &StructArray, name: &str, of: &DataType) -> Result<ArrayRef> {
    match records.column_by_name(name) {
        Some(column) => Ok(cast(column, of)?),
        None => exec_err!("a record without {name}"),
    }
}

/// What an aggregate takes.
#[derive(Debug, Clone)]
pub(super) enum Input<S: Summary> {
    /// Numbers, behind so many arguments that are settings.
    Rows {
        setting: S::Setting,
        behind: usize,
    },
    Records,
}

/// One row of it.
enum Given<'a, S> {
    Row(&'a [f64]),
    Summary(&'a S),
}

impl<S: Summary> Input<S> {
    /// Gives every row that counts, with its number.
    fn each(&self, values: &[ArrayRef], mut give: impl FnMut(usize, Given<'_, S>) -> Result<()>) -> Result<()> {
        let Self::Rows { behind, .. } = self else { return each_record(values, give) };
        let columns = columns(values.get(*behind..).unwrap_or_default())?;
        let mut numbers = Vec::with_capacity(columns.len());
        for at in 0..columns.first().map_or(0, |first| first.len()) {
            if row(&columns, at, &mut numbers) && S::counts(&numbers) {
                give(at, Given::Row(&numbers))?;
            }
        }
        Ok(())
    }

    fn put(&self, into: &mut Option<S>, given: &Given<'_, S>) -> Result<(), Error> {
        match (given, self) {
            (Given::Row(row), Self::Rows { setting, .. }) => into.get_or_insert_with(|| S::new(setting)).add(row),
            (Given::Row(_), Self::Records) => Ok(()),
            (Given::Summary(more), _) => match into {
                Some(summary) => summary.merge(more),
                None => {
                    *into = Some((*more).clone());
                    Ok(())
                }
            },
        }
    }
}

fn each_record<S: Summary>(values: &[ArrayRef], mut give: impl FnMut(usize, Given<'_, S>) -> Result<()>) -> Result<()> {
    let [records] = values else { return exec_err!("{} columns are no summaries", values.len()) };
    let Some(records) = records.as_struct_opt() else { return exec_err!("a summary is a record") };
    for (at, summary) in S::read(records)?.iter().enumerate() {
        if let Some(summary) = summary {
            give(at, Given::Summary(summary))?;
        }
    }
    Ok(())
}

/// Makes the accumulators of one aggregate.
pub(super) trait Make {
    fn alone(self: Box<Self>) -> Box<dyn Accumulator>;
    fn moving(self: Box<Self>) -> Box<dyn Accumulator>;
    fn groups(self: Box<Self>) -> Box<dyn GroupsAccumulator>;
}

impl<S: Summary> Make for Input<S> {
    fn alone(self: Box<Self>) -> Box<dyn Accumulator> {
        Box::new(Alone { input: *self, summary: None })
    }

    fn moving(self: Box<Self>) -> Box<dyn Accumulator> {
        Box::new(Moving { input: *self, rows: VecDeque::new() })
    }

    fn groups(self: Box<Self>) -> Box<dyn GroupsAccumulator> {
        Box::new(Groups { input: *self, groups: Vec::new(), bytes: 0 })
    }
}

fn value<S: Summary>(summary: Option<S>) -> Result<ScalarValue> {
    ScalarValue::try_from_array(&S::write(&[summary])?, 0)
}

/// The one group of an aggregate without GROUP BY.
#[derive(Debug)]
struct Alone<S: Summary> {
    input: Input<S>,
    summary: Option<S>,
}

impl<S: Summary> Accumulator for Alone<S> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Self { input, summary } = self;
        input.each(values, |_, given| Ok(input.put(summary, &given)?))
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let Self { input, summary } = self;
        each_record(states, |_, given| Ok(input.put(summary, &given)?))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![value(self.summary.clone())?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        value(self.summary.clone())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.summary.as_ref().map_or(0, S::heap)
    }
}

/// The rows of a window that moves, as a summary each: what was added is not taken away again, for a great number would
/// leave its rounding behind.
#[derive(Debug)]
struct Moving<S: Summary> {
    input: Input<S>,
    rows: VecDeque<Option<S>>,
}

impl<S: Summary> Accumulator for Moving<S> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Self { input, rows } = self;
        let before = rows.len();
        rows.resize(before + values.first().map_or(0, |first| first.len()), None);
        input.each(values, |at, given| match rows.get_mut(before + at) {
            Some(row) => Ok(input.put(row, &given)?),
            None => exec_err!("there is no row {at}"),
        })
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let gone = values.first().map_or(0, |first| first.len());
        self.rows.drain(..gone.min(self.rows.len()));
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, _: &[ArrayRef]) -> Result<()> {
        exec_err!("the parts of a window are not merged")
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        exec_err!("a window has no state")
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut all = None;
        for row in self.rows.iter().flatten() {
            self.input.put(&mut all, &Given::Summary(row))?;
        }
        value(all)
    }

    fn size(&self) -> usize {
        let heaps: usize = self.rows.iter().flatten().map(S::heap).sum();
        size_of_val(self) + self.rows.capacity() * size_of::<Option<S>>() + heaps
    }
}

/// The summaries of many groups.
#[derive(Debug)]
struct Groups<S: Summary> {
    input: Input<S>,
    groups: Vec<Option<S>>,
    /// What they hold apart from themselves.
    bytes: usize,
}

/// Puts rows into their groups, and keeps count of the bytes.
struct Filling<'a, S: Summary> {
    input: &'a Input<S>,
    groups: &'a mut [Option<S>],
    bytes: &'a mut usize,
}

impl<S: Summary> Filling<'_, S> {
    fn put(&mut self, group: Option<usize>, given: &Given<'_, S>) -> Result<()> {
        let Some(summary) = group.and_then(|group| self.groups.get_mut(group)) else {
            return exec_err!("there is no group {group:?}");
        };
        *self.bytes -= summary.as_ref().map_or(0, S::heap);
        let put = self.input.put(summary, given);
        *self.bytes += summary.as_ref().map_or(0, S::heap);
        Ok(put?)
    }
}

impl<S: Summary> Groups<S> {
    fn filling(&mut self, count: usize) -> Filling<'_, S> {
        self.groups.resize(count.max(self.groups.len()), None);
        Filling { input: &self.input, groups: &mut self.groups, bytes: &mut self.bytes }
    }

    fn taken(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let taken = emit_to.take_needed(&mut self.groups);
        self.bytes -= taken.iter().flatten().map(S::heap).sum::<usize>();
        S::write(&taken)
    }
}

impl<S: Summary> GroupsAccumulator for Groups<S> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        let mut filling = self.filling(total_num_groups);
        filling.input.each(values, |at, given| match passes(opt_filter, at) {
            true => filling.put(group_indices.get(at).copied(), &given),
            false => Ok(()),
        })
    }

    fn merge_batch(&mut self, states: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        let mut filling = self.filling(total_num_groups);
        each_record(states, |at, given| filling.put(group_indices.get(at).copied(), &given))
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.taken(emit_to)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.taken(emit_to)?])
    }

    /// Each row is a group of its own.
    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |first| first.len());
        let mut each = vec![None; rows];
        self.input.each(values, |at, given| match each.get_mut(at) {
            Some(summary) if passes(opt_filter, at) => Ok(self.input.put(summary, &given)?),
            _ => Ok(()),
        })?;
        Ok(vec![S::write(&each)?])
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.groups.capacity() * size_of::<Option<S>>() + self.bytes
    }
}
