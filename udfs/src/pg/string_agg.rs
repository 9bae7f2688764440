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

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, LargeBinaryBuilder, LargeStringBuilder, StringArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::AggregateUDF;

use crate::Error;
use crate::collect::{Collection, aggregate};
use crate::function::pg_name;

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
            let mut out = LargeBinaryBuilder::new();
            let bytes = |array: &BinaryArray, row: usize, out: &mut Vec<u8>| out.extend_from_slice(array.value(row));
            join((values, delimiters), groups, bytes, |joined| out.append_option(joined));
            return Ok(Arc::new(out.finish()));
        }
        let (Some(values), Some(delimiters)) = (values.as_string_opt::<i32>(), delimiters.as_string_opt::<i32>())
        else {
            return exec_err!("string_agg of {}", values.data_type());
        };
        let mut out = LargeStringBuilder::new();
        let text = |array: &StringArray, row: usize, out: &mut String| out.push_str(array.value(row));
        join((values, delimiters), groups, text, |joined| out.append_option(joined));
        Ok(Arc::new(out.finish()))
    }
}

/// Joins the values of each group in one buffer, and gives what is in it.
fn join<A: Array, B: Buffer>(
    (values, delimiters): (&A, &A),
    groups: &OffsetBuffer<i32>,
    add: impl Fn(&A, usize, &mut B),
    mut give: impl FnMut(Option<&B::Slice>),
) {
    let mut joined = B::default();
    let mut row = 0;
    for rows in groups.lengths() {
        joined.empty();
        for at in 0..rows {
            if at > 0 && delimiters.is_valid(row) {
                add(delimiters, row, &mut joined);
            }
            add(values, row, &mut joined);
            row += 1;
        }
        give((rows > 0).then(|| joined.filled()));
    }
}

/// What grows by its elements, and is reused.
trait Buffer: Default {
    type Slice: ?Sized;
    fn empty(&mut self);
    fn filled(&self) -> &Self::Slice;
}

impl Buffer for String {
    type Slice = str;

    fn empty(&mut self) {
        self.clear();
    }

    fn filled(&self) -> &str {
        self
    }
}

impl Buffer for Vec<u8> {
    type Slice = [u8];

    fn empty(&mut self) {
        self.clear();
    }

    fn filled(&self) -> &[u8] {
        self
    }
}
