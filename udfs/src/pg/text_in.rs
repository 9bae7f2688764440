//! `lakegate_..._in(text)` - PostgreSQL's input functions of dates, times, timestamps, intervals and truth values.
//!
//! Casts from text are planned as calls of these, so that every text is read by `moment`, `interval` and `boolean`: a
//! text of no type's form is 22007 or 22P02, a field out of range 22008. A wall clock without an offset is the
//! session's. NULL gives NULL. Users never name these functions.
//! <https://www.postgresql.org/docs/16/datatype-datetime.html#DATATYPE-DATETIME-INPUT>

use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Date32Array, IntervalMonthDayNanoArray, StringArray, Time64MicrosecondArray,
    TimestampMicrosecondArray,
};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, FieldRef, IntervalUnit};
use chrono_tz::Tz;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::interval;
use super::moment::{self, Clock, Day, Offset, Order};
use super::zone::Zone;
use crate::Error;
use crate::function::strict;
use crate::settings::ReadSettings;

/// The function that reads texts as values of an Arrow type; `None` where a plain cast reads as PostgreSQL does.
pub fn text_in(target: &DataType) -> Option<Arc<ScalarUDF>> {
    let name = match target {
        DataType::Boolean => "lakegate_bool_in",
        DataType::Date32 => "lakegate_date_in",
        DataType::Time64(_) => "lakegate_time_in",
        DataType::Timestamp(_, None) => "lakegate_timestamp_in",
        DataType::Timestamp(_, Some(_)) => "lakegate_timestamptz_in",
        DataType::Interval(IntervalUnit::MonthDayNano) => "lakegate_interval_in",
        _ => return None,
    };
    // What is read depends on the session: its zone, its order of fields.
    let signature = Signature::any(1, Volatility::Stable);
    Some(Arc::new(ScalarUDF::new_from_impl(TextIn { name, target: target.clone(), signature })))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct TextIn {
    name: &'static str,
    target: DataType,
    signature: Signature,
}

impl ScalarUDFImpl for TextIn {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.target.clone())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        strict(self, &args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [texts] = args.args.as_slice() else { return exec_err!("{} takes one text", self.name) };
        let session = Session::of(&args.config_options)?;
        Ok(match texts {
            ColumnarValue::Array(texts) => ColumnarValue::Array(self.read(texts, &session)?),
            ColumnarValue::Scalar(text) => {
                let value = self.read(&text.to_array_of_size(1)?, &session)?;
                ColumnarValue::Scalar(ScalarValue::try_from_array(&value, 0)?)
            }
        })
    }
}

impl TextIn {
    fn read(&self, texts: &ArrayRef, session: &Session) -> Result<ArrayRef> {
        let texts = cast(texts, &DataType::Utf8)?;
        let texts = texts.as_string::<i32>();
        let read: ArrayRef = match &self.target {
            DataType::Boolean => Arc::new(each(texts, boolean).collect::<Result<BooleanArray, Error>>()?),
            DataType::Date32 => {
                Arc::new(each(texts, |text| session.date(text)).collect::<Result<Date32Array, Error>>()?)
            }
            DataType::Time64(_) => {
                Arc::new(each(texts, moment::time).collect::<Result<Time64MicrosecondArray, Error>>()?)
            }
            DataType::Timestamp(_, zone) => {
                let instants = each(texts, |text| session.timestamp(text, zone.is_some()));
                let instants = instants.collect::<Result<TimestampMicrosecondArray, Error>>()?;
                Arc::new(instants.with_timezone_opt(zone.clone()))
            }
            _ => Arc::new(each(texts, interval::parse).collect::<Result<IntervalMonthDayNanoArray, Error>>()?),
        };
        if *read.data_type() == self.target {
            return Ok(read);
        }
        // Columns of files may count in other units.
        let exact = CastOptions { safe: false, ..CastOptions::default() };
        Ok(cast_with_options(&read, &self.target, &exact)?)
    }
}

/// The value of every text, NULL for NULL.
fn each<T>(
    texts: &StringArray,
    read: impl Fn(&str) -> Result<T, Error>,
) -> impl Iterator<Item = Result<Option<T>, Error>> {
    texts.iter().map(move |text| text.map(&read).transpose())
}

/// What the session gives a text that does not say it.
struct Session {
    zone: Tz,
    order: Order,
}

impl Session {
    fn of(options: &ConfigOptions) -> Result<Self> {
        let name = options.execution.time_zone.as_deref().unwrap_or("UTC");
        let zone = match Zone::of_session(name)? {
            Zone::Named(zone) => zone,
            Zone::Fixed(_) => Tz::UTC,
        };
        let order = options.extensions.get::<ReadSettings>().map_or_else(Order::default, ReadSettings::order);
        Ok(Self { zone, order })
    }

    fn date(&self, text: &str) -> Result<i32, Error> {
        match moment::date(text, self.order, self.zone)? {
            Day::At(day) => i32::try_from(day).map_err(|_| moment::timestamp_out_of_range(text)),
            Day::Early | Day::Late => Err(infinite()),
        }
    }

    fn timestamp(&self, text: &str, zoned: bool) -> Result<i64, Error> {
        let (micros, offset) = match moment::timestamp(text, zoned, self.order, self.zone)? {
            Clock::At { micros, offset } => (micros, offset),
            Clock::Early | Clock::Late => return Err(infinite()),
        };
        if !zoned {
            return Ok(micros);
        }
        match offset {
            Some(Offset::Fixed(seconds)) => Zone::Fixed(seconds),
            Some(Offset::Named(zone)) => Zone::Named(zone),
            None => Zone::Named(self.zone),
        }
        .to_instant(micros)
    }
}

fn infinite() -> Error {
    Error::Unsupported("infinite dates and timestamps are not supported".to_owned())
}

/// Unique prefixes of the words count.
fn boolean(text: &str) -> Result<bool, Error> {
    let word = text.trim().to_ascii_lowercase();
    let is = |full: &str, least: usize| word.len() >= least && full.starts_with(&word);
    if is("true", 1) || is("yes", 1) || word == "on" || word == "1" {
        return Ok(true);
    }
    if is("false", 1) || is("no", 1) || is("off", 2) || word == "0" {
        return Ok(false);
    }
    Err(Error::InvalidText { of: "boolean", value: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call_in, shown, text};

    fn read(target: &DataType, given: &str) -> String {
        shown(&text_in(target).unwrap(), &[text(given)])
    }

    #[test]
    fn texts_become_values_as_in_postgres() {
        assert_eq!(read(&DataType::Date32, "Jan 2 2024"), "2024-01-02");
        assert_eq!(read(&DataType::Date32, "2024-02-30"), "date/time field value out of range: \"2024-02-30\"");
        assert_eq!(read(&DataType::Boolean, "of"), "false");
        assert_eq!(read(&DataType::Boolean, "maybe"), "invalid input syntax for type boolean: \"maybe\"");
        let instant = DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, Some("Europe/Paris".into()));
        let given = [text("2024-07-01 12:00")];
        let answer = call_in("Europe/Paris", &text_in(&instant).unwrap(), &given, true).unwrap();
        let utc = chrono::DateTime::parse_from_rfc3339("2024-07-01T10:00:00Z").unwrap().timestamp_micros();
        assert_eq!(answer, ScalarValue::TimestampMicrosecond(Some(utc), Some("Europe/Paris".into())));
    }
}
