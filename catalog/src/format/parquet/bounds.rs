//! The bounds of a file's columns, from the statistics of its row groups.
//!
//! Owns: which of them can be believed. Must never do: read.

use std::collections::HashSet;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, Schema, TimeUnit};
use datafusion::common::ScalarValue;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::file::metadata::ParquetMetaData;

use crate::format::bounds::{FileBounds, Range, TEXT_BYTES_MAX};

/// The bounds of the columns of `schema`, which is that of the file.
pub(crate) fn of(metadata: &ParquetMetaData, schema: &Schema, rows: usize) -> FileBounds {
    let mut bounds = FileBounds { rows: rows as u64, ..FileBounds::default() };
    let unsorted = unsorted(metadata);
    for field in schema.fields() {
        let range = (is_told(field.data_type()) && !unsorted.contains(field.name()))
            .then(|| range(metadata, schema, field.name()))
            .flatten();
        match range {
            Some(range) => drop(bounds.columns.insert(field.name().clone(), range)),
            None => drop(bounds.unknown.insert(field.name().clone())),
        }
    }
    bounds
}

/// Types whose bounds are in the statistics as they are in the values. Days in milliseconds and instants in seconds are shown
/// by functions (`adapt`).
fn is_told(data_type: &DataType) -> bool {
    data_type.is_integer()
        || matches!(
            data_type,
            DataType::Boolean
                | DataType::Date32
                | DataType::Decimal128(..)
                | DataType::Utf8
                | DataType::LargeUtf8
                | DataType::Utf8View
                | DataType::Timestamp(TimeUnit::Millisecond | TimeUnit::Microsecond | TimeUnit::Nanosecond, _)
        )
}

/// Columns with statistics of the first kind, whose order is not that of unsigned numbers and texts.
fn unsorted(metadata: &ParquetMetaData) -> HashSet<String> {
    let columns = metadata.row_groups().iter().flat_map(|group| group.columns());
    let old = columns.filter(|column| column.statistics().is_some_and(|known| known.is_min_max_deprecated()));
    old.filter_map(|column| column.column_path().parts().first().cloned()).collect()
}

/// The bounds of a column; `None` if a row group does not tell them.
fn range(metadata: &ParquetMetaData, schema: &Schema, name: &str) -> Option<Range> {
    let converter = StatisticsConverter::try_new(name, schema, metadata.file_metadata().schema_descr()).ok()?;
    let converter = converter.with_missing_null_counts_as_zero(false);
    let groups = metadata.row_groups();
    let (mins, maxes) = (converter.row_group_mins(groups).ok()?, converter.row_group_maxes(groups).ok()?);
    let nulls = converter.row_group_null_counts(groups).ok()?;
    let mut all_nulls = 0_u64;
    let (mut least, mut greatest) = (ScalarValue::try_from(mins.data_type()).ok()?, None);
    for (at, group) in groups.iter().enumerate() {
        let of_group = nulls.is_valid(at).then(|| nulls.value(at))?;
        all_nulls += of_group;
        if u64::try_from(group.num_rows()).ok()? == of_group {
            continue;
        }
        let (min, max) = (bound(&mins, at)?, bound(&maxes, at)?);
        if least.is_null() || min < least {
            least = min;
        }
        if greatest.as_ref().is_none_or(|greatest| max > *greatest) {
            greatest = Some(max);
        }
    }
    let greatest = greatest.unwrap_or_else(|| least.clone());
    Some(Range { least, greatest, nulls: all_nulls })
}

fn bound(values: &ArrayRef, at: usize) -> Option<ScalarValue> {
    if values.is_null(at) {
        return None;
    }
    let value = ScalarValue::try_from_array(values, at).ok()?;
    let is_short = value.try_as_str().flatten().is_none_or(|text| text.len() <= TEXT_BYTES_MAX);
    is_short.then_some(value)
}
