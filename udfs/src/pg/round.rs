//! `round(double precision)`, `round(numeric [, places])` - to the nearest number.
//!
//! Of double precision a half goes to the even neighbour, of numeric away from zero. NULL gives NULL.
//! <https://www.postgresql.org/docs/16/functions-math.html>
//!
//! ```sql
//! SELECT round(2.5::double precision), round(2.5), round(2.567, 1);  -- 2  3  2.6
//! ```

use std::sync::Arc;

use arrow::array::{AsArray, Float64Array};
use arrow::datatypes::{DataType, FieldRef, Float64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::functions::math;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

/// The function.
pub fn round() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Round { inner: math::round() }))
}

/// DataFusion's function, whose numeric half is PostgreSQL's.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Round {
    inner: Arc<ScalarUDF>,
}

impl ScalarUDFImpl for Round {
    fn name(&self) -> &str {
        "round"
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(given)
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        self.inner.return_type(given)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.inner.return_field_from_args(args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.as_slice() {
            [ColumnarValue::Array(array)] if *array.data_type() == DataType::Float64 => {
                let rounded: Float64Array = array.as_primitive::<Float64Type>().unary(f64::round_ties_even);
                Ok(ColumnarValue::Array(Arc::new(rounded)))
            }
            [ColumnarValue::Scalar(ScalarValue::Float64(value))] => {
                Ok(ColumnarValue::Scalar(ScalarValue::Float64(value.map(f64::round_ties_even))))
            }
            _ => self.inner.invoke_with_args(args),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::shown;

    #[test]
    fn halves_are_postgres_s() {
        let float = |value: f64| ScalarValue::Float64(Some(value));
        for (value, expect) in [(2.5, "2"), (3.5, "4"), (-0.5, "-0"), (2.4, "2")] {
            assert_eq!(shown(&round(), &[float(value)]), expect);
        }
        let numeric = ScalarValue::Decimal128(Some(25), 3, 1);
        assert!(shown(&round(), &[numeric]).starts_with('3'));
    }
}
