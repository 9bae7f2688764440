//! Makes the rows of a relation, cell by cell.
//!
//! Owns: cells and column builders. Must never know: which relation asks.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Decimal128Builder, Float32Builder, Float64Builder, Int16Builder, Int32Builder,
    Int64Builder, IntervalMonthDayNanoBuilder, ListBuilder, RecordBatch, RecordBatchOptions, StringBuilder,
    TimestampMicrosecondBuilder, UInt32Builder, new_null_array,
};
use arrow::datatypes::{DataType, Field, IntervalMonthDayNano, IntervalUnit, SchemaRef, TimeUnit};
use chrono::{DateTime, Utc};
use datafusion::common::{DataFusionError, Result, exec_err, internal_err};

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Cow<'a, str>),
    /// Microseconds since 1970 in UTC.
    Time(i64),
    /// An interval of seconds.
    Seconds(i32),
    /// An interval of microseconds.
    Micros(i64),
    Ints(Vec<i64>),
    Texts(Vec<Cow<'a, str>>),
}

/// Collects rows; columns that are not named in a row are NULL.
pub(crate) struct Rows {
    schema: SchemaRef,
    builders: Vec<ColumnBuilder>,
    /// Where the names of the last row were: rows mostly repeat them in the same order.
    positions: Vec<usize>,
    count: usize,
    failure: Option<DataFusionError>,
}

impl Rows {
    pub(crate) fn new(schema: SchemaRef) -> Self {
        let builders = schema.fields().iter().map(|field| ColumnBuilder::new(field)).collect();
        Self { schema, builders, positions: Vec::new(), count: 0, failure: None }
    }

    /// Adds a row. What does not fit the columns is reported by [`Rows::finish`].
    pub(crate) fn push<const N: usize>(&mut self, row: [(&'static str, Cell<'_>); N]) {
        self.positions.resize(N, 0);
        for (index, (name, cell)) in row.into_iter().enumerate() {
            let outcome = self.position(index, name).and_then(|at| match self.builders.get_mut(at) {
                Some(builder) => builder.pad(self.count).append(cell),
                None => internal_err!("column {name} is out of range"),
            });
            if let Err(error) = outcome {
                self.failure.get_or_insert(error.context(format!("column {name}")));
            }
        }
        self.count += 1;
    }

    /// Adds a row with a cell for every column.
    pub(crate) fn push_all<'a>(&mut self, cells: impl IntoIterator<Item = Cell<'a>>) {
        for (builder, cell) in self.builders.iter_mut().zip(cells) {
            if let Err(error) = builder.append(cell) {
                self.failure.get_or_insert(error);
            }
        }
        self.count += 1;
    }

    pub(crate) fn finish(mut self) -> Result<RecordBatch> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let arrays = self.builders.iter_mut().map(|builder| builder.pad(self.count).finish()).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.count));
        Ok(RecordBatch::try_new_with_options(self.schema, arrays, &options)?)
    }

    fn position(&mut self, index: usize, name: &'static str) -> Result<usize> {
        let last = self.positions.get(index).copied().unwrap_or_default();
        if self.schema.fields().get(last).is_some_and(|field| field.name() == name) {
            return Ok(last);
        }
        let at = self.schema.index_of(name)?;
        if let Some(slot) = self.positions.get_mut(index) {
            *slot = at;
        }
        Ok(at)
    }
}

/// Builds one column of any type that the catalogs have.
pub(crate) struct ColumnBuilder {
    kind: Kind,
    len: usize,
}

enum Kind {
    Bool(BooleanBuilder),
    Int16(Int16Builder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    UInt32(UInt32Builder),
    Float32(Float32Builder),
    Float64(Float64Builder),
    /// With what a whole number is multiplied by.
    Decimal(Decimal128Builder, i128),
    Text(StringBuilder),
    Time(TimestampMicrosecondBuilder),
    Interval(IntervalMonthDayNanoBuilder),
    Int16s(ListBuilder<Int16Builder>),
    Int32s(ListBuilder<Int32Builder>),
    UInt32s(ListBuilder<UInt32Builder>),
    Texts(ListBuilder<StringBuilder>),
    /// A type in which no relation has a value yet.
    Nulls(DataType),
}

impl ColumnBuilder {
    pub(crate) fn new(field: &Field) -> Self {
        Self { kind: Kind::new(field.data_type()), len: 0 }
    }

    /// Adds NULLs until there are `len` values.
    pub(crate) fn pad(&mut self, len: usize) -> &mut Self {
        while self.len < len {
            self.kind.append_null();
            self.len += 1;
        }
        self
    }

    pub(crate) fn append(&mut self, cell: Cell<'_>) -> Result<()> {
        self.kind.append(cell)?;
        self.len += 1;
        Ok(())
    }

    pub(crate) fn finish(&mut self) -> ArrayRef {
        match &mut self.kind {
            Kind::Bool(builder) => Arc::new(builder.finish()),
            Kind::Int16(builder) => Arc::new(builder.finish()),
            Kind::Int32(builder) => Arc::new(builder.finish()),
            Kind::Int64(builder) => Arc::new(builder.finish()),
            Kind::UInt32(builder) => Arc::new(builder.finish()),
            Kind::Float32(builder) => Arc::new(builder.finish()),
            Kind::Float64(builder) => Arc::new(builder.finish()),
            Kind::Decimal(builder, _) => Arc::new(builder.finish()),
            Kind::Text(builder) => Arc::new(builder.finish()),
            Kind::Time(builder) => Arc::new(builder.finish()),
            Kind::Interval(builder) => Arc::new(builder.finish()),
            Kind::Int16s(builder) => Arc::new(builder.finish()),
            Kind::Int32s(builder) => Arc::new(builder.finish()),
            Kind::UInt32s(builder) => Arc::new(builder.finish()),
            Kind::Texts(builder) => Arc::new(builder.finish()),
            Kind::Nulls(of) => new_null_array(of, self.len),
        }
    }
}

impl Kind {
    fn new(of: &DataType) -> Self {
        match of {
            DataType::Boolean => Self::Bool(BooleanBuilder::new()),
            DataType::Int16 => Self::Int16(Int16Builder::new()),
            DataType::Int32 => Self::Int32(Int32Builder::new()),
            DataType::Int64 => Self::Int64(Int64Builder::new()),
            DataType::UInt32 => Self::UInt32(UInt32Builder::new()),
            DataType::Float32 => Self::Float32(Float32Builder::new()),
            DataType::Float64 => Self::Float64(Float64Builder::new()),
            DataType::Decimal128(_, scale @ 0..=18) => {
                let builder = Decimal128Builder::new().with_data_type(of.clone());
                Self::Decimal(builder, 10_i128.pow(u32::from(scale.unsigned_abs())))
            }
            DataType::Utf8 => Self::Text(StringBuilder::new()),
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                Self::Time(TimestampMicrosecondBuilder::new().with_data_type(of.clone()))
            }
            DataType::Interval(IntervalUnit::MonthDayNano) => Self::Interval(IntervalMonthDayNanoBuilder::new()),
            DataType::List(item) => match item.data_type() {
                DataType::Int16 => Self::Int16s(ListBuilder::new(Int16Builder::new()).with_field(Arc::clone(item))),
                DataType::Int32 => Self::Int32s(ListBuilder::new(Int32Builder::new()).with_field(Arc::clone(item))),
                DataType::UInt32 => Self::UInt32s(ListBuilder::new(UInt32Builder::new()).with_field(Arc::clone(item))),
                DataType::Utf8 => Self::Texts(ListBuilder::new(StringBuilder::new()).with_field(Arc::clone(item))),
                _ => Self::Nulls(of.clone()),
            },
            other => Self::Nulls(other.clone()),
        }
    }

    fn append_null(&mut self) {
        match self {
            Self::Bool(builder) => builder.append_null(),
            Self::Int16(builder) => builder.append_null(),
            Self::Int32(builder) => builder.append_null(),
            Self::Int64(builder) => builder.append_null(),
            Self::UInt32(builder) => builder.append_null(),
            Self::Float32(builder) => builder.append_null(),
            Self::Float64(builder) => builder.append_null(),
            Self::Decimal(builder, _) => builder.append_null(),
            Self::Text(builder) => builder.append_null(),
            Self::Time(builder) => builder.append_null(),
            Self::Interval(builder) => builder.append_null(),
            Self::Int16s(builder) => builder.append_null(),
            Self::Int32s(builder) => builder.append_null(),
            Self::UInt32s(builder) => builder.append_null(),
            Self::Texts(builder) => builder.append_null(),
            Self::Nulls(_) => {}
        }
    }

    fn append(&mut self, cell: Cell<'_>) -> Result<()> {
        match (self, cell) {
            (kind, Cell::Null) => kind.append_null(),
            (Self::Bool(builder), Cell::Bool(value)) => builder.append_value(value),
            (Self::Int16(builder), Cell::Int(value)) => builder.append_value(narrow(value)?),
            (Self::Int32(builder), Cell::Int(value)) => builder.append_value(narrow(value)?),
            (Self::Int64(builder), Cell::Int(value)) => builder.append_value(value),
            (Self::UInt32(builder), Cell::Int(value)) => builder.append_value(narrow(value)?),
            (Self::Float32(builder), Cell::Int(value)) => builder.append_value(value as f32),
            (Self::Float32(builder), Cell::Float(value)) => builder.append_value(value as f32),
            (Self::Decimal(builder, unit), Cell::Int(value)) => builder.append_value(i128::from(value) * *unit),
            (Self::Float64(builder), Cell::Float(value)) => builder.append_value(value),
            (Self::Text(builder), Cell::Text(value)) => builder.append_value(value),
            (Self::Time(builder), Cell::Time(value)) => builder.append_value(value),
            (Self::Interval(builder), Cell::Seconds(seconds)) => {
                builder.append_value(IntervalMonthDayNano::new(0, 0, i64::from(seconds) * 1_000_000_000));
            }
            (Self::Interval(builder), Cell::Micros(micros)) => {
                builder.append_value(IntervalMonthDayNano::new(0, 0, micros.saturating_mul(1_000)));
            }
            (Self::Int16s(builder), Cell::Ints(values)) => {
                for value in values {
                    builder.values().append_value(narrow(value)?);
                }
                builder.append(true);
            }
            (Self::Int32s(builder), Cell::Ints(values)) => {
                for value in values {
                    builder.values().append_value(narrow(value)?);
                }
                builder.append(true);
            }
            (Self::UInt32s(builder), Cell::Ints(values)) => {
                for value in values {
                    builder.values().append_value(narrow(value)?);
                }
                builder.append(true);
            }
            (Self::Texts(builder), Cell::Texts(values)) => {
                for value in values {
                    builder.values().append_value(value);
                }
                builder.append(true);
            }
            (_, cell) => return internal_err!("{cell:?} does not fit the type of its column"),
        }
        Ok(())
    }
}

fn narrow<T: TryFrom<i64>>(value: i64) -> Result<T> {
    match T::try_from(value) {
        Ok(value) => Ok(value),
        Err(_) => exec_err!("{value} is out of range"),
    }
}

macro_rules! cell_of_integer {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Cell<'_> {
            fn from(value: $integer) -> Self {
                Self::Int(value.into())
            }
        }
    )*};
}
cell_of_integer!(i16, i32, i64, u32);

impl From<bool> for Cell<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(Cow::Borrowed(value))
    }
}

impl<'a> From<&'a String> for Cell<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(Cow::Borrowed(value))
    }
}

impl From<String> for Cell<'_> {
    fn from(value: String) -> Self {
        Self::Text(Cow::Owned(value))
    }
}

impl From<char> for Cell<'_> {
    fn from(value: char) -> Self {
        Self::Text(Cow::Owned(value.to_string()))
    }
}

impl From<DateTime<Utc>> for Cell<'_> {
    fn from(value: DateTime<Utc>) -> Self {
        Self::Time(value.timestamp_micros())
    }
}

impl<'a, T: Into<Cell<'a>>> From<Option<T>> for Cell<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
