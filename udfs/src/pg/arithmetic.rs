//! PostgreSQL's operators on numbers, where DataFusion's wrap around or answer infinity.
//!
//! Owns: the checked operators that replace `+ - * / %` and unary `-`. `+ - * -` on integers refuse a result that does
//! not fit (22003), `/` and `%` refuse zero on every number (22012). NULL gives NULL. Users never name these functions.
//! <https://www.postgresql.org/docs/16/functions-math.html#FUNCTIONS-MATH-OP-TABLE>

use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Datum, Scalar};
use arrow::compute::kernels::numeric;
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use arrow::error::ArrowError;
use datafusion::common::{Result, ScalarValue, exec_err, internal_err};
use datafusion::logical_expr::interval_arithmetic::{Interval, apply_operator};
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::type_coercion::binary::BinaryTypeCoercer;
use datafusion::logical_expr::{
    ColumnarValue, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::Error;

/// The function that replaces a binary operator on these types, where the operator itself would not be PostgreSQL's.
pub fn checked(op: Operator, left: &DataType, right: &DataType) -> Option<Arc<ScalarUDF>> {
    let integers = left.is_integer() && right.is_integer();
    let numbers = left.is_numeric() && right.is_numeric();
    let replaced = match op {
        Operator::Plus | Operator::Minus | Operator::Multiply => integers,
        Operator::Divide | Operator::Modulo => numbers,
        _ => false,
    };
    replaced.then(|| Arc::new(ScalarUDF::new_from_impl(Checked::new(op))))
}

/// The function that replaces unary minus on an integer.
pub fn checked_negative(operand: &DataType) -> Option<Arc<ScalarUDF>> {
    operand.is_signed_integer().then(negative)
}

/// `lakegate_int_neg(integer) -> integer`: 22003 for the least number of a type.
fn negative() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Negative { signature: Signature::any(1, Volatility::Immutable) }))
}

/// All of them, so that a plan that names one can be read back.
pub fn functions() -> Vec<Arc<ScalarUDF>> {
    let operators = [Operator::Plus, Operator::Minus, Operator::Multiply, Operator::Divide, Operator::Modulo];
    let binary = operators.map(|op| Arc::new(ScalarUDF::new_from_impl(Checked::new(op))));
    binary.into_iter().chain([negative()]).collect()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Checked {
    op: Operator,
    name: &'static str,
    signature: Signature,
}

impl Checked {
    fn new(op: Operator) -> Self {
        let name = match op {
            Operator::Plus => "lakegate_int_add",
            Operator::Minus => "lakegate_int_sub",
            Operator::Multiply => "lakegate_int_mul",
            Operator::Divide => "lakegate_div",
            _ => "lakegate_mod",
        };
        Self { op, name, signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Checked {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [left, right] = given else { return exec_err!("{} takes two numbers", self.name) };
        let (left, right) = BinaryTypeCoercer::new(left, &self.op, right).get_input_types()?;
        Ok(vec![left, right])
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let [left, right] = given else { return exec_err!("{} takes two numbers", self.name) };
        BinaryTypeCoercer::new(left, &self.op, right).get_result_type()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, right] = args.args.as_slice() else { return exec_err!("{} takes two numbers", self.name) };
        let constants = matches!((left, right), (ColumnarValue::Scalar(_), ColumnarValue::Scalar(_)));
        let (left, right) = (datum(left)?, datum(right)?);
        let (left, right) = (left.as_ref(), right.as_ref());
        let computed = match self.op {
            Operator::Plus => numeric::add(left, right),
            Operator::Minus => numeric::sub(left, right),
            Operator::Multiply => numeric::mul(left, right),
            Operator::Divide | Operator::Modulo => {
                refuse_float_zero(left, right)?;
                if self.op == Operator::Divide { numeric::div(left, right) } else { numeric::rem(left, right) }
            }
            op => return internal_err!("{op} is not an arithmetic operator"),
        };
        let result = computed.map_err(|error| condition(error, args.return_field.data_type()))?;
        if constants {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?));
        }
        Ok(ColumnarValue::Array(result))
    }

    fn evaluate_bounds(&self, input: &[&Interval]) -> Result<Interval> {
        let [left, right] = input else { return Interval::make_unbounded(&DataType::Null) };
        apply_operator(&self.op, left, right)
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        let [left, right] = inputs else { return Ok(SortProperties::Unordered) };
        let (left, right) = (&left.sort_properties, &right.sort_properties);
        Ok(match self.op {
            Operator::Plus => left.add(right),
            Operator::Minus => left.sub(right),
            _ => SortProperties::Unordered,
        })
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Negative {
    signature: Signature,
}

impl ScalarUDFImpl for Negative {
    fn name(&self) -> &str {
        "lakegate_int_neg"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(given.first().cloned().unwrap_or(DataType::Null))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [operand] = args.args.as_slice() else { return exec_err!("lakegate_int_neg takes one number") };
        let negate = |array: &dyn Array| numeric::neg(array).map_err(|error| condition(error, array.data_type()));
        Ok(match operand {
            ColumnarValue::Array(array) => ColumnarValue::Array(negate(array)?),
            ColumnarValue::Scalar(value) => {
                ColumnarValue::Scalar(ScalarValue::try_from_array(&negate(&value.to_array_of_size(1)?)?, 0)?)
            }
        })
    }
}

fn datum(value: &ColumnarValue) -> Result<Arc<dyn Datum>> {
    Ok(match value {
        ColumnarValue::Array(array) => Arc::new(Arc::clone(array)),
        ColumnarValue::Scalar(value) => Arc::new(Scalar::<ArrayRef>::new(value.to_array_of_size(1)?)),
    })
}

/// PostgreSQL's message for a failed kernel; anything else is passed on.
fn condition(error: ArrowError, result: &DataType) -> datafusion::common::DataFusionError {
    match error {
        ArrowError::DivideByZero => Error::DivisionByZero.into(),
        ArrowError::ArithmeticOverflow(_) => Error::NumericOverflow(match result {
            DataType::Int8 | DataType::UInt8 | DataType::Int16 => "smallint",
            DataType::Int32 | DataType::UInt16 => "integer",
            DataType::Int64 | DataType::UInt32 | DataType::UInt64 => "bigint",
            _ => "value",
        })
        .into(),
        other => other.into(),
    }
}

/// Arrow divides a float by zero to infinity; PostgreSQL refuses, except for NaN / 0.
fn refuse_float_zero(left: &dyn Datum, right: &dyn Datum) -> Result<()> {
    let ((left, left_constant), (right, right_constant)) = (left.get(), right.get());
    let rows = if left_constant { right.len() } else { left.len() };
    let at = |row: usize, constant: bool| if constant { 0 } else { row };
    let refused = match (left.data_type(), right.data_type()) {
        (DataType::Float64, DataType::Float64) => {
            let (left, right) = (left.as_primitive::<Float64Type>(), right.as_primitive::<Float64Type>());
            right.values().contains(&0.0)
                && (0..rows).any(|row| {
                    let (l, r) = (at(row, left_constant), at(row, right_constant));
                    right.value(r) == 0.0 && right.is_valid(r) && left.is_valid(l) && !left.value(l).is_nan()
                })
        }
        (DataType::Float32, DataType::Float32) => {
            let (left, right) = (left.as_primitive::<Float32Type>(), right.as_primitive::<Float32Type>());
            right.values().contains(&0.0)
                && (0..rows).any(|row| {
                    let (l, r) = (at(row, left_constant), at(row, right_constant));
                    right.value(r) == 0.0 && right.is_valid(r) && left.is_valid(l) && !left.value(l).is_nan()
                })
        }
        _ => false,
    };
    if refused { Err(Error::DivisionByZero.into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::call;

    fn check(op: Operator, left: ScalarValue, right: ScalarValue, expect: std::result::Result<ScalarValue, Error>) {
        let udf = checked(op, &left.data_type(), &right.data_type()).unwrap();
        for columns in [false, true] {
            let given = call(&udf, &[left.clone(), right.clone()], columns);
            assert_eq!(given, expect, "{left} {op} {right}");
        }
    }

    #[test]
    fn integers_that_do_not_fit_are_refused() {
        let (int, big) = (|v: i32| ScalarValue::Int32(Some(v)), |v: i64| ScalarValue::Int64(Some(v)));
        let small = |v: i16| ScalarValue::Int16(Some(v));
        check(Operator::Plus, int(1), int(2), Ok(int(3)));
        check(Operator::Plus, int(i32::MAX), int(1), Err(Error::NumericOverflow("integer")));
        check(Operator::Multiply, big(i64::MAX), big(2), Err(Error::NumericOverflow("bigint")));
        check(Operator::Minus, small(i16::MIN), small(1), Err(Error::NumericOverflow("smallint")));
        check(Operator::Divide, int(i32::MIN), int(-1), Err(Error::NumericOverflow("integer")));
        check(Operator::Modulo, int(i32::MIN), int(-1), Ok(int(0)));
        check(Operator::Plus, int(1), ScalarValue::Int32(None), Ok(ScalarValue::Int32(None)));
        let udf = checked_negative(&DataType::Int64).unwrap();
        assert_eq!(call(&udf, &[big(i64::MIN)], true), Err(Error::NumericOverflow("bigint")));
        assert_eq!(call(&udf, &[big(5)], false), Ok(big(-5)));
    }

    #[test]
    fn zero_divides_nothing() {
        let (int, float) = (|v: i32| ScalarValue::Int32(Some(v)), |v: f64| ScalarValue::Float64(Some(v)));
        let money = |v: i128| ScalarValue::Decimal128(Some(v), 10, 2);
        check(Operator::Divide, int(1), int(0), Err(Error::DivisionByZero));
        check(Operator::Modulo, int(1), int(0), Err(Error::DivisionByZero));
        check(Operator::Divide, float(1.0), float(0.0), Err(Error::DivisionByZero));
        check(Operator::Divide, float(7.0), float(2.0), Ok(float(3.5)));
        check(Operator::Divide, money(100), money(0), Err(Error::DivisionByZero));
        check(Operator::Modulo, money(100), money(0), Err(Error::DivisionByZero));
        check(Operator::Divide, int(-7), int(2), Ok(int(-3)));
        check(Operator::Divide, ScalarValue::Int32(None), int(0), Ok(ScalarValue::Int32(None)));
        check(Operator::Divide, ScalarValue::Float64(None), float(0.0), Ok(ScalarValue::Float64(None)));
    }
}
