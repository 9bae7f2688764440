//! One pass over two sorted sides: each row of the left with the last of the right that is not behind it.
//!
//! Owns: which rows meet. It holds a batch of the left and a few batches of the right, from which its rows were chosen. Rows
//! are compared by their bytes in Arrow's row format, which sorts as they do.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array, new_null_array};
use arrow::buffer::NullBuffer;
use arrow::compute::{interleave, take};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::row::{Row, RowConverter, Rows, SortField};
use datafusion::common::{Result, internal_err};
use datafusion::physical_plan::{PhysicalExpr, SendableRecordBatchStream};
use futures::StreamExt;

use super::super::apply_exec::evaluate;
use super::exec::KEYS;
use super::node::Join;

pub(super) struct Merge {
    left: SendableRecordBatchStream,
    right: Right,
    args: Vec<Arc<dyn PhysicalExpr>>,
    keys: usize,
    /// Whether a bound on how long ago a row may be is among the arguments, and whether it is none itself.
    within: Option<bool>,
    is_strict: bool,
    keep: bool,
    schema: SchemaRef,
    /// The last row of the right that is not behind the row of the left.
    candidate: Option<(Arc<Part>, usize)>,
}

/// The rows to choose from.
struct Right {
    rows: Option<SendableRecordBatchStream>,
    shown: usize,
    keys_count: usize,
    keys: RowConverter,
    /// The keys and the time.
    all: RowConverter,
    /// How many columns `all` has.
    width: usize,
    current: Option<Arc<Part>>,
    at: usize,
}

/// A batch of the right.
struct Part {
    shown: Arc<Vec<ArrayRef>>,
    keys: Option<Rows>,
    all: Rows,
}

/// From so many batches of the right rows are chosen before those are copied and the batches given up: the rows of one
/// batch of the left can be far from each other.
const PARTS_MAX: usize = 64;

/// Which rows of the right are those of a batch of the left.
#[derive(Default)]
struct Chosen {
    parts: Vec<Arc<Vec<ArrayRef>>>,
    /// The part, counted from one, and the row in it.
    rows: Vec<Option<(usize, usize)>>,
}

impl Merge {
    pub(super) fn new(
        (left, right): (SendableRecordBatchStream, SendableRecordBatchStream),
        args: Vec<Arc<dyn PhysicalExpr>>,
        join: &Join,
        keep: bool,
        schema: SchemaRef,
    ) -> Result<Self> {
        let of = right.schema();
        let fields = of.fields().iter().skip(join.shown);
        let options = std::iter::repeat_n(KEYS, join.keys).chain(join.order.iter().copied());
        let sorted =
            fields.zip(options).map(|(field, options)| SortField::new_with_options(field.data_type().clone(), options));
        let width = join.keys + usize::from(join.has_time);
        let all: Vec<SortField> = sorted.take(width).collect();
        let keys = all.iter().take(join.keys).cloned().collect();
        let right = Right {
            rows: Some(right),
            shown: join.shown,
            keys_count: join.keys,
            keys: RowConverter::new(keys)?,
            all: RowConverter::new(all)?,
            width,
            current: None,
            at: 0,
        };
        let Join { keys, within, is_strict, .. } = *join;
        Ok(Self { left, right, args, keys, within, is_strict, keep, schema, candidate: None })
    }

    pub(super) async fn next(&mut self) -> Result<Option<RecordBatch>> {
        while let Some(batch) = self.left.next().await.transpose()? {
            if batch.num_rows() == 0 {
                continue;
            }
            let chosen = self.chosen(&batch).await?;
            if let Some(joined) = self.joined(&batch, &chosen)? {
                return Ok(Some(joined));
            }
        }
        Ok(None)
    }

    async fn chosen(&mut self, batch: &RecordBatch) -> Result<Chosen> {
        let args = evaluate(&self.args, batch)?;
        let of_keys = args.get(..self.keys).unwrap_or_default();
        let (sorted, limit) = args.split_at(self.right.width.min(args.len()));
        let keys = self.right.keys_of(of_keys)?;
        let all = self.right.all.convert_columns(sorted)?;
        let limits = match (self.within, limit) {
            (Some(_), [limit]) => {
                let columns: Vec<ArrayRef> = of_keys.iter().chain([limit]).cloned().collect();
                Some(self.right.all.convert_columns(&columns)?)
            }
            (None, []) => None,
            _ => return internal_err!("an as-of join has {} arguments", args.len()),
        };
        let unknown =
            args.iter().fold(None, |nulls, arg| NullBuffer::union(nulls.as_ref(), arg.logical_nulls().as_ref()));
        let mut chosen = Chosen::default();
        for row in 0..batch.num_rows() {
            if unknown.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                chosen.rows.push(None);
                continue;
            }
            self.advance(all.row(row)).await?;
            let is_match = |part: &Part, at: usize| {
                let is_same = match (&part.keys, &keys) {
                    (Some(of), Some(keys)) => of.row(at) == keys.row(row),
                    _ => true,
                };
                let is_recent = match (&limits, self.within) {
                    (Some(limits), Some(true)) => part.all.row(at) > limits.row(row),
                    (Some(limits), _) => part.all.row(at) >= limits.row(row),
                    (None, _) => true,
                };
                is_same && is_recent
            };
            match &self.candidate {
                Some((part, at)) if is_match(part, *at) => chosen.push(&part.shown, *at)?,
                _ => chosen.rows.push(None),
            }
        }
        Ok(chosen)
    }

    /// Goes on to the last row that is not behind `target`.
    async fn advance(&mut self, target: Row<'_>) -> Result<()> {
        loop {
            let Some((part, at)) = self.right.current().await? else { return Ok(()) };
            let row = part.all.row(at);
            let is_early = if self.is_strict { row < target } else { row <= target };
            if !is_early {
                return Ok(());
            }
            match &mut self.candidate {
                Some((of, last)) if Arc::ptr_eq(of, part) => *last = at,
                candidate => *candidate = Some((Arc::clone(part), at)),
            }
            self.right.at += 1;
        }
    }

    fn joined(&self, batch: &RecordBatch, chosen: &Chosen) -> Result<Option<RecordBatch>> {
        let mut columns = batch.columns().to_vec();
        if !self.keep {
            let rows = chosen.rows.iter().enumerate().filter(|(_, found)| found.is_some());
            let rows: UInt32Array = rows.map(|(row, _)| u32::try_from(row).ok()).collect();
            if rows.is_empty() {
                return Ok(None);
            }
            if rows.len() < batch.num_rows() {
                columns = columns.iter().map(|column| Ok(take(column, &rows, None)?)).collect::<Result<_>>()?;
            }
        }
        let places: Vec<(usize, usize)> = match self.keep {
            true => chosen.rows.iter().map(|found| found.unwrap_or_default()).collect(),
            false => chosen.rows.iter().flatten().copied().collect(),
        };
        let added = self.schema.fields().iter().skip(batch.num_columns());
        for (at, field) in added.enumerate() {
            columns.push(chosen.column(at, field.data_type(), &places)?);
        }
        Ok(Some(RecordBatch::try_new(Arc::clone(&self.schema), columns)?))
    }
}

impl Chosen {
    fn push(&mut self, part: &Arc<Vec<ArrayRef>>, at: usize) -> Result<()> {
        if !self.parts.last().is_some_and(|last| Arc::ptr_eq(last, part)) {
            if self.parts.len() >= PARTS_MAX {
                self.settle()?;
            }
            self.parts.push(Arc::clone(part));
        }
        self.rows.push(Some((self.parts.len(), at)));
        Ok(())
    }

    /// Copies the rows that were chosen so far.
    fn settle(&mut self) -> Result<()> {
        let Some(first) = self.parts.first() else { return Ok(()) };
        let places: Vec<(usize, usize)> = self.rows.iter().map(|found| found.unwrap_or_default()).collect();
        let types: Vec<DataType> = first.iter().map(|column| column.data_type().clone()).collect();
        let columns = types.iter().enumerate().map(|(at, of)| Ok(alone(self.column(at, of, &places)?)));
        self.parts = vec![Arc::new(columns.collect::<Result<_>>()?)];
        let rows = self.rows.iter_mut().enumerate();
        rows.for_each(|(row, found)| *found = found.map(|_| (1, row)));
        Ok(())
    }

    /// The values of a column at some places; part zero is a NULL.
    fn column(&self, at: usize, of: &DataType, places: &[(usize, usize)]) -> Result<ArrayRef> {
        let none = new_null_array(of, 1);
        let parts = self.parts.iter().filter_map(|part| part.get(at));
        let parts: Vec<&dyn Array> = [&none].into_iter().chain(parts).map(AsRef::as_ref).collect();
        Ok(interleave(&parts, places)?)
    }
}

/// A column without the bytes of texts that are not in it.
fn alone(column: ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Utf8View => Arc::new(column.as_string_view().gc()),
        DataType::BinaryView => Arc::new(column.as_binary_view().gc()),
        _ => column,
    }
}

impl Right {
    /// The next row; `None` behind the last.
    async fn current(&mut self) -> Result<Option<(&Arc<Part>, usize)>> {
        while self.current.as_ref().is_none_or(|part| self.at >= part.all.num_rows()) {
            let Some(rows) = &mut self.rows else { return Ok(None) };
            match rows.next().await.transpose()? {
                Some(batch) => {
                    self.current = Some(Arc::new(self.part(&batch)?));
                    self.at = 0;
                }
                None => {
                    (self.rows, self.current) = (None, None);
                    return Ok(None);
                }
            }
        }
        Ok(self.current.as_ref().map(|part| (part, self.at)))
    }

    fn part(&self, batch: &RecordBatch) -> Result<Part> {
        let (shown, sorted) = batch.columns().split_at(self.shown.min(batch.num_columns()));
        let sorted = sorted.get(..self.width).unwrap_or_default();
        let keys = self.keys_of(sorted.get(..self.keys_count).unwrap_or_default())?;
        Ok(Part { shown: Arc::new(shown.to_vec()), keys, all: self.all.convert_columns(sorted)? })
    }

    /// The rows of the keys, if there are any.
    fn keys_of(&self, columns: &[ArrayRef]) -> Result<Option<Rows>> {
        Ok(if columns.is_empty() { None } else { Some(self.keys.convert_columns(columns)?) })
    }
}
