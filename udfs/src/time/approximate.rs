//! `approx_count_distinct(value)`, `approx_percentile(p, value)` - answers in little memory, with an error that is known.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Decimal128Array, Float64Array, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef, Float64Type, IntervalMonthDayNanoType, IntervalUnit};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::functions_aggregate::approx_distinct::approx_distinct_udaf;
use datafusion::functions_aggregate::approx_percentile_cont::approx_percentile_cont_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};

use super::points::constant_of;
use crate::Error;
use crate::aggregate::{Formula, Map, Part, aggregate};
use crate::function::pg_name;
use crate::manual::Manual;
use crate::pg::min_max::key_of_64;
use crate::pg::spans;

/// The page of `approx_count_distinct`.
pub(crate) static COUNT: Manual = Manual {
    name: "approx_count_distinct",
    calls: &[("(value anyelement)", "bigint")],
    meaning: "About how many different values there are, by HyperLogLog with 16384 registers: the standard error is 0.8 %, \
              in at most 16 kB for each group.",
    nulls: "NULL does not count; 0 when no row counts. NaN equals NaN, and the zeros each other.",
    example: ("SELECT approx_count_distinct(g % 7) FROM generate_series(1, 1000) AS s(g)", "7"),
    source: "https://static.googleusercontent.com/media/research.google.com/en//pubs/archive/40671.pdf",
};

/// The page of `approx_percentile`.
pub(crate) static PERCENTILE: Manual = Manual {
    name: "approx_percentile",
    calls: &[("(p double precision, value double precision)", "double precision")],
    meaning: "About the value below which the part p of the values lies, by a t-digest of 100 centroids, whose error is \
              least at the ends; p is a constant from 0 to 1. percentile_cont(p) WITHIN GROUP (ORDER BY value) is exact. \
              Of a sketch it is a function: approx_percentile(p, percentile_agg(value)), or summary -> \
              approx_percentile(p).",
    nulls: "NULL and NaN do not count; NULL when no row counts or p is NULL. p outside 0 to 1 is 22003, an infinite value \
            0A000.",
    example: ("SELECT approx_percentile(0, g) FROM generate_series(5, 1000) AS s(g)", "5.0"),
    source: "https://arxiv.org/abs/1902.04023",
};

/// The aggregates.
pub(crate) fn aggregates() -> Vec<Arc<AggregateUDF>> {
    let signature = Signature::user_defined(Volatility::Immutable);
    vec![aggregate(CountDistinct), Arc::new(AggregateUDF::new_from_impl(Percentile { signature }))]
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct CountDistinct;

const SPAN: DataType = DataType::Interval(IntervalUnit::MonthDayNano);

impl Formula for CountDistinct {
    fn name(&self) -> &'static str {
        "approx_count_distinct"
    }

    fn coerced(&self, given: &DataType) -> Option<DataType> {
        Some(match given {
            of if of.is_floating() => DataType::Float64,
            DataType::Interval(_) => SPAN,
            DataType::Dictionary(_, of) => of.as_ref().clone(),
            of => of.clone(),
        })
    }

    fn returns(&self, _: &DataType) -> DataType {
        DataType::Int64
    }

    /// Values that are equal in other bits are counted as keys that are equal.
    fn parts(&self, input: &DataType) -> Vec<Part> {
        let keys =
            |input, compute| Part { udaf: approx_distinct_udaf(), input, map: Some(Map { compute, injective: true }) };
        vec![match input {
            DataType::Float64 => keys(DataType::Int64, |values, _| {
                let floats = values.as_primitive::<Float64Type>();
                Ok(Arc::new(floats.unary::<_, arrow::datatypes::Int64Type>(|float| key_of_64(float + 0.0))))
            }),
            DataType::Interval(_) => keys(DataType::Decimal128(38, 10), |values, _| {
                let lengths: Decimal128Array = values.as_primitive::<IntervalMonthDayNanoType>().unary(spans::length);
                Ok(Arc::new(lengths.with_data_type(DataType::Decimal128(38, 10))))
            }),
            _ => Part::of(approx_distinct_udaf(), input),
        }]
    }

    fn finish(&self, parts: &[ArrayRef], to: &DataType) -> Result<ArrayRef> {
        match parts {
            [counts] => {
                let counts = cast(counts, to)?;
                let counts = counts.as_primitive::<arrow::datatypes::Int64Type>();
                Ok(Arc::new(counts.iter().map(|count| Some(count.unwrap_or(0))).collect::<Int64Array>()))
            }
            _ => exec_err!("a count of {} parts", parts.len()),
        }
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Percentile {
    signature: Signature,
}

impl AggregateUDFImpl for Percentile {
    fn name(&self) -> &'static str {
        "approx_percentile"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let coerced = |of: &DataType| if of.is_numeric() || of.is_null() { DataType::Float64 } else { of.clone() };
        Ok(given.iter().map(coerced).collect())
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        match given {
            [DataType::Float64, DataType::Float64] => Ok(DataType::Float64),
            _ => {
                let types: Vec<_> = given.iter().map(pg_name).collect();
                let message = format!("function approx_percentile({}) does not exist", types.join(", "));
                Err(Error::UndefinedFunction(message).into())
            }
        }
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return Err(Error::Unsupported("DISTINCT in approx_percentile is not supported".to_owned()).into());
        }
        let ScalarValue::Float64(part) = constant_of(&args, 0)? else { return exec_err!("a part is a number") };
        if let Some(part) = part
            && !(0.0..=1.0).contains(&part)
        {
            return Err(Error::PercentileOutOfRange(part.to_string()).into());
        }
        let ([part_expr, value], [part_field, field]) = (args.exprs, args.expr_fields) else {
            return exec_err!("approx_percentile takes a part and a value");
        };
        let part_expr: Arc<dyn datafusion::physical_plan::PhysicalExpr> = match part {
            Some(_) => Arc::clone(part_expr),
            None => datafusion::physical_expr::expressions::lit(0.5),
        };
        let (exprs, fields) = ([Arc::clone(value), part_expr], [Arc::clone(field), Arc::clone(part_field)]);
        let inner = AccumulatorArgs { exprs: &exprs, expr_fields: &fields, order_bys: &[], ..args };
        Ok(Box::new(Digest { inner: approx_percentile_cont_udaf().accumulator(inner)?, is_known: part.is_some() }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        approx_percentile_cont_udaf().state_fields(args)
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// A t-digest.
#[derive(Debug)]
struct Digest {
    inner: Box<dyn Accumulator>,
    /// Whether the part that is asked for is not NULL.
    is_known: bool,
}

impl Accumulator for Digest {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [_, values] = values else { return exec_err!("approx_percentile takes a part and a value") };
        let values = values.as_primitive::<Float64Type>();
        let known: Float64Array = values.iter().filter(|value| value.is_some_and(|value| !value.is_nan())).collect();
        if known.values().iter().any(|value| value.is_infinite()) {
            let message = "approx_percentile of an infinite value is not supported";
            return Err(Error::Unsupported(message.to_owned()).into());
        }
        self.inner.update_batch(&[Arc::new(known)])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.inner.merge_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.inner.state()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.is_known { self.inner.evaluate() } else { Ok(ScalarValue::Float64(None)) }
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.inner.size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::testing::{Dice, in_every_way, made};
    use arrow::array::{IntervalMonthDayNanoArray, StringArray};
    use arrow::datatypes::IntervalMonthDayNano;

    fn count(values: ArrayRef) -> i64 {
        match in_every_way(&aggregates()[0], &[values], &[]) {
            ScalarValue::Int64(Some(count)) => count,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn values_that_are_equal_count_once() {
        assert_eq!(count(Arc::new(StringArray::from(vec![Some("a"), None, Some("b"), Some("a")]))), 2);
        assert_eq!(count(Arc::new(Float64Array::from(vec![0.0, -0.0, f64::NAN, -f64::NAN, 1.5]))), 3);
        let span = |months, days| IntervalMonthDayNano::new(months, days, 0);
        assert_eq!(count(Arc::new(IntervalMonthDayNanoArray::from(vec![span(1, 0), span(0, 30), span(0, 31)]))), 2);
        assert_eq!(count(Arc::new(Int64Array::from(vec![None, None]))), 0);
        let many = count(Arc::new((0..20_000).map(Some).collect::<Int64Array>()));
        assert!((19_400..20_600).contains(&many), "{many}");
    }

    /// The value at the part, of all values in parts: the digest may err by a small part of the rows.
    #[test]
    fn a_percentile_is_near_the_one_that_sorting_gives() {
        let mut dice = Dice(9);
        let mut values: Vec<f64> =
            (0..5_000).map(|_| f64::from(u32::try_from(dice.roll(1_000_000)).unwrap())).collect();
        for part in [0.0, 0.01, 0.25, 0.5, 0.9, 0.999, 1.0] {
            let udaf = &aggregates()[1];
            let columns = |values: &[f64]| {
                let with_gaps = values.iter().map(|value| Some(*value)).chain([None, Some(f64::NAN)]);
                let values: ArrayRef = Arc::new(with_gaps.collect::<Float64Array>());
                [Arc::new(Float64Array::from(vec![part; values.len()])) as ArrayRef, values]
            };
            let all = columns(&values);
            let make = || made(udaf, &all, &[0], |args| udaf.accumulator(args).unwrap());
            let mut merged = make();
            for piece in values.chunks(700) {
                let mut part = make();
                part.update_batch(&columns(piece)).unwrap();
                let state: Vec<ArrayRef> = part.state().unwrap().iter().map(|of| of.to_array().unwrap()).collect();
                merged.merge_batch(&state).unwrap();
            }
            let ScalarValue::Float64(Some(found)) = merged.evaluate().unwrap() else { panic!("NULL") };
            let below = values.iter().filter(|value| **value < found).count();
            let share = f64::from(u32::try_from(below).unwrap()) / 5_000.0;
            assert!((share - part).abs() < 0.01, "{part}: {found} is above {share}");
        }
        values.clear();
    }

    #[test]
    fn what_has_no_percentile_is_refused() {
        let udaf = &aggregates()[1];
        let columns = |part: Option<f64>, value: Option<f64>| -> [ArrayRef; 2] {
            [part, value].map(|of| Arc::new(Float64Array::from(vec![of])) as ArrayRef)
        };
        let value = |part, value| {
            let columns = columns(part, value);
            let mut all = made(udaf, &columns, &[0], |args| udaf.accumulator(args))?;
            all.update_batch(&columns)?;
            all.evaluate()
        };
        assert!(value(Some(1.5), Some(1.0)).is_err());
        assert!(value(Some(0.5), Some(f64::INFINITY)).is_err());
        assert_eq!(value(None, Some(1.0)).unwrap(), ScalarValue::Float64(None));
        assert_eq!(value(Some(0.5), None).unwrap(), ScalarValue::Float64(None));
        assert_eq!(value(Some(0.5), Some(4.0)).unwrap(), ScalarValue::Float64(Some(4.0)));
    }
}
