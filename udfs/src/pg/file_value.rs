//! `lakegate_file_value(x)` - values as a file holds them, as this server's: uuids, instants, days and spans.
//!
//! Columns of files are planned as calls of it where a cast of Arrow's would not do: 16 bytes become the 36 characters of
//! a uuid, which sort and compare as the bytes do; spans end at microseconds; an instant beyond what the type holds is
//! 22008. It reads arrays of uuids too. NULL gives NULL. Users never name it.
//! <https://www.postgresql.org/docs/16/datatype-uuid.html>

use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, FixedSizeBinaryArray, ListArray, StringViewBuilder};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, IntervalMonthDayNano, IntervalMonthDayNanoType};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::Error;

/// The function that makes such a column.
pub fn file_value(target: &Field) -> Arc<ScalarUDF> {
    let signature = Signature::any(1, Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(FileValue { target: Arc::new(target.clone()), signature }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct FileValue {
    target: FieldRef,
    signature: Signature,
}

impl ScalarUDFImpl for FileValue {
    fn name(&self) -> &str {
        "lakegate_file_value"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.target.data_type().clone())
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::clone(&self.target))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(match args.args.as_slice() {
            [ColumnarValue::Array(values)] => ColumnarValue::Array(shown(values, self.target.data_type())?),
            [ColumnarValue::Scalar(value)] => {
                let text = shown(&value.to_array_of_size(1)?, self.target.data_type())?;
                ColumnarValue::Scalar(ScalarValue::try_from_array(&text, 0)?)
            }
            _ => return exec_err!("{} takes one value", self.name()),
        })
    }
}

fn shown(values: &ArrayRef, target: &DataType) -> Result<ArrayRef> {
    if let DataType::List(item) = target {
        let bytes = match values.data_type() {
            DataType::List(inner) | DataType::LargeList(inner) | DataType::FixedSizeList(inner, _) => Arc::clone(inner),
            other => return exec_err!("uuids in {other}"),
        };
        let lists = cast(values, &DataType::List(bytes))?;
        let lists = lists.as_list::<i32>();
        let elements = shown(lists.values(), item.data_type())?;
        let nulls = lists.nulls().cloned();
        return Ok(Arc::new(ListArray::try_new(Arc::clone(item), lists.offsets().clone(), elements, nulls)?));
    }
    if *target == DataType::Utf8View {
        let bytes = cast(values, &DataType::FixedSizeBinary(16))?;
        return Ok(texts(bytes.as_fixed_size_binary()));
    }
    let name = match target {
        DataType::Date32 => "date",
        DataType::Interval(_) => "interval",
        _ => "timestamp",
    };
    let exact = CastOptions { safe: false, ..CastOptions::default() };
    let read = cast_with_options(values, target, &exact).map_err(|_| Error::FileValue(name))?;
    Ok(match target {
        DataType::Interval(_) => {
            Arc::new(read.as_primitive::<IntervalMonthDayNanoType>().unary::<_, IntervalMonthDayNanoType>(|span| {
                IntervalMonthDayNano { nanoseconds: span.nanoseconds - span.nanoseconds % 1_000, ..span }
            }))
        }
        _ => read,
    })
}

fn texts(uuids: &FixedSizeBinaryArray) -> ArrayRef {
    let mut out = StringViewBuilder::with_capacity(uuids.len());
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    for bytes in uuids {
        let uuid = bytes.and_then(|bytes| uuid::Uuid::from_slice(bytes).ok());
        out.append_option(uuid.map(|uuid| &*uuid.hyphenated().encode_lower(&mut text)));
    }
    Arc::new(out.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::shown;

    #[test]
    fn sixteen_bytes_are_a_uuid() {
        let udf = file_value(&Field::new("u", DataType::Utf8View, true));
        let value = ScalarValue::FixedSizeBinary(16, Some((0..16).collect()));
        assert_eq!(shown(&udf, &[value]), "00010203-0405-0607-0809-0a0b0c0d0e0f");
        assert_eq!(shown(&udf, &[ScalarValue::FixedSizeBinary(16, None)]), "NULL");
        let days = file_value(&Field::new("d", DataType::Date32, true));
        assert_eq!(shown(&days, &[ScalarValue::Date64(Some(86_400_000))]), "1970-01-02");
    }
}
