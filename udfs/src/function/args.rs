//! What a kernel reads its arguments from and builds its result with.
//!
//! Owns: constants read once, columns read by row, results built by row. Must never know: any function.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayAccessor, ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanArray, BooleanBuilder, Date32Array,
    Decimal128Array, Float64Array, Int64Array, IntervalMonthDayNanoArray, ListArray, PrimitiveBuilder, StringArray,
    StringBuilder, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, FieldRef, TimestampMicrosecondType};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use crate::Error;
use crate::room::Growing;

/// The greatest text that a function makes.
pub(crate) const TEXT_BYTES_MAX: usize = 16 << 20;

/// The arguments of one call.
pub(crate) struct Args<'a> {
    columns: Vec<(ArrayRef, bool)>,
    /// How many values the kernel gives.
    pub(crate) rows: usize,
    /// The result's Arrow type.
    pub(crate) returns: &'a DataType,
    /// The session's time zone.
    pub(crate) zone: &'a str,
    fields: &'a [FieldRef],
}

impl<'a> Args<'a> {
    pub(super) fn new(call: &'a ScalarFunctionArgs, rows: usize) -> Result<Self> {
        let columns = call
            .args
            .iter()
            .map(|arg| match arg {
                ColumnarValue::Scalar(value) => Ok((value.to_array_of_size(1)?, true)),
                ColumnarValue::Array(array) => Ok((Arc::clone(array), false)),
            })
            .collect::<Result<_>>()?;
        let zone = call.config_options.execution.time_zone.as_deref().unwrap_or("UTC");
        Ok(Self { columns, rows, returns: call.return_field.data_type(), zone, fields: &call.arg_fields })
    }

    /// Whether the argument is an `int2vector` or an `oidvector`, which count from 0.
    pub(crate) fn is_vector(&self, index: usize) -> bool {
        let tag = self.fields.get(index).and_then(|field| crate::pg_type::tag(field));
        matches!(tag, Some("int2vector" | "oidvector"))
    }

    /// How many arguments the call has.
    pub(crate) fn len(&self) -> usize {
        self.columns.len()
    }

    /// The argument as it is; a constant has one row.
    pub(crate) fn array(&self, index: usize) -> Result<&ArrayRef> {
        match self.columns.get(index) {
            Some((array, _)) => Ok(array),
            None => exec_err!("argument {} is missing", index + 1),
        }
    }

    /// The argument with one value per row.
    pub(crate) fn expanded(&self, index: usize) -> Result<ArrayRef> {
        let array = self.array(index)?;
        if array.len() == self.rows {
            return Ok(Arc::clone(array));
        }
        let zeros = arrow::array::UInt64Array::from_value(0, self.rows);
        Ok(arrow::compute::take(array, &zeros, None)?)
    }

    /// The argument as an array of type `A`.
    pub(crate) fn column<A: Array + 'static>(&self, index: usize) -> Result<Column<'_, A>> {
        let array = self.array(index)?;
        let constant = self.columns.get(index).is_some_and(|(_, constant)| *constant);
        match array.as_any().downcast_ref::<A>() {
            Some(array) => Ok(Column { array, constant }),
            None => exec_err!("argument {} has type {}", index + 1, array.data_type()),
        }
    }

    pub(crate) fn text(&self, index: usize) -> Result<Column<'_, StringArray>> {
        self.column(index)
    }

    pub(crate) fn bytes(&self, index: usize) -> Result<Column<'_, BinaryArray>> {
        self.column(index)
    }

    pub(crate) fn int(&self, index: usize) -> Result<Column<'_, Int64Array>> {
        self.column(index)
    }

    pub(crate) fn float(&self, index: usize) -> Result<Column<'_, Float64Array>> {
        self.column(index)
    }

    pub(crate) fn numeric(&self, index: usize) -> Result<Column<'_, Decimal128Array>> {
        self.column(index)
    }

    pub(crate) fn boolean(&self, index: usize) -> Result<Column<'_, BooleanArray>> {
        self.column(index)
    }

    pub(crate) fn date(&self, index: usize) -> Result<Column<'_, Date32Array>> {
        self.column(index)
    }

    /// A timestamp with or without time zone, in microseconds.
    pub(crate) fn timestamp(&self, index: usize) -> Result<Column<'_, TimestampMicrosecondArray>> {
        self.column(index)
    }

    pub(crate) fn interval(&self, index: usize) -> Result<Column<'_, IntervalMonthDayNanoArray>> {
        self.column(index)
    }

    pub(crate) fn list(&self, index: usize) -> Result<Column<'_, ListArray>> {
        self.column(index)
    }

    /// A result of texts, none longer than a function may make (54000): a recursive query doubles a text quickly.
    pub(crate) fn build_text<S: AsRef<str>>(
        &self,
        mut row: impl FnMut(usize) -> Result<Option<S>>,
    ) -> Result<ArrayRef> {
        let mut out = StringBuilder::with_capacity(self.rows, self.rows * 8);
        let mut room = Growing::default();
        for index in 0..self.rows {
            let text = row(index)?;
            let bytes = text.as_ref().map_or(0, |text| text.as_ref().len());
            if bytes > TEXT_BYTES_MAX {
                let message = format!("result of text function is larger than {TEXT_BYTES_MAX} bytes");
                return Err(Error::LimitExceeded(message).into());
            }
            room.reach(out.values_slice().len() + bytes)?;
            out.append_option(text);
        }
        Ok(Arc::new(out.finish()))
    }

    /// A result of truth values.
    pub(crate) fn build_bool(&self, mut row: impl FnMut(usize) -> Result<Option<bool>>) -> Result<ArrayRef> {
        let mut out = BooleanBuilder::with_capacity(self.rows);
        for index in 0..self.rows {
            out.append_option(row(index)?);
        }
        Ok(Arc::new(out.finish()))
    }

    /// A result of numbers of type `T`, whose precision, scale or zone is the result type's.
    pub(crate) fn build<T: ArrowPrimitiveType>(
        &self,
        mut row: impl FnMut(usize) -> Result<Option<T::Native>>,
    ) -> Result<ArrayRef> {
        let mut out = PrimitiveBuilder::<T>::with_capacity(self.rows);
        for index in 0..self.rows {
            out.append_option(row(index)?);
        }
        Ok(Arc::new(out.finish().with_data_type(self.returns.clone())))
    }

    /// A result of timestamps in microseconds.
    pub(crate) fn build_timestamp(&self, row: impl FnMut(usize) -> Result<Option<i64>>) -> Result<ArrayRef> {
        self.build::<TimestampMicrosecondType>(row)
    }
}

/// One argument, constant or not, read by row.
pub(crate) struct Column<'a, A> {
    array: &'a A,
    constant: bool,
}

impl<'a, A> Column<'a, A>
where
    &'a A: ArrayAccessor,
{
    /// The value of a row, unless it is NULL.
    pub(crate) fn get(&self, row: usize) -> Option<<&'a A as ArrayAccessor>::Item> {
        let index = if self.constant { 0 } else { row };
        // The engine gives every column of a call `rows` values, so `value` stays in bounds.
        (!self.array.is_null(index)).then(|| self.array.value(index))
    }
}

/// The value of an option, or NULL for the row.
macro_rules! some {
    ($value:expr) => {
        match $value {
            Some(value) => value,
            None => return Ok(None),
        }
    };
}
pub(crate) use some;
