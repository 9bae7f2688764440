//! `round(x)`, `trunc(x)` of double precision; `round(x [, places])`, `trunc(x [, places])` of numeric.
//!
//! `round` of double precision gives a half to the even neighbour, of numeric away from zero; `trunc` cuts toward zero.
//! Constant `places` set the scale of a numeric result; others keep the argument's. Double precision takes `places` too,
//! which PostgreSQL refuses. NULL gives NULL; a result that does not fit is 22003.
//! <https://www.postgresql.org/docs/16/functions-math.html>
//!
//! ```sql
//! SELECT round(2.5::double precision), round(2.5), round(2.567, 1), trunc(2.567, 1);  -- 2  3  2.6  2.5
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Decimal128Array, Float64Array, Int64Array};
use arrow::compute::{cast, try_binary, unary};
use arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef, Float64Type, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::Error;
use crate::function::pg_name;

/// `round`.
pub fn round() -> Arc<ScalarUDF> {
    udf(Mode::Nearest)
}

/// `trunc`.
pub fn trunc() -> Arc<ScalarUDF> {
    udf(Mode::TowardZero)
}

fn udf(mode: Mode) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Round { mode, signature: Signature::user_defined(Volatility::Immutable) }))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Mode {
    Nearest,
    TowardZero,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Round {
    mode: Mode,
    signature: Signature,
}

const PRECISION_MAX: u8 = 38;

impl ScalarUDFImpl for Round {
    fn name(&self) -> &str {
        match self.mode {
            Mode::Nearest => "round",
            Mode::TowardZero => "trunc",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Places keep their type: a cast in the plan would hide that they are constant until the plan's types are fixed.
    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let value = |of: &DataType, has_places: bool| match of {
            DataType::Decimal128(..) => of.clone(),
            DataType::Decimal32(p, s) | DataType::Decimal64(p, s) => DataType::Decimal128(*p, *s),
            DataType::Decimal256(_, s) => DataType::Decimal128(PRECISION_MAX, *s),
            of if of.is_integer() && has_places => DataType::Decimal128(20, 0),
            _ => DataType::Float64,
        };
        match given {
            [of] if of.is_numeric() || *of == DataType::Null => Ok(vec![value(of, false)]),
            [of, places] if (of.is_numeric() || *of == DataType::Null) && places.is_integer() => {
                Ok(vec![value(of, true), places.clone()])
            }
            [of, DataType::Null] if of.is_numeric() => Ok(vec![value(of, true), DataType::Int64]),
            _ => {
                let types: Vec<_> = given.iter().map(pg_name).collect();
                plan_err!("function {}({}) does not exist", self.name(), types.join(", "))
            }
        }
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        match given {
            [DataType::Decimal128(precision, scale)] => Ok(numeric(*precision, *scale, 0)),
            [DataType::Decimal128(precision, scale), _] => Ok(numeric(*precision, *scale, *scale)),
            _ => Ok(DataType::Float64),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let given: Vec<_> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let arrow = match (given.first(), args.scalar_arguments.get(1)) {
            // A plain literal is Int64. Another constant type may come of folding, which must not change the result's type.
            (Some(DataType::Decimal128(precision, scale)), Some(Some(ScalarValue::Int64(Some(places)))))
                if *places <= i64::from(PRECISION_MAX) =>
            {
                numeric(*precision, *scale, i8::try_from(*places.max(&0)).unwrap_or(0))
            }
            _ => self.return_type(&given)?,
        };
        Ok(Arc::new(Field::new(self.name(), arrow, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let places = match arrays.get(1) {
            Some(places) => Some(cast(places, &DataType::Int64)?.as_primitive::<Int64Type>().clone()),
            None => None,
        };
        let result: ArrayRef = match arrays.first().map(|values| (values, values.data_type())) {
            Some((values, DataType::Float64)) => {
                Arc::new(self.floats(values.as_primitive::<Float64Type>(), places.as_ref())?)
            }
            Some((values, DataType::Decimal128(_, scale))) => {
                let target = args.return_field.data_type();
                let values = values.as_primitive::<Decimal128Type>();
                Arc::new(self.decimals(values, *scale, places.as_ref(), target)?)
            }
            _ => return exec_err!("{} takes a number", self.name()),
        };
        Ok(if constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?)
        } else {
            ColumnarValue::Array(result)
        })
    }
}

/// The type of a result with `scale` decimals; one digit more, as 9.9 rounds to 10.
fn numeric(precision: u8, scale: i8, to: i8) -> DataType {
    let whole = i16::from(precision) - i16::from(scale);
    let precision = (whole + i16::from(to) + 1).clamp(1, i16::from(PRECISION_MAX));
    DataType::Decimal128(u8::try_from(precision).unwrap_or(PRECISION_MAX), to)
}

impl Round {
    fn floats(&self, values: &Float64Array, places: Option<&Int64Array>) -> Result<Float64Array> {
        let Some(places) = places else {
            return Ok(match self.mode {
                Mode::Nearest => unary(values, f64::round_ties_even),
                Mode::TowardZero => unary(values, f64::trunc),
            });
        };
        Ok(try_binary(values, places, |value, places| {
            let Ok(places @ -308..=308) = i32::try_from(places) else { return Ok(value) };
            let factor = 10_f64.powi(places);
            let scaled = value * factor;
            if !scaled.is_finite() {
                return Ok(value);
            }
            Ok(match self.mode {
                Mode::Nearest => scaled.round() / factor,
                Mode::TowardZero => scaled.trunc() / factor,
            })
        })?)
    }

    fn decimals(
        &self,
        values: &Decimal128Array,
        scale: i8,
        places: Option<&Int64Array>,
        target: &DataType,
    ) -> Result<Decimal128Array> {
        let DataType::Decimal128(precision, to) = target else { return exec_err!("{target} is not numeric") };
        let zeros;
        let places = match places {
            Some(places) => places,
            None => {
                zeros = Int64Array::from_value(0, values.len());
                &zeros
            }
        };
        let limit = power(i64::from(*precision)).unwrap_or(i128::MAX);
        let overflow = || arrow::error::ArrowError::from_external_error(Box::new(Error::NumericOverflow("value")));
        let result: Decimal128Array = try_binary(values, places, |value, places| {
            let rounded = self.decimal(value, i64::from(scale), places, i64::from(*to)).ok_or_else(overflow)?;
            if rounded.abs() >= limit { Err(overflow()) } else { Ok(rounded) }
        })
        .map_err(unwrapped)?;
        Ok(result.with_data_type(target.clone()))
    }

    /// `value / 10^scale` to `places`, as a mantissa of scale `to`; `None` when it does not fit.
    fn decimal(&self, value: i128, scale: i64, places: i64, to: i64) -> Option<i128> {
        let cut = scale.saturating_sub(places);
        let kept = match power(cut) {
            _ if cut <= 0 => return rescaled(value, to - scale),
            None => return Some(0),
            Some(unit) => {
                let half_or_more = (value % unit).unsigned_abs() >= unit.unsigned_abs().div_ceil(2);
                let whole = value / unit;
                if self.mode == Mode::Nearest && half_or_more { whole + value.signum() } else { whole }
            }
        };
        rescaled(kept, to - places)
    }
}

/// Shifts a mantissa; cut digits are zero, as the value was rounded before.
fn rescaled(value: i128, by: i64) -> Option<i128> {
    if by >= 0 { power(by)?.checked_mul(value) } else { Some(value / power(-by)?) }
}

fn power(exponent: i64) -> Option<i128> {
    10_i128.checked_pow(u32::try_from(exponent).ok()?)
}

/// Our condition out of the kernel's error.
pub(super) fn unwrapped(error: arrow::error::ArrowError) -> datafusion::common::DataFusionError {
    match error {
        arrow::error::ArrowError::ExternalError(inner) => datafusion::common::DataFusionError::External(inner),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::call;

    fn decimal(value: i128, precision: u8, scale: i8) -> ScalarValue {
        ScalarValue::Decimal128(Some(value), precision, scale)
    }

    #[test]
    fn halves_of_floats_go_to_the_even_neighbour() {
        let float = |value: f64| ScalarValue::Float64(Some(value));
        for (value, nearest, cut) in [(2.5, 2.0, 2.0), (3.5, 4.0, 3.0), (-2.5, -2.0, -2.0), (2.4, 2.0, 2.0)] {
            assert_eq!(call(&round(), &[float(value)], true), Ok(float(nearest)));
            assert_eq!(call(&trunc(), &[float(value)], false), Ok(float(cut)));
        }
        let places = || ScalarValue::Int64(Some(2));
        assert_eq!(call(&round(), &[float(2.567), places()], true), Ok(float(2.57)));
        assert_eq!(call(&round(), &[ScalarValue::Float64(None), places()], true), Ok(ScalarValue::Float64(None)));
    }

    #[test]
    fn constant_places_set_the_scale() {
        let places = |places: i64| ScalarValue::Int64(Some(places));
        for (udf, given, expect) in [
            (round(), vec![decimal(25, 3, 1)], decimal(3, 3, 0)),
            (round(), vec![decimal(-25, 3, 1)], decimal(-3, 3, 0)),
            (round(), vec![decimal(2_567, 4, 3), places(1)], decimal(26, 3, 1)),
            (trunc(), vec![decimal(2_567, 4, 3), places(1)], decimal(25, 3, 1)),
            (round(), vec![decimal(25, 3, 1), places(3)], decimal(2_500, 6, 3)),
            (round(), vec![decimal(12_345, 5, 1), places(-2)], decimal(1_200, 5, 0)),
            (round(), vec![decimal(99, 2, 1)], decimal(10, 2, 0)),
            (round(), vec![decimal(5, 2, 1), places(-40)], decimal(0, 2, 0)),
            (round(), vec![ScalarValue::Int64(Some(1_250)), places(-2)], decimal(1_300, 21, 0)),
        ] {
            for columns in [false, true] {
                assert_eq!(call(&udf, &given, columns), Ok(expect.clone()), "{} {given:?}", udf.name());
            }
        }
    }
}
