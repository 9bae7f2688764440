//! How far functions move a time, at most.
//!
//! Owns: for each of them, where its argument is for a value of it; and bounds of columns in their own types. What it does
//! not know, it leaves alone. Must never know: conditions, scans.

use arrow::datatypes::{DataType, TimeUnit};
use chrono::NaiveDate;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::expr::{Cast, ScalarFunction};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Operator, lit};
use udfs::time::width::Buckets;

const SECOND: i128 = 1_000_000;
const DAY: i128 = 86_400 * SECOND;
/// Offsets of zones that have a name are less; those of others are not looked at.
const ZONE: i128 = DAY;
/// No time is farther from 1970: what is, is no moment but an infinity.
const FARTHEST: i128 = 400_000 * 366 * DAY;

/// Where values are, both ends included: microseconds since 1970, or integers.
#[derive(Debug, Clone, Copy)]
struct Range {
    low: Option<i128>,
    high: Option<i128>,
}

impl Range {
    fn shifted(self, low: i128, high: i128) -> Self {
        Self { low: self.low.map(|at| at + low), high: self.high.map(|at| at + high) }
    }

    /// Microseconds as the seconds around them, whose digits as a number of 53 bits may be off by less than one.
    fn of_seconds(self) -> Self {
        let seconds = |at: i128| at.div_euclid(SECOND);
        Self { low: self.low.map(seconds), high: self.high.map(seconds) }.shifted(-1, 2)
    }

    fn times(self, factor: i128) -> Self {
        Self { low: self.low.map(|at| at * factor), high: self.high.map(|at| at * factor) }
    }
}

/// The least and the greatest value of an expression, as far as they are known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Values<'a> {
    pub(super) low: Option<&'a ScalarValue>,
    pub(super) high: Option<&'a ScalarValue>,
    /// Whether it has neither of both.
    pub(super) are_out: bool,
}

impl<'a> Values<'a> {
    pub(super) fn from_to(low: Option<&'a ScalarValue>, high: Option<&'a ScalarValue>) -> Self {
        Self { low, high, are_out: false }
    }
}

/// The bounds of the column below `image` for which it can have some values.
pub(super) fn ranged(image: &Expr, values: Values<'_>, schema: &DFSchema) -> Vec<Expr> {
    of_image(image, values, schema).unwrap_or_default()
}

fn of_image(image: &Expr, values: Values<'_>, schema: &DFSchema) -> Option<Vec<Expr>> {
    if let Expr::Cast(Cast { expr, field }) = image
        && (field.data_type().is_floating() || matches!(field.data_type(), DataType::Decimal128(..)))
        && part(expr).is_some()
    {
        return of_image(expr, values, schema);
    }
    let Values { low, high, are_out } = values;
    if let Some((unit, of)) = part(image) {
        let is_zoned = matches!(of.get_type(schema).ok()?, DataType::Timestamp(_, Some(_)));
        let zone = if is_zoned && unit == "year" { ZONE } else { 0 };
        // An end that is not known bounds nothing.
        let low = low.and_then(|value| ends(unit, value));
        let high = high.and_then(|value| ends(unit, value));
        let low = low.map(|ends| if are_out && unit == "year" { ends.end } else { ends.begin });
        let high = high.map(|ends| if are_out && unit == "year" && ends.is_whole { ends.begin } else { ends.end });
        return below(of, Range { low, high }.shifted(-zone, zone), schema, true);
    }
    below(image, Range { low: low.and_then(ticks), high: high.and_then(ticks) }, schema, false)
}

/// `date_part` or `extract` of a field that grows with its time.
fn part(expr: &Expr) -> Option<(&'static str, &Expr)> {
    let Expr::ScalarFunction(ScalarFunction { func, args }) = expr else { return None };
    let ("date_part" | "extract", [field, of]) = (func.name(), args.as_slice()) else { return None };
    match text(field)?.to_lowercase().as_str() {
        "year" => Some(("year", of)),
        "epoch" => Some(("epoch", of)),
        _ => None,
    }
}

/// The moments from which on and before which a field can have a value, cut to a whole number.
struct Ends {
    begin: i128,
    end: i128,
    is_whole: bool,
}

fn ends(unit: &str, value: &ScalarValue) -> Option<Ends> {
    let ScalarValue::Float64(Some(value)) = value.cast_to(&DataType::Float64).ok()? else { return None };
    let is_whole = value.fract() == 0.0;
    if unit == "epoch" {
        let at = whole(value)? * SECOND;
        return Some(Ends { begin: at - SECOND, end: at + 2 * SECOND, is_whole });
    }
    let year = i32::try_from(whole(value)?).ok().filter(|year| (1..200_000).contains(year))?;
    let first = |year: i32| {
        let days = NaiveDate::from_ymd_opt(year, 1, 1)?.signed_duration_since(NaiveDate::from_ymd_opt(1970, 1, 1)?);
        Some(i128::from(days.num_days()) * DAY)
    };
    Some(Ends { begin: first(year)?, end: first(year + 1)?, is_whole })
}

fn whole(value: f64) -> Option<i128> {
    // In this range every whole number is exact.
    (value.abs() < 9e15).then(|| value.floor() as i128)
}

/// The bounds of the column that a time is computed of.
fn below(image: &Expr, range: Range, schema: &DFSchema, is_computed: bool) -> Option<Vec<Expr>> {
    match image {
        Expr::Column(_) if is_computed => bounds(image, range, &image.get_type(schema).ok()?),
        Expr::Cast(Cast { expr, field }) => {
            let slack = slack(&expr.get_type(schema).ok()?, field.data_type())?;
            below(expr, range.shifted(-slack, slack), schema, is_computed)
        }
        Expr::ScalarFunction(ScalarFunction { func, args }) => match (func.name(), args.as_slice()) {
            ("to_timestamp", [seconds]) if is_number(seconds, schema) => {
                below_number(seconds, range.of_seconds(), schema)
            }
            (name, args) => {
                let (of, low, high) = shift(name, args, schema)?;
                below(of, range.shifted(low, high), schema, true)
            }
        },
        _ => None,
    }
}

fn is_number(expr: &Expr, schema: &DFSchema) -> bool {
    expr.get_type(schema).is_ok_and(|of| of.is_numeric())
}

/// The bounds of the column that a number is computed of: seconds are often kept as thousands of them.
fn below_number(image: &Expr, range: Range, schema: &DFSchema) -> Option<Vec<Expr>> {
    match image {
        Expr::Column(_) => numbers(image, range, &image.get_type(schema).ok()?),
        Expr::Cast(Cast { expr, field }) if field.data_type().is_numeric() && is_number(expr, schema) => {
            below_number(expr, range.shifted(-1, 1), schema)
        }
        Expr::ScalarFunction(ScalarFunction { func, args }) => match (func.name(), args.as_slice()) {
            ("lakegate_div" | "lakegate_numeric_div", [dividend, Expr::Literal(divisor, _)]) => {
                // The quotient of integers is cut to one.
                below_number(dividend, range.shifted(-1, 1).times(whole_factor(number(divisor)?)?), schema)
            }
            _ => None,
        },
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Multiply, right }) => {
            let Expr::Literal(factor, _) = right.as_ref() else { return None };
            below_number(left, range.shifted(-1, 1).times(whole_factor(number(factor)?.recip())?), schema)
        }
        _ => None,
    }
}

fn number(value: &ScalarValue) -> Option<f64> {
    match value.cast_to(&DataType::Float64).ok()? {
        ScalarValue::Float64(number) => number,
        _ => None,
    }
}

/// A whole number above 0, or what is one but for the last bit of a reciprocal.
fn whole_factor(number: f64) -> Option<i128> {
    let nearest = number.round();
    ((1.0..=1e9).contains(&nearest) && (number - nearest).abs() <= nearest * 1e-14).then(|| whole(nearest))?
}

/// The bounds of a column of numbers. One whose type cannot hold an end has none there.
fn numbers(column: &Expr, range: Range, of: &DataType) -> Option<Vec<Expr>> {
    let value = |at: i128| match of {
        DataType::Float32 | DataType::Float64 => ScalarValue::Float64(Some(at as f64)).cast_to(of).ok(),
        DataType::Decimal128(..) => ScalarValue::Decimal128(Some(at), 38, 0).cast_to(of).ok(),
        of if of.is_integer() => ScalarValue::Int64(Some(i64::try_from(at).ok()?)).cast_to(of).ok(),
        _ => None,
    };
    Some(compared(column, range.low.and_then(value), range.high.and_then(value)))
}

/// The argument of a function that has the time, and how much earlier and later than the function's value it can be.
fn shift<'a>(name: &str, args: &'a [Expr], schema: &DFSchema) -> Option<(&'a Expr, i128, i128)> {
    match (name, args) {
        ("time_bucket", [width, of]) | ("date_bin", [width, of, Expr::Literal(..)]) => bucket(width, of, schema),
        ("time_bucket", [width, of, origin]) if is_origin(origin) => bucket(width, of, schema),
        ("time_bucket", [width, of, zone]) if text(zone).is_some() => {
            let (of, _, longest) = bucket(width, of, schema)?;
            Some((of, -2 * ZONE, longest + 2 * ZONE))
        }
        ("date_trunc", [unit, of]) | ("date_trunc", [unit, of, Expr::Literal(..)]) => {
            let DataType::Timestamp(_, zone) = of.get_type(schema).ok()? else { return None };
            let longest = longest(&text(unit)?)?;
            // Days of a zone begin and end when its clock says so, which may change by then.
            Some(if zone.is_some() { (of, -2 * ZONE, longest + 2 * ZONE) } else { (of, 0, longest) })
        }
        ("lakegate_day", [of]) => Some((of, 0, DAY)),
        ("lakegate_midnight", [of]) => Some((of, 0, 0)),
        ("timezone", [zone, of]) => {
            let name = text(zone)?;
            (name == "UTC" || name.contains('/')).then_some((of, -ZONE, ZONE))
        }
        _ => None,
    }
}

fn bucket<'a>(width: &Expr, of: &'a Expr, schema: &DFSchema) -> Option<(&'a Expr, i128, i128)> {
    let Expr::Literal(width, _) = width else { return None };
    let times = of.get_type(schema).ok()?;
    let longest = Buckets::new(width, &times).ok()??.longest();
    // The start of a bucket of days is cut to a day.
    let slack = if times == DataType::Date32 { DAY } else { 0 };
    Some((of, 0, i128::from(longest) + slack))
}

/// Whether the third argument of `time_bucket` is one to count from, and neither a zone nor an offset.
pub(crate) fn is_origin(argument: &Expr) -> bool {
    let of = match argument {
        Expr::Literal(value, _) => value.data_type(),
        Expr::Cast(Cast { field, .. }) => field.data_type().clone(),
        _ => return false,
    };
    matches!(of, DataType::Timestamp(..) | DataType::Date32 | DataType::Int64)
}

/// The longest time from the start of a unit of `date_trunc` to its end.
fn longest(unit: &str) -> Option<i128> {
    Some(match unit.to_lowercase().as_str() {
        "microseconds" | "milliseconds" | "second" => SECOND,
        "minute" => 60 * SECOND,
        "hour" => 3_600 * SECOND,
        "day" => DAY,
        "week" => 7 * DAY,
        "month" => 31 * DAY,
        "quarter" => 92 * DAY,
        "year" => 366 * DAY,
        "decade" => 10 * 366 * DAY,
        _ => return None,
    })
}

/// How much a cast can move a value at most; `None` if it changes more than its form.
fn slack(from: &DataType, to: &DataType) -> Option<i128> {
    use DataType::{Date32, Timestamp};
    match (from, to) {
        (Date32, Timestamp(_, None)) => Some(0),
        (Timestamp(a, _), Timestamp(b, _)) if from_zone(from) == from_zone(to) => Some(if a == b { 0 } else { SECOND }),
        (from, to) if from.is_integer() && to.is_integer() => Some(0),
        _ => None,
    }
}

fn from_zone(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(_, Some(_)))
}

/// The bounds of a column in its own type.
fn bounds(column: &Expr, range: Range, of: &DataType) -> Option<Vec<Expr>> {
    let per = |unit: &TimeUnit| match unit {
        TimeUnit::Second => SECOND,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond | TimeUnit::Nanosecond => 1,
    };
    let value = |at: i128, is_high: i128| match of {
        DataType::Timestamp(TimeUnit::Nanosecond, zone) => {
            let nanos = i64::try_from(at.checked_mul(1_000)?).ok()?.checked_add(999 * i64::try_from(is_high).ok()?)?;
            Some(ScalarValue::TimestampNanosecond(Some(nanos), zone.clone()))
        }
        DataType::Timestamp(unit, zone) => {
            let at = i64::try_from(at.div_euclid(per(unit)) + is_high).ok()?;
            Some(match unit {
                TimeUnit::Second => ScalarValue::TimestampSecond(Some(at), zone.clone()),
                TimeUnit::Millisecond => ScalarValue::TimestampMillisecond(Some(at), zone.clone()),
                TimeUnit::Microsecond | TimeUnit::Nanosecond => {
                    ScalarValue::TimestampMicrosecond(Some(at), zone.clone())
                }
            })
        }
        DataType::Date32 => Some(ScalarValue::Date32(Some(i32::try_from(at.div_euclid(DAY) + is_high).ok()?))),
        of if of.is_integer() => ScalarValue::Int64(Some(i64::try_from(at).ok()?)).cast_to(of).ok(),
        _ => None,
    };
    let low = range.low.and_then(|at| value(at, 0));
    let high = range.high.and_then(|at| value(at, 1));
    Some(compared(column, low, high))
}

fn compared(column: &Expr, low: Option<ScalarValue>, high: Option<ScalarValue>) -> Vec<Expr> {
    let known = |value: Option<ScalarValue>| value.filter(|value| !value.is_null());
    let low = known(low).map(|low| column.clone().gt_eq(lit(low)));
    let high = known(high).map(|high| column.clone().lt_eq(lit(high)));
    low.into_iter().chain(high).collect()
}

/// A moment in microseconds, or an integer.
fn ticks(value: &ScalarValue) -> Option<i128> {
    let at = match value {
        ScalarValue::TimestampSecond(Some(at), _) => i128::from(*at) * SECOND,
        ScalarValue::TimestampMillisecond(Some(at), _) => i128::from(*at) * 1_000,
        ScalarValue::TimestampMicrosecond(Some(at), _) => i128::from(*at),
        ScalarValue::TimestampNanosecond(Some(at), _) => i128::from(*at).div_euclid(1_000),
        ScalarValue::Date32(Some(at)) => i128::from(*at) * DAY,
        ScalarValue::Int64(Some(at)) => return Some(i128::from(*at)),
        _ => return None,
    };
    (at.abs() < FARTHEST).then_some(at)
}

fn text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Literal(value, _) => value.try_as_str().flatten().map(str::to_owned),
        _ => None,
    }
}
