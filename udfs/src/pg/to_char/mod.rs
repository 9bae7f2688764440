//! `to_char(value, pattern text) -> text` - writes a time, an interval or a number after a pattern.
//!
//! Values: timestamp, timestamptz (in the session's zone), date, interval, integers, numeric, double precision. Patterns are
//! PostgreSQL's, with `FM`, `TH`, quoted text. NULL gives NULL. The name of a day or month in an interval is 22007.
//! <https://www.postgresql.org/docs/16/functions-formatting.html>
//!
//! ```sql
//! SELECT to_char(TIMESTAMP '2024-03-05 14:07:09', 'DD Mon YYYY HH24:MI');  -- 05 Mar 2024 14:07
//! ```

mod calendar;
mod digits;
mod number;
pub(crate) mod pattern;
mod read;
mod scientific;
mod time;
mod writer;

use std::sync::Arc;

use arrow::array::{Array, ArrayAccessor, ArrayRef, Float32Array, Int16Array, Int32Array};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::civil::Civil;
use super::zone::Zone;
use crate::Error;
use crate::function::{Args, Column, Overload, Ty, overload, some, stable};
use digits::Value;
use pattern::Node;
pub use read::to_number;
use time::Moment;
pub(crate) use time::{DAYS, MONTHS, ROMAN};

/// The function.
pub fn to_char() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 10] = [
        overload(&[Ty::Timestamp, Ty::Text], Ty::Text, timestamp),
        overload(&[Ty::TimestampTz, Ty::Text], Ty::Text, timestamptz),
        overload(&[Ty::Date, Ty::Text], Ty::Text, date),
        overload(&[Ty::Interval, Ty::Text], Ty::Text, interval),
        overload(&[Ty::Int, Ty::Text], Ty::Text, |args| number(args, args.int(0)?, Value::Long)),
        overload(&[Ty::Numeric, Ty::Text], Ty::Text, numeric),
        overload(&[Ty::Float, Ty::Text], Ty::Text, |args| number(args, args.float(0)?, Value::Float)),
        overload(&[Ty::Int4, Ty::Text], Ty::Text, |args| number(args, args.column::<Int32Array>(0)?, Value::Int)),
        // PostgreSQL resolves a smallint to the preferred type of numbers.
        overload(&[Ty::Int2, Ty::Text], Ty::Text, |args| {
            number(args, args.column::<Int16Array>(0)?, |value| Value::Float(value.into()))
        }),
        overload(&[Ty::Float4, Ty::Text], Ty::Text, |args| {
            number(args, args.column::<Float32Array>(0)?, Value::Single)
        }),
    ];
    stable("to_char", &OVERLOADS)
}

/// Parses a pattern again only when it differs from the row before.
fn by_pattern<T>(
    args: &Args<'_>,
    parse: fn(&str) -> Result<T, Error>,
    write: impl Fn(usize, &T) -> Result<Option<String>>,
) -> Result<ArrayRef> {
    let (values, patterns) = (args.array(0)?, args.text(1)?);
    let mut last: Option<(&str, T)> = None;
    args.build_text(|row| {
        // Nobody looks at the pattern of a NULL.
        let Some(pattern) = patterns.get(row).filter(|_| values.is_valid(row)) else { return Ok(None) };
        let parsed = match last.take() {
            Some((known, parsed)) if known == pattern => parsed,
            _ => parse(pattern)?,
        };
        let text = write(row, &parsed);
        last = Some((pattern, parsed));
        text
    })
}

fn times(pattern: &str) -> Result<Vec<Node>, Error> {
    Ok(pattern::parse(pattern))
}

fn timestamp(args: &Args<'_>) -> Result<ArrayRef> {
    let moments = args.timestamp(0)?;
    by_pattern(args, times, |row, nodes: &Vec<Node>| {
        Ok(Some(time::write(nodes, &Moment::of(Civil::from_micros(some!(moments.get(row)))))?))
    })
}

fn timestamptz(args: &Args<'_>) -> Result<ArrayRef> {
    let moments = args.timestamp(0)?;
    let zone = Zone::of_session(args.zone)?;
    by_pattern(args, times, |row, nodes: &Vec<Node>| {
        let at = some!(moments.get(row));
        let mut moment = Moment::of(Civil::from_micros(zone.to_local(at)?));
        moment.offset = zone.offset_at(at)?;
        moment.zone = zone.abbreviation_at(at)?;
        Ok(Some(time::write(nodes, &moment)?))
    })
}

fn date(args: &Args<'_>) -> Result<ArrayRef> {
    let dates = args.date(0)?;
    by_pattern(args, times, |row, nodes: &Vec<Node>| {
        Ok(Some(time::write(nodes, &Moment::of(Civil::from_date(some!(dates.get(row)))))?))
    })
}

fn interval(args: &Args<'_>) -> Result<ArrayRef> {
    let spans = args.interval(0)?;
    by_pattern(args, times, |row, nodes: &Vec<Node>| {
        Ok(Some(time::write(nodes, &Moment::of_interval(some!(spans.get(row))))?))
    })
}

fn numeric(args: &Args<'_>) -> Result<ArrayRef> {
    let scale = match args.array(0)?.data_type() {
        DataType::Decimal128(_, scale) => *scale,
        _ => 0,
    };
    number(args, args.numeric(0)?, |mantissa| Value::Exact(mantissa, scale))
}

/// Numbers of one type; each type has its own rules.
fn number<'a, A>(
    args: &'a Args<'_>,
    values: Column<'a, A>,
    value: impl Fn(<&'a A as ArrayAccessor>::Item) -> Value,
) -> Result<ArrayRef>
where
    &'a A: ArrayAccessor,
{
    by_pattern(args, number::Pattern::parse, |row, pattern| Ok(Some(pattern.write(value(some!(values.get(row))))?)))
}
