//! The least and the greatest value of each column in each file, so that a query opens only files that can answer it.
//!
//! Owns: what may be concluded from values that a file's own statistics name. Must never know: filters, a format.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, UInt64Array, new_null_array};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, FieldRef, Schema, UInt64Type};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::{Column, ColumnStatistics, Result, ScalarValue, Statistics};

/// What one file tells of its columns, by their names and in its own types.
#[derive(Debug, Default)]
pub(crate) struct FileBounds {
    pub(crate) rows: u64,
    /// Rows that are in the file and no longer in its table.
    pub(crate) deleted: u64,
    pub(crate) columns: HashMap<String, Range>,
    /// Columns of which nothing is known.
    pub(crate) unknown: HashSet<String>,
}

/// The values of a column in a file lie within these; both are NULL if it has none.
#[derive(Debug)]
pub(crate) struct Range {
    pub(crate) least: ScalarValue,
    pub(crate) greatest: ScalarValue,
    pub(crate) nulls: u64,
}

/// The bounds of all files of a table, column by column: one element for each file.
#[derive(Debug)]
pub(crate) struct Bounds {
    files: usize,
    rows: Option<UInt64Array>,
    /// Of rows; none if the files have no such rows.
    deleted: Vec<u64>,
    columns: HashMap<String, Bounded>,
    /// What is known of all files together, once it was asked for.
    all: OnceLock<Total>,
}

/// What is known for sure of some files together, by the names of columns: readers have them in orders of their own.
#[derive(Debug, Clone)]
pub(crate) struct Total {
    pub(crate) rows: Precision<usize>,
    columns: BTreeMap<String, ColumnStatistics>,
}

impl Total {
    pub(crate) fn column(&self, name: &str) -> Option<&ColumnStatistics> {
        self.columns.get(name)
    }

    fn of(&self, schema: &Schema) -> Statistics {
        let column = |field: &FieldRef| self.column(field.name()).cloned().unwrap_or_default();
        Statistics {
            num_rows: self.rows,
            total_byte_size: Precision::Absent,
            column_statistics: schema.fields().iter().map(column).collect(),
        }
    }
}

#[derive(Debug)]
struct Bounded {
    least: ArrayRef,
    greatest: ArrayRef,
    /// NULL where it is not known.
    nulls: UInt64Array,
    /// Whether there are rows with these values, and not only none beyond: a text may be cut.
    is_met: bool,
}

/// Longer texts are no bounds: there is one for each column of each file.
pub(crate) const TEXT_BYTES_MAX: usize = 128;

/// More files are not counted up for each query.
const COUNTED_MAX: usize = 256;

impl Bounds {
    /// The bounds of files of which nothing but their partitions is known.
    pub(crate) fn of_partitions(files: usize, partitions: &[(FieldRef, ArrayRef)]) -> Self {
        let columns = partitions.iter().map(|(field, values)| {
            let (least, greatest, nulls) = (Arc::clone(values), Arc::clone(values), UInt64Array::new_null(files));
            (field.name().clone(), Bounded { least, greatest, nulls, is_met: true })
        });
        Self { files, rows: None, deleted: Vec::new(), columns: columns.collect(), all: OnceLock::new() }
    }

    /// Adds what is told of the files elsewhere: it rules files out, and is no answer.
    pub(crate) fn add_hints(&mut self, schema: &Schema, files: &[FileBounds]) {
        self.add_files(schema, files);
        schema.fields().iter().for_each(|field| {
            if let Some(bounded) = self.columns.get_mut(field.name()) {
                bounded.is_met = false;
            }
        });
        if files.iter().any(|file| file.deleted > 0) {
            self.deleted = files.iter().map(|file| file.deleted).collect();
        }
    }

    /// Adds the hints of some files after the other.
    pub(crate) fn add_parts(&mut self, schema: &Schema, parts: &[Self]) -> Result<()> {
        if parts.is_empty() {
            return Ok(());
        }
        for field in
            schema.fields().iter().filter(|field| parts.iter().any(|part| part.columns.contains_key(field.name())))
        {
            let join = |of: fn(&Bounded) -> ArrayRef, data_type: &DataType| {
                let arrays: Vec<ArrayRef> = parts
                    .iter()
                    .map(|part| match part.columns.get(field.name()) {
                        Some(bounded) => of(bounded),
                        None => new_null_array(data_type, part.files),
                    })
                    .collect();
                concat(&arrays.iter().map(AsRef::as_ref).collect::<Vec<_>>())
            };
            let least = join(|bounded| Arc::clone(&bounded.least), field.data_type())?;
            let greatest = join(|bounded| Arc::clone(&bounded.greatest), field.data_type())?;
            let nulls = join(|bounded| Arc::new(bounded.nulls.clone()), &DataType::UInt64)?;
            let nulls = nulls.as_primitive::<UInt64Type>().clone();
            self.columns.insert(field.name().clone(), Bounded { least, greatest, nulls, is_met: false });
        }
        let rows: Vec<u64> =
            parts.iter().flat_map(|part| part.rows.iter().flat_map(|rows| rows.values())).copied().collect();
        if parts.iter().any(|part| !part.deleted.is_empty()) {
            let deleted =
                parts.iter().flat_map(|part| (0..part.files).map(|at| part.deleted.get(at).copied().unwrap_or(0)));
            self.deleted = deleted.collect();
        }
        self.set_rows(&rows);
        Ok(())
    }

    /// Sets how many rows each file has.
    fn set_rows(&mut self, files: &[u64]) {
        // A folder's name is the value of all rows of the file.
        for partition in self.columns.values_mut().filter(|column| column.is_met) {
            let values = &partition.least;
            let nulls = files.iter().enumerate().map(|(at, rows)| if values.is_null(at) { *rows } else { 0 });
            partition.nulls = nulls.collect();
        }
        self.rows = Some(UInt64Array::from(files.to_vec()));
    }

    /// Adds what the files tell of the columns of `schema`.
    pub(crate) fn add_files(&mut self, schema: &Schema, files: &[FileBounds]) {
        self.set_rows(&files.iter().map(|file| file.rows).collect::<Vec<_>>());
        self.add_columns(schema, &files.iter().map(Some).collect::<Vec<_>>());
    }

    fn add_columns(&mut self, schema: &Schema, files: &[Option<&FileBounds>]) {
        for field in schema.fields() {
            match column(field.name(), field.data_type(), files) {
                Ok(Some(bounded)) => drop(self.columns.insert(field.name().clone(), bounded)),
                Ok(None) => {}
                // Every file is opened then, as it would be without bounds.
                Err(error) => tracing::warn!(column = field.name(), %error, "a column has no bounds"),
            }
        }
    }

    /// Adds what is told of some of the files; the others may have any values.
    pub(crate) fn add_some(&mut self, schema: &Schema, files: &[Option<Arc<FileBounds>>]) {
        let rows = files.iter().map(|file| file.as_ref().map(|file| file.rows));
        if let Some(rows) = rows.collect::<Option<Vec<u64>>>() {
            self.set_rows(&rows);
        }
        let files: Vec<Option<&FileBounds>> = files.iter().map(Option::as_deref).collect();
        self.add_columns(schema, &files);
    }

    /// What is known for sure of some of the files together: the number of rows, the least and the greatest values.
    pub(crate) fn statistics(&self, schema: &Schema, files: &[usize]) -> Statistics {
        if files.len() == self.files {
            return self.all().of(schema);
        }
        self.sum(files, files.len() <= COUNTED_MAX).of(schema)
    }

    /// What is known for sure of all files together.
    pub(crate) fn all(&self) -> &Total {
        self.all.get_or_init(|| self.sum(&(0..self.files).collect::<Vec<_>>(), true))
    }

    /// The number of rows of each file.
    pub(crate) fn rows(&self) -> Option<&UInt64Array> {
        self.rows.as_ref()
    }

    fn sum(&self, files: &[usize], with_columns: bool) -> Total {
        let Some(rows) = &self.rows else { return Total { rows: Precision::Absent, columns: BTreeMap::new() } };
        let count: u64 = files.iter().filter_map(|at| rows.values().get(*at)).sum();
        let deleted: u64 = files.iter().filter_map(|at| self.deleted.get(*at)).sum();
        // The rows that are left may have neither the least value nor a NULL.
        let columns = self.columns.iter().filter(|_| with_columns && deleted == 0);
        Total {
            rows: usize::try_from(count.saturating_sub(deleted)).map_or(Precision::Absent, Precision::Exact),
            columns: columns.filter_map(|(name, bounded)| Some((name.clone(), bounded.sum(rows, files)?))).collect(),
        }
    }
}

impl Bounded {
    /// `None` if one of the files does not tell.
    fn sum(&self, rows: &UInt64Array, files: &[usize]) -> Option<ColumnStatistics> {
        let (mut nulls, mut least, mut greatest) = (0, None::<ScalarValue>, None::<ScalarValue>);
        for at in files {
            let (of_file, rows) = (self.nulls.is_valid(*at).then(|| self.nulls.value(*at))?, rows.value(*at));
            nulls += of_file;
            if of_file == rows {
                continue;
            }
            let low = ScalarValue::try_from_array(&self.least, *at).ok().filter(|low| !low.is_null())?;
            let high = ScalarValue::try_from_array(&self.greatest, *at).ok().filter(|high| !high.is_null())?;
            least = Some(least.filter(|least| *least <= low).unwrap_or(low));
            greatest = Some(greatest.filter(|greatest| *greatest >= high).unwrap_or(high));
        }
        let known = |value: Option<ScalarValue>| match value {
            Some(value) if self.is_met => Precision::Exact(value),
            Some(value) => Precision::Inexact(value),
            None => Precision::Absent,
        };
        Some(ColumnStatistics {
            null_count: usize::try_from(nulls).map_or(Precision::Absent, Precision::Exact),
            min_value: known(least),
            max_value: known(greatest),
            ..ColumnStatistics::new_unknown()
        })
    }
}

/// The bounds of a column in all files; `None` if its values are not ordered as those of the files.
fn column(name: &str, data_type: &DataType, files: &[Option<&FileBounds>]) -> Result<Option<Bounded>> {
    if !is_ordered(data_type) {
        return Ok(None);
    }
    let null = ScalarValue::try_from(data_type)?;
    let (mut least, mut greatest) = (Vec::with_capacity(files.len()), Vec::with_capacity(files.len()));
    let mut nulls = Vec::with_capacity(files.len());
    let mut is_known = false;
    for file in files {
        let range = file
            .and_then(|file| file.columns.get(name))
            .filter(|range| keeps_order(&range.least.data_type(), data_type));
        let bound = |value: &ScalarValue| converted(value, data_type).unwrap_or_else(|| null.clone());
        least.push(range.map_or_else(|| null.clone(), |range| bound(&range.least)));
        greatest.push(range.map_or_else(|| null.clone(), |range| bound(&range.greatest)));
        // A column that the file does not have is NULL in all of its rows.
        nulls.push(match (range, file) {
            (Some(range), _) => Some(range.nulls),
            (None, Some(file)) if !file.columns.contains_key(name) && !file.unknown.contains(name) => Some(file.rows),
            (None, _) => None,
        });
        is_known |= nulls.last().is_some_and(Option::is_some);
    }
    Ok(is_known.then_some(Bounded {
        least: ScalarValue::iter_to_array(least)?,
        greatest: ScalarValue::iter_to_array(greatest)?,
        nulls: UInt64Array::from(nulls),
        is_met: !is_text(data_type),
    }))
}

/// Types whose bounds are told. Floats are not among them: a NaN is greater than the greatest value that files name.
pub(super) fn is_ordered(data_type: &DataType) -> bool {
    data_type.is_integer()
        || matches!(
            data_type,
            DataType::Decimal128(..)
                | DataType::Date32
                | DataType::Timestamp(..)
                | DataType::Utf8
                | DataType::Utf8View
                | DataType::Boolean
        )
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// Whether values of a file keep their order in the type of the table.
fn keeps_order(file: &DataType, table: &DataType) -> bool {
    is_text(file) == is_text(table) && (*file == DataType::Boolean) == (*table == DataType::Boolean)
}

/// The value as the table shows it; `None` if it cannot.
fn converted(value: &ScalarValue, to: &DataType) -> Option<ScalarValue> {
    let converted = cast(&value.to_array().ok()?, to).ok()?;
    ScalarValue::try_from_array(&converted, 0).ok()
}

impl PruningStatistics for Bounds {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.columns.get(&column.name).map(|bounded| Arc::clone(&bounded.least))
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.columns.get(&column.name).map(|bounded| Arc::clone(&bounded.greatest))
    }

    fn num_containers(&self) -> usize {
        self.files
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let counts = |bounded: &Bounded| -> ArrayRef { Arc::new(bounded.nulls.clone()) };
        self.columns.get(&column.name).map(counts)
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        self.rows.clone().map(|rows| -> ArrayRef { Arc::new(rows) })
    }

    fn contained(&self, _column: &Column, _values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{Field, TimeUnit};

    use super::*;

    fn file(rows: u64, columns: &[(&str, ScalarValue, ScalarValue, u64)]) -> FileBounds {
        let range = |(name, least, greatest, nulls): &(&str, ScalarValue, ScalarValue, u64)| {
            ((*name).to_owned(), Range { least: least.clone(), greatest: greatest.clone(), nulls: *nulls })
        };
        let (columns, unknown) = (columns.iter().map(range).collect(), HashSet::from(["odd".to_owned()]));
        FileBounds { rows, deleted: 0, columns, unknown }
    }

    fn shown(bounds: &Bounds, name: &str) -> String {
        let column = Column::from_name(name);
        let values = |array: Option<ArrayRef>| match array {
            Some(array) => (0..array.len())
                .map(|at| ScalarValue::try_from_array(&array, at).unwrap().to_string())
                .collect::<Vec<_>>()
                .join(" "),
            None => "-".to_owned(),
        };
        let (least, greatest) = (bounds.min_values(&column), bounds.max_values(&column));
        format!("{} | {} | {}", values(least), values(greatest), values(bounds.null_counts(&column)))
    }

    #[test]
    fn bounds_are_in_the_types_of_the_table() {
        let micros = |zone: Option<&str>| DataType::Timestamp(TimeUnit::Microsecond, zone.map(Into::into));
        let schema = Schema::new(vec![
            Field::new("n", DataType::Int64, true),
            Field::new("at", micros(None), true),
            Field::new("text", DataType::Utf8View, true),
            Field::new("real", DataType::Float64, true),
            Field::new("odd", DataType::Int64, true),
        ]);
        let text = |value: &str| ScalarValue::Utf8(Some(value.to_owned()));
        let files = [
            file(
                10,
                &[
                    ("n", ScalarValue::Int32(Some(1)), ScalarValue::Int32(Some(9)), 2),
                    (
                        "at",
                        ScalarValue::TimestampMillisecond(Some(5), None),
                        ScalarValue::TimestampMillisecond(Some(7), None),
                        0,
                    ),
                    ("text", text("a"), text("b"), 0),
                    ("real", ScalarValue::Float64(Some(1.0)), ScalarValue::Float64(Some(2.0)), 0),
                ],
            ),
            // A number that the table shows as a text, and columns that are not there.
            file(3, &[("text", ScalarValue::Int32(Some(2)), ScalarValue::Int32(Some(10)), 0)]),
        ];
        let mut bounds = Bounds::of_partitions(2, &[]);
        bounds.add_files(&schema, &files);
        assert_eq!(shown(&bounds, "n"), "1 NULL | 9 NULL | 2 3");
        assert_eq!(shown(&bounds, "at"), "5000 NULL | 7000 NULL | 0 3");
        assert_eq!(shown(&bounds, "text"), "a NULL | b NULL | 0 NULL");
        assert_eq!(shown(&bounds, "real"), "- | - | -");
        assert_eq!(shown(&bounds, "odd"), "- | - | -");
    }
}
