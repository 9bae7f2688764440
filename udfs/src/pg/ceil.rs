//! `ceil(x)`, also `ceiling`, and `floor(x)` - of double precision, and of numeric, whose result has no decimals.
//!
//! The floor of a quotient of two constants' columns, `floor(a / b)`, is computed without the quotient: dashboards group
//! by it. NULL gives NULL. <https://www.postgresql.org/docs/16/functions-math.html>
//!
//! ```sql
//! SELECT ceil(1.2), floor(-1.2);  -- 2  -2
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, Float64Type, i256};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::numeric::digits::{PRECISION_MAX, power, wide_power};
use super::numeric::divide;
use crate::Error;
use crate::function::pg_name;

/// `ceil`, also `ceiling`.
pub fn ceil() -> Arc<ScalarUDF> {
    udf(true, &["ceiling"])
}

/// `floor`.
pub fn floor() -> Arc<ScalarUDF> {
    udf(false, &[])
}

fn udf(up: bool, aliases: &[&str]) -> Arc<ScalarUDF> {
    let aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(Whole { up, aliases, signature }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Whole {
    up: bool,
    aliases: Vec<String>,
    signature: Signature,
}

impl ScalarUDFImpl for Whole {
    fn name(&self) -> &str {
        if self.up { "ceil" } else { "floor" }
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        use DataType as D;
        Ok(vec![match given {
            [of @ (D::Decimal128(..) | D::Decimal256(..))] => of.clone(),
            [D::Decimal32(p, s) | D::Decimal64(p, s)] => D::Decimal128(*p, *s),
            [of] if of.is_numeric() || matches!(of, D::Null | D::Utf8 | D::LargeUtf8 | D::Utf8View) => D::Float64,
            _ => {
                let types: Vec<_> = given.iter().map(pg_name).collect();
                return plan_err!("function {}({}) does not exist", self.name(), types.join(", "));
            }
        }])
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        // One digit more: the ceiling of 9.9 is 10.
        let precision = |p: u8, s: i8, most: u8| {
            let whole = i16::from(p) - i16::from(s) + 1;
            u8::try_from(whole.max(1)).unwrap_or(most).min(most)
        };
        Ok(match given {
            [DataType::Decimal128(p, s)] => DataType::Decimal128(precision(*p, *s, PRECISION_MAX), 0),
            [DataType::Decimal256(p, s)] => DataType::Decimal256(precision(*p, *s, 76), 0),
            _ => DataType::Float64,
        })
    }

    fn simplify(&self, args: Vec<Expr>, _info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        if let (false, [argument]) = (self.up, args.as_slice())
            && let Some(fused) = divide::floor_of(argument)
        {
            return Ok(ExprSimplifyResult::Simplified(fused));
        }
        Ok(ExprSimplifyResult::Original(args))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let to = args.return_field.data_type();
        Ok(match args.args.as_slice() {
            [ColumnarValue::Array(array)] => ColumnarValue::Array(self.compute(array, to)?),
            [ColumnarValue::Scalar(value)] => {
                let result = self.compute(&value.to_array_of_size(1)?, to)?;
                ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?)
            }
            _ => return exec_err!("{} takes one number", self.name()),
        })
    }
}

impl Whole {
    fn compute(&self, array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
        let up = self.up;
        Ok(match array.data_type() {
            DataType::Decimal128(_, scale) => {
                let Some(unit) = power(scale.unsigned_abs().into()).filter(|_| *scale >= 0) else {
                    return exec_err!("a scale of {scale}");
                };
                let values = array.as_primitive::<Decimal128Type>().unary::<_, Decimal128Type>(|value| {
                    let whole = value.div_euclid(unit);
                    if up && value.rem_euclid(unit) != 0 { whole + 1 } else { whole }
                });
                Arc::new(values.with_data_type(to.clone()))
            }
            DataType::Decimal256(_, scale) => {
                let Some(unit) = wide_power(scale.unsigned_abs().into()).filter(|_| *scale >= 0) else {
                    return exec_err!("a scale of {scale}");
                };
                let values = array.as_primitive::<Decimal256Type>();
                let values = values.try_unary::<_, Decimal256Type, Error>(|value| {
                    wide_whole(value, unit, up).ok_or(Error::NumericFormatOverflow)
                })?;
                Arc::new(values.with_data_type(to.clone()))
            }
            _ => {
                let values = array.as_primitive::<Float64Type>();
                let of = if up { f64::ceil } else { f64::floor };
                Arc::new(values.unary::<_, Float64Type>(of))
            }
        })
    }
}

fn wide_whole(value: i256, unit: i256, up: bool) -> Option<i256> {
    let (whole, rest) = (value.checked_div(unit)?, value.checked_rem(unit)?);
    match (rest == i256::ZERO, rest.is_negative(), up) {
        (false, false, true) => whole.checked_add(i256::ONE),
        (false, true, false) => whole.checked_sub(i256::ONE),
        _ => Some(whole),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::call;

    #[test]
    fn whole_numbers_are_those_above_and_below() {
        let of = |value: i128| ScalarValue::Decimal128(Some(value), 3, 1);
        let whole = |value: i128| Ok(ScalarValue::Decimal128(Some(value), 3, 0));
        let wide = |value: i128| ScalarValue::Decimal256(Some(i256::from_i128(value)), 60, 1);
        for (value, up, down) in [(12, 2, 1), (-12, -1, -2), (20, 2, 2), (-20, -2, -2), (0, 0, 0)] {
            assert_eq!(call(&ceil(), &[of(value)], true), whole(up));
            assert_eq!(call(&floor(), &[of(value)], false), whole(down));
            let expect = |value: i128| Ok(ScalarValue::Decimal256(Some(i256::from_i128(value)), 60, 0));
            assert_eq!(call(&ceil(), &[wide(value)], true), expect(up));
            assert_eq!(call(&floor(), &[wide(value)], true), expect(down));
        }
        let float = |value: f64| ScalarValue::Float64(Some(value));
        assert_eq!(call(&ceil(), &[float(1.2)], true), Ok(float(2.0)));
        assert_eq!(call(&floor(), &[ScalarValue::Int32(Some(3))], true), Ok(float(3.0)));
    }
}
