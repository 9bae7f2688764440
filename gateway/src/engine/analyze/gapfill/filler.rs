//! Rows in, the same rows and those that are missing out.
//!
//! Owns: the order of both, and the values of the missing ones. Must never know: plans, whence the rows come.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, UInt32Array, new_null_array};
use arrow::compute::{cast, concat, concat_batches, partition, take};
use arrow::datatypes::{DataType, Field, Int64Type, SchemaRef};
use datafusion::common::{DataFusionError, Result, exec_err};
use udfs::time::width::Buckets;

use super::invalid;
use super::line::between;

/// What a column has in the rows that are filled in.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Time,
    Series,
    Null,
    Carried {
        skips_nulls: bool,
        /// Whether a column of its own tells the rows before the first value.
        tells: bool,
    },
    Interpolated,
}

/// What never changes while rows flow.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) input: SchemaRef,
    pub(super) output: SchemaRef,
    /// One per column of the input.
    pub(super) kinds: Vec<Kind>,
    pub(super) buckets: Buckets,
    /// The start of the first bucket.
    pub(super) start: i64,
    /// No bucket begins here or later.
    pub(super) finish: i64,
}

/// Where the values of a row come from: places among the rows that are at hand.
#[derive(Debug, Clone, Copy)]
struct Pick {
    time: i64,
    /// The row itself; a row that is filled in has none.
    row: Option<u32>,
    /// A row of the same series.
    series: Option<u32>,
    before: Option<u32>,
    behind: Option<u32>,
    begins_series: bool,
}

pub(super) struct Filler {
    shape: Shape,
    /// The last row of what was at hand before, which has been given, and what came since.
    rows: RecordBatch,
    times: Int64Array,
    /// The first rows of their series among `rows`, in their order.
    firsts: Vec<u32>,
    /// The next row to give.
    at: usize,
    /// A row of the series that is given; none before the first.
    series: Option<u32>,
    /// The last row of it that was given.
    last: Option<u32>,
    begins_series: bool,
    /// The next bucket of it.
    next: Option<i64>,
    has_ended: bool,
    /// The values that are carried, one per column that carries.
    carried: Vec<Carried>,
}

struct Carried {
    /// One value.
    value: ArrayRef,
    /// Whether it is what stands before the first value.
    is_before: bool,
}

impl Filler {
    pub(super) fn new(shape: Shape) -> Self {
        let rows = RecordBatch::new_empty(Arc::clone(&shape.input));
        let of_column = |(kind, field): (&Kind, &Arc<Field>)| match kind {
            Kind::Carried { .. } => Some(Carried { value: new_null_array(field.data_type(), 1), is_before: false }),
            _ => None,
        };
        let carried = shape.kinds.iter().zip(shape.input.fields()).filter_map(of_column).collect();
        let has_series = shape.kinds.iter().any(|kind| matches!(kind, Kind::Series));
        // Rows without a key are one series, even if there are none of them.
        let next = (!has_series && shape.start < shape.finish).then_some(shape.start);
        Self {
            rows,
            times: Int64Array::from(Vec::<i64>::new()),
            firsts: Vec::new(),
            at: 0,
            series: None,
            last: None,
            begins_series: true,
            next,
            has_ended: false,
            carried,
            shape,
        }
    }

    /// Takes more rows, sorted by the keys and then by time. All that were at hand have been given.
    pub(super) fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        let known = self.rows.num_rows();
        let had = u32::from(known > 0);
        self.rows = match known {
            0 => batch.clone(),
            known => concat_batches(&self.shape.input, [&self.rows.slice(known - 1, 1), batch])?,
        };
        let kinds = || self.shape.kinds.iter().zip(self.rows.columns());
        let Some((_, times)) = kinds().find(|(kind, _)| matches!(kind, Kind::Time)) else {
            return exec_err!("gaps are in time");
        };
        if times.null_count() > 0 {
            return Err(invalid("ts cannot be NULL"));
        }
        self.times = integers(times)?;
        let keys: Vec<ArrayRef> =
            kinds().filter(|(kind, _)| matches!(kind, Kind::Series)).map(|(_, column)| Arc::clone(column)).collect();
        self.firsts = match keys.is_empty() {
            true => Vec::new(),
            false => {
                let starts = partition(&keys)?.ranges().into_iter().map(|range| range.start);
                starts.map(place).filter(|first| *first >= had).collect()
            }
        };
        self.firsts.reverse();
        self.at = usize::from(had > 0);
        let given = (had > 0).then_some(0);
        // What was the last row is the first now.
        self.series = self.series.and(given);
        self.last = self.last.and(given);
        Ok(())
    }

    /// Says that there are no more rows.
    pub(super) fn end(&mut self) {
        self.has_ended = true;
    }

    /// The next rows, at most so many; `None` when more are needed, or at the end.
    pub(super) fn give(&mut self, rows_max: usize) -> Result<Option<RecordBatch>> {
        let mut picks = Vec::new();
        while picks.len() < rows_max {
            match self.pick() {
                Some(pick) => picks.push(pick),
                None => break,
            }
        }
        if picks.is_empty() { Ok(None) } else { self.batch(&picks).map(Some) }
    }

    fn pick(&mut self) -> Option<Pick> {
        let row = place(self.at);
        let is_row = self.at < self.rows.num_rows();
        if is_row && self.firsts.last() == Some(&row) {
            // The series before it ends first.
            if self.series.is_some() && self.next.is_some() {
                return self.gap(None);
            }
            self.firsts.pop();
            (self.series, self.last, self.begins_series) = (Some(row), None, true);
            self.next = (self.shape.start < self.shape.finish).then_some(self.shape.start);
        }
        if !is_row {
            return if self.has_ended { self.gap(None) } else { None };
        }
        let time = self.times.value(self.at);
        match self.next {
            Some(next) if time > next => self.gap(Some(row)),
            next => {
                if next == Some(time) {
                    self.advance(time);
                }
                self.at += 1;
                let pick = self.picked(time, Some(row), Some(row), None);
                (self.series, self.last) = (Some(row), Some(row));
                Some(pick)
            }
        }
    }

    fn gap(&mut self, behind: Option<u32>) -> Option<Pick> {
        let time = self.next?;
        self.advance(time);
        Some(self.picked(time, None, self.series, behind))
    }

    fn picked(&mut self, time: i64, row: Option<u32>, series: Option<u32>, behind: Option<u32>) -> Pick {
        let begins_series = std::mem::take(&mut self.begins_series);
        Pick { time, row, series, before: self.last, behind, begins_series }
    }

    fn advance(&mut self, from: i64) {
        self.next = self.shape.buckets.next(from).filter(|next| *next < self.shape.finish);
    }

    fn batch(&mut self, picks: &[Pick]) -> Result<RecordBatch> {
        let mut columns = Vec::with_capacity(self.shape.output.fields().len());
        let mut told = Vec::new();
        let mut carried = self.carried.iter_mut();
        for (kind, column) in self.shape.kinds.iter().zip(self.rows.columns()) {
            columns.push(match kind {
                Kind::Time => times(picks, column.data_type())?,
                Kind::Series => taken(column, picks.iter().map(|pick| pick.series))?,
                Kind::Null => taken(column, picks.iter().map(|pick| pick.row))?,
                Kind::Interpolated => interpolated(column, picks, &self.times)?,
                Kind::Carried { skips_nulls, tells } => {
                    let Some(carried) = carried.next() else { return exec_err!("a column carries no value") };
                    let (values, before) = carried.over(column, picks, (*skips_nulls, *tells, self.shape.start))?;
                    if *tells {
                        told.push(before);
                    }
                    values
                }
            });
        }
        columns.extend(told);
        Ok(RecordBatch::try_new(Arc::clone(&self.shape.output), columns)?)
    }
}

impl Carried {
    /// The values of the rows, and which of them are what stands before the first value. It then carries the last one.
    fn over(
        &mut self,
        column: &ArrayRef,
        picks: &[Pick],
        (skips_nulls, tells, start): (bool, bool, i64),
    ) -> Result<(ArrayRef, ArrayRef)> {
        // The value that is carried is in front of the rows.
        let values = concat(&[self.value.as_ref(), column.as_ref()])?;
        let mut held = (!values.is_null(0)).then_some(0);
        let mut places = Vec::with_capacity(picks.len());
        let mut before = Vec::with_capacity(picks.len());
        for pick in picks {
            if pick.begins_series {
                (held, self.is_before) = (None, false);
            }
            let row = pick.row.map(|row| row + 1);
            let is_null = |row: u32| usize::try_from(row).is_ok_and(|row| values.is_null(row));
            match row {
                Some(row) if !(skips_nulls && is_null(row)) => {
                    (held, self.is_before) = ((!is_null(row)).then_some(row), false);
                }
                // It is looked for once, in the first bucket.
                _ if held.is_none() && tells && pick.time == start => self.is_before = true,
                _ => {}
            }
            places.push(held);
            before.push(self.is_before);
        }
        let out = taken(&values, places.into_iter())?;
        self.value = match held {
            Some(row) => values.slice(usize::try_from(row).unwrap_or(0), 1),
            None => new_null_array(values.data_type(), 1),
        };
        Ok((out, Arc::new(BooleanArray::from(before))))
    }
}

fn place(row: usize) -> u32 {
    u32::try_from(row).unwrap_or(u32::MAX)
}

/// The values at some places.
fn taken(values: &ArrayRef, places: impl Iterator<Item = Option<u32>>) -> Result<ArrayRef> {
    let places: UInt32Array = places.collect();
    if places.null_count() == places.len() {
        return Ok(new_null_array(values.data_type(), places.len()));
    }
    Ok(take(values, &places, None)?)
}

/// Days, microseconds or integers as they are counted.
fn integers(times: &ArrayRef) -> Result<Int64Array> {
    let times = match times.data_type() {
        DataType::Date32 => cast(times, &DataType::Int32)?,
        _ => Arc::clone(times),
    };
    Ok(cast(&times, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
}

fn times(picks: &[Pick], of: &DataType) -> Result<ArrayRef> {
    let times: ArrayRef = Arc::new(Int64Array::from_iter_values(picks.iter().map(|pick| pick.time)));
    let times = match of {
        DataType::Date32 => cast(&times, &DataType::Int32)?,
        _ => times,
    };
    Ok(cast(&times, of)?)
}

fn interpolated(column: &ArrayRef, picks: &[Pick], times: &Int64Array) -> Result<ArrayRef> {
    if picks.iter().all(|pick| pick.row.is_some()) || column.is_empty() {
        return taken(column, picks.iter().map(|pick| pick.row));
    }
    let place = |row: u32| usize::try_from(row).ok();
    let point = |row: Option<u32>| {
        let row = row.and_then(place)?;
        (!column.is_null(row)).then(|| (times.value(row), row))
    };
    let points = picks.iter().map(|pick| match pick.row {
        Some(row) => {
            place(row).filter(|row| !column.is_null(*row)).map(|row| (pick.time, (pick.time, row), (pick.time, row)))
        }
        None => Some((pick.time, point(pick.before)?, point(pick.behind)?)),
    });
    let points: Vec<_> = points.collect();
    match between(column, &points)? {
        Some(values) => Ok(values),
        None => Err(DataFusionError::NotImplemented(format!("interpolate of {}", column.data_type()))),
    }
}
