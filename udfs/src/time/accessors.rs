//! Functions of one record that an aggregate made, such as `rate(counter_agg(...))`.
//!
//! Owns: which records a function takes. Must never know: what their fields mean.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, StructArray};
use arrow::buffer::NullBuffer;
use arrow::compute::{cast, nullif};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::points::Point;
use crate::Error;
use crate::pg_type;

/// A function of a record.
#[derive(Debug)]
pub(crate) struct Accessor {
    pub(crate) name: &'static str,
    /// The fields that the record must have.
    pub(crate) fields: &'static [&'static str],
    pub(crate) of: fn(&Record<'_>) -> Result<ArrayRef>,
}

/// The function.
pub(crate) fn accessor(of: Accessor) -> Arc<ScalarUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(Function { of, signature }))
}

/// A column of records.
pub(crate) struct Record<'a>(&'a StructArray);

impl Record<'_> {
    pub(crate) fn field(&self, name: &str) -> Result<ArrayRef> {
        match self.0.column_by_name(name) {
            Some(column) => Ok(Arc::clone(column)),
            None => exec_err!("a record without {name}"),
        }
    }

    pub(crate) fn floats(&self, name: &str) -> Result<Float64Array> {
        Ok(self.field(name)?.as_primitive::<Float64Type>().clone())
    }

    /// The seconds from the first to the last time.
    pub(crate) fn seconds(&self) -> Result<Float64Array> {
        let [first, last] = ["first_time", "last_time"].map(|name| cast(&self.field(name)?, &DataType::Int64));
        let (first, last) = (first?, last?);
        let point = |time: Option<i64>| Some(Point { time: time?, value: 0.0 });
        let pairs = first.as_primitive::<Int64Type>().iter().zip(last.as_primitive::<Int64Type>());
        Ok(pairs.map(|(first, last)| Some(point(last)?.seconds_since(&point(first)?))).collect())
    }
}

#[derive(Debug)]
struct Function {
    of: Accessor,
    signature: Signature,
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.of.name == other.of.name
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.of.name.hash(state);
    }
}

impl Function {
    fn fits(&self, given: &DataType) -> bool {
        match given {
            DataType::Struct(fields) => self.of.fields.iter().all(|name| fields.find(name).is_some()),
            _ => false,
        }
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.of.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(given.to_vec())
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let fields: Vec<FieldRef> = given.iter().map(|of| Arc::new(Field::new("x", of.clone(), true))).collect();
        let args = ReturnFieldArgs { arg_fields: &fields, scalar_arguments: &vec![None; given.len()] };
        Ok(self.return_field_from_args(args)?.data_type().clone())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        match args.arg_fields {
            [field] if self.fits(field.data_type()) => {
                let empty = arrow::array::new_empty_array(field.data_type());
                let of = (self.of.of)(&Record(empty.as_struct()))?;
                Ok(Arc::new(Field::new(self.of.name, of.data_type().clone(), true)))
            }
            given => {
                let types: Vec<_> = given.iter().map(|field| pg_type::sql_name(field)).collect();
                let message = format!("function {}({}) does not exist", self.of.name, types.join(", "));
                Err(Error::UndefinedFunction(message).into())
            }
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [arg] = args.args.as_slice() else { return exec_err!("{} takes one record", self.of.name) };
        let records = arg.to_array(1)?;
        let records: &StructArray = records.as_struct();
        let values = (self.of.of)(&Record(records))?;
        let values = match records.nulls().map(NullBuffer::inner) {
            Some(known) => nullif(&values, &arrow::array::BooleanArray::new(!known, None))?,
            None => values,
        };
        Ok(match arg {
            ColumnarValue::Scalar(_) => ColumnarValue::Scalar(ScalarValue::try_from_array(&values, 0)?),
            ColumnarValue::Array(_) => ColumnarValue::Array(values),
        })
    }
}
