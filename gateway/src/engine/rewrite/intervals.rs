//! Intervals, and the types that have only some of their fields: `interval '5' day`, `'1-2'::interval year to month`.
//!
//! Owns: what their literals and casts become. Must never know: what is cast.
//! <https://www.postgresql.org/docs/16/datatype-datetime.html#DATATYPE-INTERVAL-INPUT>

use arrow::datatypes::IntervalMonthDayNano;
use datafusion::common::DataFusionError;
use sqlparser::ast::{DataType, DateTimeField, Expr, Interval, IntervalFields};
use udfs::pg::interval::{Field, Fields, Style, parse, parse_fields};

use super::expand::call;
use super::literals::{number, string, text};
use super::types;
use crate::error::{Error, Result};

/// `interval 'text'` with the fields behind it.
pub(super) fn literal(interval: &Interval, style: Style) -> Result<Option<Expr>> {
    let Some(text) = text(&interval.value) else { return Ok(None) };
    let Some(first) = &interval.leading_field else { return of_text(&text, style).map(Some) };
    let last = interval.last_field.as_ref().unwrap_or(first);
    let Some(last) = field(last) else {
        // A unit that is no field of a type, such as WEEK: the parser takes it, and so do we.
        let is_bare = text.trim().parse::<f64>().is_ok();
        return of_text(&if is_bare { format!("{text} {last}") } else { text }, style).map(Some);
    };
    let is_minute_to_second = field(first) == Some(Field::Minute) && last == Field::Second;
    let value =
        of_span(parse_fields(&text, style, Fields { last, is_minute_to_second }).map_err(DataFusionError::from)?);
    // The parser calls the digits behind a lone SECOND those of the leading field.
    let digits = interval.fractional_seconds_precision.or(interval.leading_precision);
    Ok(Some(match digits {
        Some(digits) => call("lakegate_precision", vec![value, number(digits)]),
        None => value,
    }))
}

/// A cast to an interval type with fields; `None` for every other cast.
pub(super) fn cast(inner: &Expr, data_type: &DataType, style: Style) -> Result<Option<Expr>> {
    let DataType::Interval { fields: Some(written), precision } = data_type else { return Ok(None) };
    let fields = fields(written);
    let value = match text(inner) {
        Some(text) => of_span(parse_fields(&text, style, fields).map_err(DataFusionError::from)?),
        None => {
            let value = types::cast(inner.clone(), DataType::Interval { fields: None, precision: None });
            match fields.last {
                Field::Second => value,
                last => call("date_trunc", vec![string(format!("{last:?}").to_lowercase()), value]),
            }
        }
    };
    Ok(Some(match precision {
        Some(digits) => call("lakegate_precision", vec![value, number(digits)]),
        None => value,
    }))
}

/// The interval that a text names.
pub(super) fn of_text(text: &str, style: Style) -> Result<Expr> {
    Ok(of_span(parse(text, style).map_err(|error| Error::from(DataFusionError::from(error)))?))
}

fn of_span(IntervalMonthDayNano { months, days, nanoseconds }: IntervalMonthDayNano) -> Expr {
    // The planner's own units are exact in these three, whatever the text's were.
    let value = Box::new(string(format!("{months} months {days} days {nanoseconds} nanoseconds")));
    Expr::Interval(Interval {
        value,
        leading_field: None,
        leading_precision: None,
        last_field: None,
        fractional_seconds_precision: None,
    })
}

fn field(written: &DateTimeField) -> Option<Field> {
    Some(match written {
        DateTimeField::Year | DateTimeField::Years => Field::Year,
        DateTimeField::Month | DateTimeField::Months => Field::Month,
        DateTimeField::Day | DateTimeField::Days => Field::Day,
        DateTimeField::Hour | DateTimeField::Hours => Field::Hour,
        DateTimeField::Minute | DateTimeField::Minutes => Field::Minute,
        DateTimeField::Second | DateTimeField::Seconds => Field::Second,
        _ => return None,
    })
}

fn fields(written: &IntervalFields) -> Fields {
    let last = match written {
        IntervalFields::Year => Field::Year,
        IntervalFields::Month | IntervalFields::YearToMonth => Field::Month,
        IntervalFields::Day => Field::Day,
        IntervalFields::Hour | IntervalFields::DayToHour => Field::Hour,
        IntervalFields::Minute | IntervalFields::DayToMinute | IntervalFields::HourToMinute => Field::Minute,
        IntervalFields::Second
        | IntervalFields::DayToSecond
        | IntervalFields::HourToSecond
        | IntervalFields::MinuteToSecond => Field::Second,
    };
    Fields { last, is_minute_to_second: matches!(written, IntervalFields::MinuteToSecond) }
}
