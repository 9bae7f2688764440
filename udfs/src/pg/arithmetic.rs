//! PostgreSQL's operators on numbers, where DataFusion's wrap around or answer infinity.
//!
//! Owns: the checked operators that replace `+ - * / %` and unary `-`. `+ - * -` on integers and floats refuse a result
//! that does not fit (22003), `/` and `%` refuse zero on every number (22012). NULL gives NULL. Users never name these
//! functions.
//! <https://www.postgresql.org/docs/16/functions-math.html#FUNCTIONS-MATH-OP-TABLE>

mod floats;

use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Datum, Scalar};
use arrow::compute::kernels::bitwise::bitwise_not;
use arrow::compute::kernels::numeric;
use arrow::datatypes::{DataType, FieldRef, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use arrow::error::ArrowError;
use datafusion::common::{Result, ScalarValue, exec_err, internal_err};
use datafusion::logical_expr::interval_arithmetic::{Interval, apply_operator};
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::type_coercion::binary::BinaryTypeCoercer;
use datafusion::logical_expr::{
    ColumnarValue, Operator, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::textcat::textcat;
use crate::Error;
use crate::function::{pg_name, strict};

/// The function that replaces a binary operator on these types, where the operator itself would not be PostgreSQL's.
pub fn checked(op: Operator, left: &DataType, right: &DataType) -> Option<Arc<ScalarUDF>> {
    let integers = left.is_integer() && right.is_integer();
    let numbers = left.is_numeric() && right.is_numeric();
    let replaced = match op {
        Operator::Plus | Operator::Minus | Operator::Multiply => integers || (left.is_floating() && left == right),
        Operator::Divide | Operator::Modulo => numbers,
        Operator::StringConcat if *left == DataType::Utf8 && left == right => return Some(textcat()),
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

/// `lakegate_int_not(integer) -> integer`: the operator `~`.
fn not() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Not { signature: Signature::any(1, Volatility::Immutable) }))
}

/// All of them, so that a plan that names one can be read back.
pub fn functions() -> Vec<Arc<ScalarUDF>> {
    let operators = [Operator::Plus, Operator::Minus, Operator::Multiply, Operator::Divide, Operator::Modulo];
    let binary = operators.map(|op| Arc::new(ScalarUDF::new_from_impl(Checked::new(op))));
    binary.into_iter().chain([negative(), not(), textcat()]).collect()
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

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        strict(self, &args)
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
                floats::refuse_zero(left, right)?;
                if self.op == Operator::Divide { numeric::div(left, right) } else { numeric::rem(left, right) }
            }
            op => return internal_err!("{op} is not an arithmetic operator"),
        };
        let result = computed.map_err(|error| condition(error, args.return_field.data_type()))?;
        match result.data_type() {
            DataType::Float64 => floats::refuse_overflow::<Float64Type>(self.op, left, right, &result)?,
            DataType::Float32 => floats::refuse_overflow::<Float32Type>(self.op, left, right, &result)?,
            _ => {}
        }
        if constants {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?));
        }
        Ok(ColumnarValue::Array(result))
    }

    fn evaluate_bounds(&self, input: &[&Interval]) -> Result<Interval> {
        let [left, right] = input else { return Interval::make_unbounded(&DataType::Null) };
        match self.op {
            // The engine has no bounds for it, and an error here would hide that rows are sorted by it.
            Operator::Modulo => Interval::make_unbounded(&left.data_type()),
            op => apply_operator(&op, left, right),
        }
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

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        strict(self, &args)
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

#[derive(Debug, PartialEq, Eq, Hash)]
struct Not {
    signature: Signature,
}

impl ScalarUDFImpl for Not {
    fn name(&self) -> &str {
        "lakegate_int_not"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        match given {
            [of] if of.is_signed_integer() => Ok(of.clone()),
            _ => {
                let types: Vec<_> = given.iter().map(pg_name).collect();
                Err(Error::UndefinedFunction(format!("operator does not exist: ~ {}", types.join(", "))).into())
            }
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        strict(self, &args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [operand] = args.args.as_slice() else { return exec_err!("~ takes one number") };
        let flip = |array: &ArrayRef| -> Result<ArrayRef> {
            Ok(match array.data_type() {
                DataType::Int8 => Arc::new(bitwise_not(array.as_primitive::<Int8Type>())?),
                DataType::Int16 => Arc::new(bitwise_not(array.as_primitive::<Int16Type>())?),
                DataType::Int32 => Arc::new(bitwise_not(array.as_primitive::<Int32Type>())?),
                _ => Arc::new(bitwise_not(array.as_primitive::<Int64Type>())?),
            })
        };
        Ok(match operand {
            ColumnarValue::Array(array) => ColumnarValue::Array(flip(array)?),
            ColumnarValue::Scalar(value) => {
                ColumnarValue::Scalar(ScalarValue::try_from_array(&flip(&value.to_array_of_size(1)?)?, 0)?)
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

    #[test]
    fn floats_do_not_become_infinite_or_zero() {
        let float = |v: f64| ScalarValue::Float64(Some(v));
        let real = |v: f32| ScalarValue::Float32(Some(v));
        let overflow = || Err(Error::Overflow);
        check(Operator::Multiply, float(1e308), float(10.0), overflow());
        check(Operator::Plus, float(f64::MAX), float(f64::MAX), overflow());
        check(Operator::Minus, float(f64::MIN), float(f64::MAX), overflow());
        check(Operator::Multiply, real(1e38), real(10.0), overflow());
        check(Operator::Divide, float(1e308), float(1e-10), overflow());
        check(Operator::Multiply, float(1e-300), float(1e-300), Err(Error::Underflow));
        check(Operator::Divide, float(1e-300), float(1e300), Err(Error::Underflow));
        check(Operator::Divide, float(1.0), float(f64::INFINITY), Ok(float(0.0)));
        check(Operator::Plus, float(f64::INFINITY), float(1.0), Ok(float(f64::INFINITY)));
        check(Operator::Multiply, float(0.0), float(5.0), Ok(float(0.0)));
    }
}
