//! `lakegate_..._in(text)` - PostgreSQL's input functions of all types but numbers, whose are `numeric::cast`'s,
//! and json, whose are `json::input`'s.
//!
//! Casts from text are planned as calls of these, so that every text is read by `moment`, `interval` and `input`: a text
//! of no type's form is 22007 or 22P02, a field out of range 22008. A wall clock without an offset is the session's. An
//! array has the one dimension that its column's type has: more are 0A000. NULL gives NULL. Users never name these
//! functions.
//! <https://www.postgresql.org/docs/16/datatype-datetime.html#DATATYPE-DATETIME-INPUT>

use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Decimal128Array, IntervalMonthDayNanoArray,
    ListArray, StringArray, StringBuilder, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, IntervalUnit};
use chrono_tz::Tz;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::moment::{self, Clock, Day, Offset, Order};
use super::zone::Zone;
use super::{input, interval, json, numeric};
use crate::function::strict;
use crate::settings::ReadSettings;
use crate::{Error, pg_type};

/// The function that reads texts as values of a type; `None` where a plain cast reads as PostgreSQL does.
pub fn text_in(target: &Field) -> Option<Arc<ScalarUDF>> {
    let name = match target.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => match pg_type::tag(target)? {
            tag @ ("json" | "jsonb") => return json::text_in(tag),
            "name" => "lakegate_name_in",
            "timetz" => "lakegate_timetz_in",
            "uuid" => "lakegate_uuid_in",
            _ => return None,
        },
        DataType::Decimal128(..) if pg_type::tag(target) == Some("money") => "lakegate_money_in",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "lakegate_bytea_in",
        DataType::List(_) => "lakegate_array_in",
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
    Some(Arc::new(ScalarUDF::new_from_impl(TextIn { name, target: Arc::new(target.clone()), signature })))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct TextIn {
    name: &'static str,
    target: FieldRef,
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
        Ok(self.target.data_type().clone())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let field = strict(self, &args)?;
        Ok(match pg_type::tag(&self.target) {
            Some(tag) => Arc::new(pg_type::tagged(field.name(), field.data_type().clone(), tag)),
            None => field,
        })
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
        read(texts.as_string::<i32>(), &self.target, session)
    }
}

/// The values of texts as the type of a field.
fn read(texts: &StringArray, target: &Field, session: &Session) -> Result<ArrayRef> {
    let read: ArrayRef = match target.data_type() {
        DataType::Boolean => Arc::new(each(texts, input::boolean).collect::<Result<BooleanArray, Error>>()?),
        DataType::Date32 => Arc::new(each(texts, |text| session.date(text)).collect::<Result<Date32Array, Error>>()?),
        DataType::Time64(_) => Arc::new(
            each(texts, |text| moment::time(text, session.order, session.zone))
                .collect::<Result<Time64MicrosecondArray, Error>>()?,
        ),
        DataType::Timestamp(_, zone) => {
            let instants = each(texts, |text| session.timestamp(text, zone.is_some()));
            let instants = instants.collect::<Result<TimestampMicrosecondArray, Error>>()?;
            Arc::new(instants.with_timezone_opt(zone.clone()))
        }
        DataType::Interval(_) => {
            let read = |text: &str| interval::parse(text, session.intervals);
            Arc::new(each(texts, read).collect::<Result<IntervalMonthDayNanoArray, Error>>()?)
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
            Arc::new(each(texts, input::bytea).collect::<Result<BinaryArray, Error>>()?)
        }
        DataType::List(_) => lists(texts, target, session)?,
        to if pg_type::tag(target) == Some("money") => {
            let cents = each(texts, |text| input::money(text).map(i128::from));
            Arc::new(cents.collect::<Result<Decimal128Array, Error>>()?.with_data_type(to.clone()))
        }
        to if to.is_numeric() => numeric::cast::convert(&(Arc::new(texts.clone()) as ArrayRef), to)?,
        _ => words(texts, pg_type::tag(target), session)?,
    };
    if read.data_type() == target.data_type() {
        return Ok(read);
    }
    // Columns of files may count in other units.
    let exact = CastOptions { safe: false, ..CastOptions::default() };
    Ok(cast_with_options(&read, target.data_type(), &exact)?)
}

/// The types that are held as texts.
fn words(texts: &StringArray, tag: Option<&str>, session: &Session) -> Result<ArrayRef> {
    let checked: StringArray = match tag {
        Some("json") => {
            each(texts, input::json).try_for_each(|outcome| outcome.map(|_| ()))?;
            texts.clone()
        }
        Some("jsonb") => each(texts, input::jsonb).collect::<Result<_, Error>>()?,
        Some("uuid") => {
            let shown = |text: &str| Ok(uuid::Uuid::from_bytes(input::uuid(text)?).hyphenated().to_string());
            each(texts, shown).collect::<Result<_, Error>>()?
        }
        Some("timetz") => {
            let shown = |text: &str| {
                let (micros, east) = moment::time_with_zone(text, session.order, session.zone)?;
                Ok(super::timetz::shown(micros, east))
            };
            each(texts, shown).collect::<Result<_, Error>>()?
        }
        Some("name") => texts.iter().map(|text| text.map(name)).collect(),
        _ => texts.clone(),
    };
    Ok(Arc::new(checked))
}

/// A name has 63 bytes at most.
fn name(text: &str) -> &str {
    const NAME_BYTES_MAX: usize = 63;
    text.get(..text.floor_char_boundary(NAME_BYTES_MAX)).unwrap_or(text)
}

/// Arrays of as many dimensions as the type has.
fn lists(texts: &StringArray, target: &Field, session: &Session) -> Result<ArrayRef> {
    let mut items = Vec::new();
    let mut innermost = target.data_type();
    while let DataType::List(item) = innermost {
        items.push(Arc::clone(item));
        innermost = item.data_type();
    }
    let mut elements = StringBuilder::new();
    let mut lengths: Vec<Vec<usize>> = vec![Vec::new(); items.len()];
    let mut other = None;
    for text in texts {
        let read = text.map(input::array).transpose()?;
        let read = read.unwrap_or_else(|| input::Elements { dimensions: Vec::new(), texts: Vec::new() });
        let dimensions = read.dimensions.len();
        if dimensions == items.len() {
            let mut lists = 1;
            for (level, length) in lengths.iter_mut().zip(&read.dimensions) {
                level.extend(std::iter::repeat_n(*length, lists));
                lists *= length;
            }
        } else {
            if dimensions > 0 {
                other = Some(dimensions);
            }
            lengths.iter_mut().take(1).for_each(|level| level.push(0));
        }
        elements.extend(read.texts);
    }
    let element = pg_type::tag(target).and_then(|tag| tag.strip_prefix('_'));
    let element = match element {
        Some(tag) => pg_type::tagged("", innermost.clone(), tag),
        None => Field::new("", innermost.clone(), true),
    };
    let mut values = read(&elements.finish(), &element, session)?;
    if let Some(dimensions) = other {
        let message = format!("arrays of {dimensions} dimensions are not supported where {} are expected", items.len());
        return Err(Error::Unsupported(message).into());
    }
    for (level, (item, lengths)) in items.iter().zip(lengths).enumerate().rev() {
        let nulls = if level == 0 { texts.nulls().cloned() } else { None };
        values = Arc::new(ListArray::try_new(Arc::clone(item), OffsetBuffer::from_lengths(lengths), values, nulls)?);
    }
    Ok(values)
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
    intervals: interval::Style,
}

impl Session {
    fn of(options: &ConfigOptions) -> Result<Self> {
        let name = options.execution.time_zone.as_deref().unwrap_or("UTC");
        let zone = match Zone::of_session(name)? {
            Zone::Named(zone) => zone,
            Zone::Fixed(_) | Zone::Posix(_) | Zone::Abbreviated(_) => Tz::UTC,
        };
        let settings = options.extensions.get::<ReadSettings>().cloned().unwrap_or_default();
        Ok(Self { zone, order: settings.order(), intervals: settings.intervals() })
    }

    fn date(&self, text: &str) -> Result<i32, Error> {
        match moment::date(text, self.order, self.zone)? {
            Day::At(day) => i32::try_from(day).map_err(|_| moment::timestamp_out_of_range(text)),
            Day::Early => Ok(i32::MIN),
            Day::Late => Ok(i32::MAX),
        }
    }

    fn timestamp(&self, text: &str, zoned: bool) -> Result<i64, Error> {
        let (micros, offset) = match moment::timestamp(text, zoned, self.order, self.zone)? {
            Clock::At { micros, offset } => (micros, offset),
            Clock::Early => return Ok(i64::MIN),
            Clock::Late => return Ok(i64::MAX),
        };
        if !zoned {
            return Ok(micros);
        }
        let instant = offset.map_or(Zone::Named(self.zone), Offset::zone).to_instant(micros)?;
        if moment::is_in_range(instant) { Ok(instant) } else { Err(moment::timestamp_out_of_range(text)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call_in, shown, text};

    fn read(target: &DataType, given: &str) -> String {
        shown(&text_in(&Field::new("", target.clone(), true)).unwrap(), &[text(given)])
    }

    #[test]
    fn texts_become_values_as_in_postgres() {
        assert_eq!(read(&DataType::Date32, "Jan 2 2024"), "2024-01-02");
        assert_eq!(read(&DataType::Date32, "2024-02-30"), "date/time field value out of range: \"2024-02-30\"");
        assert_eq!(read(&DataType::Boolean, "of"), "false");
        assert_eq!(read(&DataType::Boolean, "maybe"), "invalid input syntax for type boolean: \"maybe\"");
        let instant = DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, Some("Europe/Paris".into()));
        let given = [text("2024-07-01 12:00")];
        let answer = call_in("Europe/Paris", &text_in(&Field::new("", instant, true)).unwrap(), &given, true).unwrap();
        let utc = chrono::DateTime::parse_from_rfc3339("2024-07-01T10:00:00Z").unwrap().timestamp_micros();
        assert_eq!(answer, ScalarValue::TimestampMicrosecond(Some(utc), Some("Europe/Paris".into())));
    }
}
