//! `to_char(value, pattern text) -> text` - writes a time, an interval or a number after a pattern.
//!
//! Values: timestamp, timestamptz (in the session's zone), date, interval, integers, numeric, double precision. Patterns are
//! PostgreSQL's, with `FM`, `TH`, quoted text. NULL gives NULL. A field of the calendar in an interval is 22007.
//! <https://www.postgresql.org/docs/16/functions-formatting.html>
//!
//! ```sql
//! SELECT to_char(TIMESTAMP '2024-03-05 14:07:09', 'DD Mon YYYY HH24:MI');  -- 05 Mar 2024 14:07
//! ```

mod digits;
mod number;
pub(crate) mod pattern;
mod read;
mod time;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::civil::Civil;
use super::zone::Zone;
use crate::function::{Args, Overload, Ty, overload, some, stable};
use pattern::Node;
pub use read::to_number;
use time::Moment;
pub(crate) use time::{DAYS, MONTHS, ROMAN};

/// The function.
pub fn to_char() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 7] = [
        overload(&[Ty::Timestamp, Ty::Text], Ty::Text, timestamp),
        overload(&[Ty::TimestampTz, Ty::Text], Ty::Text, timestamptz),
        overload(&[Ty::Date, Ty::Text], Ty::Text, date),
        overload(&[Ty::Interval, Ty::Text], Ty::Text, interval),
        overload(&[Ty::Int, Ty::Text], Ty::Text, integer),
        overload(&[Ty::Numeric, Ty::Text], Ty::Text, numeric),
        overload(&[Ty::Float, Ty::Text], Ty::Text, float),
    ];
    stable("to_char", &OVERLOADS)
}

/// Parses a pattern again only when it differs from the row before.
fn by_pattern<T>(
    args: &Args<'_>,
    parse: fn(&str) -> T,
    write: impl Fn(usize, &T) -> Result<Option<String>>,
) -> Result<ArrayRef> {
    let patterns = args.text(1)?;
    let mut last: Option<(&str, T)> = None;
    args.build_text(|row| {
        let pattern = some!(patterns.get(row));
        let parsed = match last.take() {
            Some((known, parsed)) if known == pattern => parsed,
            _ => parse(pattern),
        };
        let text = write(row, &parsed);
        last = Some((pattern, parsed));
        text
    })
}

fn timestamp(args: &Args<'_>) -> Result<ArrayRef> {
    let moments = args.timestamp(0)?;
    by_pattern(args, pattern::parse, |row, nodes: &Vec<Node>| {
        Ok(Some(time::write(nodes, &Moment::of(Civil::from_micros(some!(moments.get(row)))))?))
    })
}

fn timestamptz(args: &Args<'_>) -> Result<ArrayRef> {
    let moments = args.timestamp(0)?;
    let zone = Zone::of_session(args.zone)?;
    by_pattern(args, pattern::parse, |row, nodes: &Vec<Node>| {
        let at = some!(moments.get(row));
        let mut moment = Moment::of(Civil::from_micros(zone.to_local(at)?));
        moment.offset = zone.offset_at(at)?;
        moment.zone = zone.abbreviation_at(at)?;
        Ok(Some(time::write(nodes, &moment)?))
    })
}

fn date(args: &Args<'_>) -> Result<ArrayRef> {
    let dates = args.date(0)?;
    by_pattern(args, pattern::parse, |row, nodes: &Vec<Node>| {
        Ok(Some(time::write(nodes, &Moment::of(Civil::from_date(some!(dates.get(row)))))?))
    })
}

fn interval(args: &Args<'_>) -> Result<ArrayRef> {
    let spans = args.interval(0)?;
    by_pattern(args, pattern::parse, |row, nodes: &Vec<Node>| {
        Ok(Some(time::write(nodes, &Moment::of_interval(some!(spans.get(row))))?))
    })
}

fn integer(args: &Args<'_>) -> Result<ArrayRef> {
    let values = args.int(0)?;
    by_pattern(args, number::Pattern::parse, |row, pattern| {
        Ok(Some(pattern.write(digits::Value::Exact(i128::from(some!(values.get(row))), 0))?))
    })
}

fn numeric(args: &Args<'_>) -> Result<ArrayRef> {
    let values = args.numeric(0)?;
    let scale = match args.array(0)?.data_type() {
        DataType::Decimal128(_, scale) => *scale,
        _ => 0,
    };
    by_pattern(args, number::Pattern::parse, |row, pattern| {
        Ok(Some(pattern.write(digits::Value::Exact(some!(values.get(row)), scale))?))
    })
}

fn float(args: &Args<'_>) -> Result<ArrayRef> {
    let values = args.float(0)?;
    by_pattern(args, number::Pattern::parse, |row, pattern| {
        Ok(Some(pattern.write(digits::Value::Float(some!(values.get(row))))?))
    })
}
