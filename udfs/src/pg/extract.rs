//! `extract(field FROM source timestamp | timestamptz | date | time | interval) -> numeric`.
//!
//! Fields and errors are `date_part`'s. The scale is the field's: six decimals for `epoch` and `second` (none for the
//! epoch of a date), three for `milliseconds`, none for the rest. NULL gives NULL.
//! <https://www.postgresql.org/docs/16/functions-datetime.html#FUNCTIONS-DATETIME-EXTRACT>
//!
//! ```sql
//! SELECT extract(epoch FROM TIMESTAMP '2024-03-05 14:07:09.5');  -- 1709647629.500000
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Field, FieldRef, IntervalMonthDayNanoType, IntervalUnit,
    Time64MicrosecondType, TimeUnit, TimestampMicrosecondType,
};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::numeric::digits::{divide_rounded, power};
use super::numeric::kind;
use super::part::{Part, of_date, of_interval, of_time, of_timestamp, of_timestamptz};
use super::unit::{self, Unit};
use super::zone::Zone;
use crate::Error;
use crate::function::pg_name;

/// The function.
pub fn extract() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Extract { signature: Signature::user_defined(Volatility::Stable) }))
}

/// Plans `EXTRACT(field FROM source)` as [`extract`]; goes before DataFusion's own planner.
#[derive(Debug)]
pub struct Syntax;

impl ExprPlanner for Syntax {
    fn plan_extract(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        Ok(PlannerResult::Planned(extract().call(args)))
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Extract {
    signature: Signature,
}

const MICRO: TimeUnit = TimeUnit::Microsecond;

impl ScalarUDFImpl for Extract {
    fn name(&self) -> &str {
        "extract"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let source = match given {
            [_, DataType::Timestamp(_, Some(zone))] => DataType::Timestamp(MICRO, Some(Arc::clone(zone))),
            [_, DataType::Timestamp(_, None) | DataType::Null] => DataType::Timestamp(MICRO, None),
            [_, DataType::Date32 | DataType::Date64] => DataType::Date32,
            [_, DataType::Time32(_) | DataType::Time64(_)] => DataType::Time64(MICRO),
            [_, DataType::Interval(_) | DataType::Duration(_)] => DataType::Interval(IntervalUnit::MonthDayNano),
            _ => {
                let types: Vec<_> = given.iter().skip(1).map(pg_name).collect();
                return plan_err!("function extract(unknown, {}) does not exist", types.join(", "));
            }
        };
        Ok(vec![DataType::Utf8, source])
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(kind::OWN)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let arrow = match (args.scalar_arguments.first(), args.arg_fields.get(1)) {
            (Some(Some(field)), Some(source)) => match field.try_as_str().flatten() {
                Some(text) => result_type(Unit::named(text, type_name(source.data_type()))?, source.data_type()),
                None => kind::OWN,
            },
            _ => kind::OWN,
        };
        Ok(Arc::new(Field::new(self.name(), arrow, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [ColumnarValue::Scalar(field), source] = args.args.as_slice() else {
            return Err(Error::Unsupported("extract of a field that is not constant".to_owned()).into());
        };
        let to = args.return_field.data_type();
        let Some(field) = field.try_as_str().flatten() else {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from(to)?));
        };
        let zone = args.config_options.execution.time_zone.as_deref().unwrap_or("UTC");
        let unit = Unit::named(field, type_name(&source.data_type()))?;
        Ok(match source {
            ColumnarValue::Array(array) => ColumnarValue::Array(compute(unit, array, to, zone)?),
            ColumnarValue::Scalar(value) => {
                let result = compute(unit, &value.to_array_of_size(1)?, to, zone)?;
                ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?)
            }
        })
    }
}

/// PostgreSQL's scales, with digits enough for every value of the field.
fn result_type(unit: Unit, source: &DataType) -> DataType {
    match (unit, source) {
        (Unit::Epoch, DataType::Date32) => DataType::Decimal128(14, 0),
        (Unit::Epoch, _) => DataType::Decimal128(20, 6),
        (Unit::Second, _) => DataType::Decimal128(8, 6),
        (Unit::Milliseconds, _) => DataType::Decimal128(8, 3),
        (Unit::Julian, DataType::Timestamp(..)) => kind::QUOTIENT,
        _ => DataType::Decimal128(12, 0),
    }
}

fn type_name(source: &DataType) -> &'static str {
    match source {
        DataType::Timestamp(_, Some(_)) => unit::TIMESTAMPTZ,
        DataType::Date32 => unit::DATE,
        DataType::Time64(_) => unit::TIME,
        DataType::Interval(_) => unit::INTERVAL,
        _ => unit::TIMESTAMP,
    }
}

fn compute(unit: Unit, source: &ArrayRef, to: &DataType, zone: &str) -> Result<ArrayRef> {
    let DataType::Decimal128(_, scale) = to else { return exec_err!("extract gives no {to}") };
    let Some(scaled) = power(scale.unsigned_abs().into()) else { return exec_err!("a scale of {scale}") };
    let numbers = match source.data_type() {
        // The microseconds are the mantissa.
        DataType::Timestamp(..) if unit == Unit::Epoch && *scale == 6 => {
            source.as_primitive::<TimestampMicrosecondType>().unary(i128::from)
        }
        DataType::Timestamp(_, None) => {
            each::<TimestampMicrosecondType>(source, scaled, |value| of_timestamp(unit, value))?
        }
        DataType::Timestamp(_, Some(_)) => {
            let zone = Zone::of_session(zone)?;
            each::<TimestampMicrosecondType>(source, scaled, |value| of_timestamptz(unit, value, &zone))?
        }
        DataType::Date32 => each::<Date32Type>(source, scaled, |value| of_date(unit, value))?,
        DataType::Time64(_) => each::<Time64MicrosecondType>(source, scaled, |value| of_time(unit, value))?,
        DataType::Interval(_) => each::<IntervalMonthDayNanoType>(source, scaled, |value| of_interval(unit, value))?,
        other => return exec_err!("extract takes no {other}"),
    };
    Ok(Arc::new(numbers.with_data_type(to.clone())))
}

fn each<T: ArrowPrimitiveType>(
    source: &ArrayRef,
    scaled: i128,
    part: impl Fn(T::Native) -> Result<Part, Error>,
) -> Result<PrimitiveArray<Decimal128Type>> {
    let mantissa = |part: Part| match i128::from(part.divisor) {
        divisor if divisor == scaled => Some(part.value),
        divisor => part.value.checked_mul(scaled).map(|value| divide_rounded(value, divisor)),
    };
    Ok(source
        .as_primitive::<T>()
        .try_unary::<_, Decimal128Type, Error>(|value| mantissa(part(value)?).ok_or(Error::NumericFormatOverflow))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call, moment, span, text};

    #[test]
    fn the_field_decides_the_scale() {
        for (field, source, expect) in [
            ("epoch", moment("2024-03-05 14:07:09.5"), (1_709_647_629_500_000, 20, 6)),
            ("second", moment("2024-03-05 14:07:09.5"), (9_500_000, 8, 6)),
            ("milliseconds", moment("2024-03-05 14:07:09.5"), (9_500_000, 8, 3)),
            ("hour", moment("2024-03-05 14:07:09.5"), (14, 12, 0)),
            ("epoch", ScalarValue::Date32(Some(1)), (86_400, 14, 0)),
            ("epoch", span("1 year 1 day 00:00:01.5"), (31_644_001_500_000, 20, 6)),
        ] {
            let (value, precision, scale) = expect;
            let expect = ScalarValue::Decimal128(Some(value), precision, scale);
            assert_eq!(call(&extract(), &[text(field), source], false), Ok(expect), "{field}");
        }
        let null = call(&extract(), &[text("hour"), ScalarValue::TimestampMicrosecond(None, None)], false);
        assert_eq!(null, Ok(ScalarValue::Decimal128(None, 12, 0)));
    }
}
