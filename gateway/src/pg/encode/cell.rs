//! From a column and the array of one batch to the thing that writes one cell after the other.
//!
//! Owns: the choice of the writer. Must never know: how any type looks; the siblings do.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RunArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{ArrowPrimitiveType, DataType, Field, Int16Type, Int32Type, Int64Type, RunEndIndexType};

use catalog::pg_catalog::Registry;

use super::datetime::Layout;
use super::row::Format;
use super::writer::Writer;
use super::zone::Zone;
use super::{composite, datetime, float, interval, json, list, money, numeric, registry, scalar, tagged};
use crate::error::{Error, Result, SqlState};
use crate::pg::types;
use crate::session::vars::{ByteaOutput, Display};
use udfs::pg::interval::Style;

/// What a stream knows of a column.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) field: Field,
    pub(super) oid: u32,
    pub(super) format: Format,
}

/// How values look in the session; read once a stream.
pub(super) struct Look {
    pub(super) zone: Arc<Zone>,
    pub(super) layout: Layout,
    pub(super) interval: Style,
    pub(super) extra_float_digits: i32,
    pub(super) bytea: ByteaOutput,
    pub(super) registry: Option<Arc<Registry>>,
}

/// Writes the cells of one column of one batch.
pub(super) trait Cell {
    fn is_null(&self, row: usize) -> bool;
    /// Writes the bytes of a value that is not null, without their length.
    fn value(&mut self, row: usize, out: &mut Writer<'_>) -> Result<()>;
    /// Writes length and value, or the length -1 of a null.
    fn field(&mut self, row: usize, out: &mut Writer<'_>) -> Result<()>;
}

pub(super) type BoxCell = Box<dyn Cell>;

struct Each<F> {
    nulls: Option<NullBuffer>,
    write: F,
}

impl<F: FnMut(usize, &mut Writer<'_>) -> Result<()>> Cell for Each<F> {
    #[inline]
    fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    #[inline]
    fn value(&mut self, row: usize, out: &mut Writer<'_>) -> Result<()> {
        (self.write)(row, out)
    }

    fn field(&mut self, row: usize, out: &mut Writer<'_>) -> Result<()> {
        if self.is_null(row) {
            out.array(&(-1_i32).to_be_bytes());
            return Ok(());
        }
        let begin = out.begin();
        (self.write)(row, out)?;
        out.end(begin, begin + 4);
        Ok(())
    }
}

/// A cell that `write` writes where `nulls` allow it.
pub(super) fn each<F>(nulls: Option<&NullBuffer>, write: F) -> BoxCell
where
    F: FnMut(usize, &mut Writer<'_>) -> Result<()> + 'static,
{
    Box::new(Each { nulls: nulls.filter(|nulls| nulls.null_count() > 0).cloned(), write })
}

/// A cell over the values of a primitive array.
pub(super) fn primitive<T: ArrowPrimitiveType, F>(array: &ArrayRef, mut write: F) -> BoxCell
where
    F: FnMut(T::Native, &mut Writer<'_>) -> Result<()> + 'static,
{
    let array = array.as_primitive::<T>();
    let values = array.values().clone();
    each(array.nulls(), move |row, out| match values.get(row) {
        Some(value) => write(*value, out),
        None => Ok(()),
    })
}

impl Column {
    pub(super) fn new(field: &Field, format: Format) -> Result<Self> {
        let oid = types::oid_of(field);
        if format == Format::Binary && types::element_of(oid).unwrap_or(oid) == types::ACLITEM {
            return Err(Error::new(
                SqlState::UndefinedFunction,
                "no binary output function available for type aclitem",
            ));
        }
        Ok(Self { field: field.clone(), oid, format })
    }
}

impl Look {
    pub(super) fn new(display: &Display) -> Self {
        Self {
            zone: Arc::new(Zone::new(display.time_zone)),
            layout: Layout::new(display.date_style),
            interval: display.interval_style.of_texts(),
            extra_float_digits: display.extra_float_digits,
            bytea: display.bytea_output,
            registry: None,
        }
    }

    /// How values look inside JSON: the same in every session but for the time zone.
    pub(super) fn json(&self) -> Self {
        Self {
            zone: Arc::clone(&self.zone),
            layout: Layout::Xsd,
            interval: self.interval,
            extra_float_digits: 1,
            bytea: ByteaOutput::Hex,
            registry: self.registry.clone(),
        }
    }
}

impl fmt::Debug for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Look").field("layout", &self.layout).finish_non_exhaustive()
    }
}

/// The writer of a column's cells over the array of one batch.
pub(super) fn bind(array: &ArrayRef, column: &Column, look: &Arc<Look>) -> Result<BoxCell> {
    let format = column.format;
    Ok(match array.data_type() {
        DataType::Null => each(Some(&NullBuffer::new_null(array.len())), |_, _| Ok(())),
        DataType::Dictionary(..) => dictionary(array, column, look)?,
        DataType::RunEndEncoded(ends, _) => match ends.data_type() {
            DataType::Int16 => runs::<Int16Type>(array, column, look)?,
            DataType::Int32 => runs::<Int32Type>(array, column, look)?,
            _ => runs::<Int64Type>(array, column, look)?,
        },
        DataType::Boolean => scalar::boolean(array, format),
        data_type if data_type.is_integer() => registry::or_integer(array, column, look),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => float::cell(array, format, look),
        DataType::Decimal128(..) if column.oid == types::MONEY => money::cell(array, format),
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            numeric::cell(array, format, types::shown(&column.field))
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => tagged::text(array, column),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            scalar::binary(array, column, look)
        }
        DataType::Date32 | DataType::Date64 => datetime::date(array, format, look),
        DataType::Timestamp(..) => datetime::timestamp(array, format, look),
        DataType::Time32(_) | DataType::Time64(_) => datetime::time(array, format),
        DataType::Interval(_) | DataType::Duration(_) => interval::cell(array, format, look),
        DataType::Struct(_) => composite::cell(array, column, look)?,
        DataType::Map(..) | DataType::Union(..) => json::cell(array, column, look)?,
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(..)
        | DataType::ListView(_)
        | DataType::LargeListView(_) => list::cell(array, column, look)?,
        other => return Err(Error::internal(format!("no wire format for {other}"))),
    })
}

fn dictionary(array: &ArrayRef, column: &Column, look: &Arc<Look>) -> Result<BoxCell> {
    let dictionary = array.as_any_dictionary();
    let values = dictionary.values();
    if values.is_empty() {
        return Ok(each(Some(&NullBuffer::new_null(array.len())), |_, _| Ok(())));
    }
    let keys = dictionary.normalized_keys();
    keyed(keys, array.logical_nulls(), bind(values, column, look)?)
}

fn runs<R: RunEndIndexType>(array: &ArrayRef, column: &Column, look: &Arc<Look>) -> Result<BoxCell> {
    let Some(array) = array.as_any().downcast_ref::<RunArray<R>>() else {
        return Err(Error::internal("a run array of another index type"));
    };
    let keys = (0..array.len()).map(|row| array.get_physical_index(row)).collect();
    keyed(keys, array.logical_nulls(), bind(array.values(), column, look)?)
}

/// A cell whose rows point into another's.
fn keyed(keys: Vec<usize>, nulls: Option<NullBuffer>, mut values: BoxCell) -> Result<BoxCell> {
    Ok(each(nulls.as_ref(), move |row, out| match keys.get(row) {
        Some(key) => values.value(*key, out),
        None => Ok(()),
    }))
}
