//! `string_agg(x, delimiter) -> text`, of `text` or `bytea` - the values that are not NULL, one behind the other.
//!
//! The delimiter of a row stands before its value, but for the first; one that is NULL is empty. NULL when there is no
//! value. ORDER BY and DISTINCT are `array_agg`'s.
//! <https://www.postgresql.org/docs/16/functions-aggregate.html>
//!
//! ```sql
//! SELECT string_agg(x, ', ' ORDER BY x DESC) FROM (VALUES ('a'), (NULL), ('b')) t(x);  -- b, a
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, GenericByteArray, LargeBinaryArray, LargeStringArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{ByteArrayType, DataType, Field, FieldRef};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::AggregateUDF;

use super::array_agg::not_empty;
use crate::Error;
use crate::collect::{Collection, aggregate};
use crate::function::pg_name;
use crate::room;

/// The aggregate.
pub fn string_agg() -> Arc<AggregateUDF> {
    aggregate(Joined)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Joined;

impl Collection for Joined {
    fn name(&self) -> &'static str {
        "string_agg"
    }

    fn coerced(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        use DataType::{Binary, BinaryView, FixedSizeBinary, LargeBinary, LargeUtf8, Null, Utf8, Utf8View};
        let read = |of: &DataType| match of {
            Utf8 | LargeUtf8 | Utf8View | Null => Utf8,
            Binary | LargeBinary | BinaryView | FixedSizeBinary(_) => Binary,
            other => other.clone(),
        };
        Ok(match given {
            // A literal delimiter of bytes is a text still.
            [of, _] if read(of) == Binary => vec![Binary, Binary],
            _ => given.iter().map(read).collect(),
        })
    }

    fn returns(&self, given: &[FieldRef]) -> Result<FieldRef> {
        let types: Vec<DataType> = given.iter().map(|field| field.data_type().clone()).collect();
        let to = match self.coerced(&types)?.as_slice() {
            [DataType::Binary, DataType::Binary] => DataType::LargeBinary,
            [DataType::Utf8, DataType::Utf8] => DataType::LargeUtf8,
            _ => {
                let types: Vec<_> = types.iter().map(pg_name).collect();
                let message = format!("function string_agg({}) does not exist", types.join(", "));
                return Err(Error::UndefinedFunction(message).into());
            }
        };
        Ok(Arc::new(Field::new(self.name(), to, true)))
    }

    fn skips_nulls(&self) -> bool {
        true
    }

    fn finish(&self, arguments: &[ArrayRef], groups: &OffsetBuffer<i32>, to: &DataType) -> Result<ArrayRef> {
        let [values, delimiters] = arguments else { return exec_err!("string_agg takes a value and a delimiter") };
        if *to == DataType::LargeBinary {
            let (Some(values), Some(delimiters)) = (values.as_binary_opt::<i32>(), delimiters.as_binary_opt::<i32>())
            else {
                return exec_err!("string_agg of {}", values.data_type());
            };
            let joined = join(values, delimiters, groups)?;
            let offsets = OffsetBuffer::new(joined.offsets.into());
            return Ok(Arc::new(LargeBinaryArray::try_new(offsets, joined.bytes.into(), joined.nulls)?));
        }
        let (Some(values), Some(delimiters)) = (values.as_string_opt::<i32>(), delimiters.as_string_opt::<i32>())
        else {
            return exec_err!("string_agg of {}", values.data_type());
        };
        let joined = join(values, delimiters, groups)?;
        let offsets = OffsetBuffer::new(joined.offsets.into());
        Ok(Arc::new(LargeStringArray::try_new(offsets, joined.bytes.into(), joined.nulls)?))
    }
}

/// The joined values of all groups.
struct Texts {
    bytes: Vec<u8>,
    offsets: Vec<i64>,
    nulls: Option<NullBuffer>,
}

/// Joins the values of each group in one buffer, whose size is known before it is made.
fn join<T: ByteArrayType<Offset = i32>>(
    values: &GenericByteArray<T>,
    delimiters: &GenericByteArray<T>,
    groups: &OffsetBuffer<i32>,
) -> Result<Texts> {
    let (mut total, mut row) = (0_usize, 0);
    for rows in groups.lengths() {
        let mut of_group = 0_usize;
        for at in 0..rows {
            of_group += pieces(values, delimiters, (at, row)).map(<[u8]>::len).sum::<usize>();
            row += 1;
        }
        room::fits_a_value(of_group)?;
        total += of_group;
    }
    let _room = room::claim(total)?;
    let (mut bytes, mut offsets) = (Vec::with_capacity(total), vec![0_i64]);
    row = 0;
    for rows in groups.lengths() {
        for at in 0..rows {
            pieces(values, delimiters, (at, row)).for_each(|piece| bytes.extend_from_slice(piece));
            row += 1;
        }
        offsets.push(i64::try_from(bytes.len()).map_err(|_| Error::ValueTooLarge { bytes: bytes.len() })?);
    }
    Ok(Texts { bytes, offsets, nulls: not_empty(groups) })
}

/// What a row adds: its delimiter, unless it is the first of its group, and its value.
fn pieces<'v, T: ByteArrayType>(
    values: &'v GenericByteArray<T>,
    delimiters: &'v GenericByteArray<T>,
    (at, row): (usize, usize),
) -> impl Iterator<Item = &'v [u8]> {
    let delimiter = (at > 0 && delimiters.is_valid(row)).then(|| bytes(delimiters, row));
    delimiter.into_iter().chain([bytes(values, row)])
}

fn bytes<T: ByteArrayType>(array: &GenericByteArray<T>, row: usize) -> &[u8] {
    array.value(row).as_ref()
}
