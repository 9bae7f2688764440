//! The bounds of a file's columns, from the rows that were read of it.
//!
//! Owns: that they are those of its values. Must never know: a format.

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::Schema;
use datafusion::common::{Result, ScalarValue};
use datafusion::functions_aggregate::min_max::{MaxAccumulator, MinAccumulator};
use datafusion::logical_expr::Accumulator;

use super::bounds::{FileBounds, Range, TEXT_BYTES_MAX, is_ordered};

/// What the rows so far show.
pub(crate) struct Extremes {
    rows: u64,
    columns: Vec<(String, Option<Column>)>,
}

/// The values of a column that has bounds.
struct Column {
    least: MinAccumulator,
    greatest: MaxAccumulator,
    nulls: u64,
}

impl Extremes {
    /// Of rows with these columns.
    pub(crate) fn new(schema: &Schema) -> Result<Self> {
        let columns = schema.fields().iter().map(|field| {
            let data_type = field.data_type();
            if !is_ordered(data_type) {
                return Ok((field.name().clone(), None));
            }
            let (least, greatest) = (MinAccumulator::try_new(data_type)?, MaxAccumulator::try_new(data_type)?);
            Ok((field.name().clone(), Some(Column { least, greatest, nulls: 0 })))
        });
        Ok(Self { rows: 0, columns: columns.collect::<Result<_>>()? })
    }

    pub(crate) fn add(&mut self, rows: &RecordBatch) -> Result<()> {
        self.rows += rows.num_rows() as u64;
        for ((_, column), values) in self.columns.iter_mut().zip(rows.columns()) {
            let Some(column) = column else { continue };
            column.nulls += values.null_count() as u64;
            column.least.update_batch(std::slice::from_ref(values))?;
            column.greatest.update_batch(std::slice::from_ref(values))?;
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<FileBounds> {
        let mut bounds = FileBounds { rows: self.rows, ..FileBounds::default() };
        for (name, column) in self.columns {
            let range = match column {
                Some(Column { mut least, mut greatest, nulls }) => {
                    let (least, greatest) = (least.evaluate()?, greatest.evaluate()?);
                    (is_short(&least) && is_short(&greatest)).then_some(Range { least, greatest, nulls })
                }
                None => None,
            };
            match range {
                Some(range) => drop(bounds.columns.insert(name, range)),
                None => drop(bounds.unknown.insert(name)),
            }
        }
        Ok(bounds)
    }
}

fn is_short(value: &ScalarValue) -> bool {
    value.try_as_str().flatten().is_none_or(|text| text.len() <= TEXT_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int16Array, StringViewArray};
    use arrow::array::{Date32Array, TimestampMicrosecondArray};

    use super::*;

    fn rows(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, values)| (name, values, true)))
            .unwrap()
    }

    #[test]
    fn bounds_are_those_of_all_rows() {
        let cents = |values: Vec<Option<i128>>| Decimal128Array::from(values).with_precision_and_scale(12, 2).unwrap();
        let instants = |values: Vec<Option<i64>>| TimestampMicrosecondArray::from(values).with_timezone("UTC");
        let batch = |small: Vec<Option<i16>>, text: Vec<Option<&str>>, more: Vec<Option<i64>>| {
            let wide: Vec<Option<i128>> = more.iter().map(|value| value.map(i128::from)).collect();
            rows(vec![
                ("small", Arc::new(Int16Array::from(small.clone()))),
                ("text", Arc::new(StringViewArray::from(text))),
                ("instant", Arc::new(instants(more.clone()))),
                ("cents", Arc::new(cents(wide))),
                ("day", Arc::new(Date32Array::from(vec![None::<i32>; small.len()]))),
                ("flag", Arc::new(BooleanArray::from(small.iter().map(|of| of.map(|of| of > 0)).collect::<Vec<_>>()))),
                ("real", Arc::new(Float64Array::from(vec![1.0; small.len()]))),
            ])
        };
        let first = batch(vec![Some(3), None], vec![Some("é"), Some("a")], vec![Some(7), None]);
        let second = batch(vec![Some(-3)], vec![None], vec![Some(-8)]);
        let mut extremes = Extremes::new(&first.schema()).unwrap();
        extremes.add(&first).unwrap();
        extremes.add(&second).unwrap();
        let bounds = extremes.finish().unwrap();
        assert_eq!(bounds.rows, 3);
        assert_eq!(bounds.unknown.iter().collect::<Vec<_>>(), ["real"]);
        let shown = |name: &str| {
            let range = &bounds.columns[name];
            let field = first.schema().field_with_name(name).unwrap().data_type().clone();
            assert_eq!((range.least.data_type(), range.greatest.data_type()), (field.clone(), field), "{name}");
            format!("{} {} {}", range.least, range.greatest, range.nulls)
        };
        assert_eq!(shown("small"), "-3 3 1");
        assert_eq!(shown("text"), "a é 1");
        assert_eq!(bounds.columns["instant"].least, ScalarValue::TimestampMicrosecond(Some(-8), Some("UTC".into())));
        assert_eq!(bounds.columns["cents"].greatest, ScalarValue::Decimal128(Some(7), 12, 2));
        assert_eq!(shown("day"), "NULL NULL 3");
        assert_eq!(shown("flag"), "false true 1");
    }

    #[test]
    fn long_texts_are_no_bounds_and_no_rows_have_none() {
        let long = "x".repeat(TEXT_BYTES_MAX + 1);
        let batch = rows(vec![("text", Arc::new(StringViewArray::from(vec!["a", long.as_str()])))]);
        let mut extremes = Extremes::new(&batch.schema()).unwrap();
        extremes.add(&batch).unwrap();
        assert!(extremes.finish().unwrap().unknown.contains("text"));
        let bounds = Extremes::new(&batch.schema()).unwrap().finish().unwrap();
        assert_eq!((bounds.rows, bounds.columns["text"].nulls), (0, 0));
        assert_eq!(bounds.columns["text"].least, ScalarValue::Utf8View(None));
    }
}
