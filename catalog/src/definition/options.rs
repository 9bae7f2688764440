//! The options and column types of a definition.
//!
//! Owns: the names of the options and their defaults. An unknown one is an error: it would be ignored otherwise.

use arrow::datatypes::{DataType, TimeUnit};
use chrono::{DateTime, Utc};
use encoding_rs::Encoding;
use sqlparser::ast::{ColumnDef, DataType as Sql, ExactNumberInfo, TimezoneInfo, Value};
use udfs::pg::moment::{self, Order};

use super::header::fold;
use crate::format::COLUMNS_MAX;
use crate::format::csv::{Delimiter, Options};
use crate::format::delta::AsOf;
use crate::format::value::Pattern;
use crate::layout::Format;

const KNOWN: &str = "comment, date_format, decimal, delimiter, encoding, escape, header, null_values, on_error, quote, \
                     skip_leading_blank, timestamp_format, trailing_delimiter";

pub(super) fn parse(format: Format, columns: &[ColumnDef], pairs: &[(String, Value)]) -> Result<Options, String> {
    let pairs = if format == Format::Delta { &[] } else { pairs };
    let has_options = matches!(format, Format::Json | Format::Csv);
    if !has_options && (!columns.is_empty() || !pairs.is_empty()) {
        return Err(format!("{} has its own columns and needs no options", format.known().what));
    }
    let mut options = Options { columns: declared(columns)?, ..Default::default() };
    for (name, value) in pairs {
        let key = key(name);
        let key = key.as_str();
        if format == Format::Json && key != "encoding" {
            return Err(format!("option \"{key}\" is not one of NDJSON, known is encoding"));
        }
        set(&mut options, key, &text(value))?;
    }
    Ok(options)
}

/// The version of a Delta table that its options name: `version` or `timestamp`, of UTC if it has no zone.
pub(super) fn as_of(format: Format, pairs: &[(String, Value)]) -> Result<Option<AsOf>, String> {
    if format != Format::Delta {
        return Ok(None);
    }
    let mut as_of = None;
    for (name, value) in pairs {
        let (name, value) = (key(name), text(value));
        let known = match name.as_str() {
            "version" => value.parse().ok().map(AsOf::Version),
            "timestamp" => instant(&value).map(AsOf::Time),
            _ => return Err(format!("option \"{name}\" is not one of DELTA, known are timestamp, version")),
        };
        let known = known.ok_or_else(|| format!("invalid value \"{value}\" for option \"{name}\""))?;
        if as_of.replace(known).is_some() {
            return Err("a Delta table is of one version: version or timestamp".into());
        }
    }
    Ok(as_of)
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(moment::instant(text, Order::default(), chrono_tz::UTC).ok()??)
}

fn set(options: &mut Options, key: &str, value: &str) -> Result<(), String> {
    match key {
        "delimiter" => options.delimiter = Some(delimiter(value)?),
        "quote" => options.quote = byte(key, value)?,
        "escape" => options.escape = byte(key, value)?,
        "comment" => options.comment = byte(key, value)?,
        "header" if value.eq_ignore_ascii_case("auto") => options.header = None,
        "header" => options.header = Some(flag(key, value)?),
        "trailing_delimiter" => options.trailing_delimiter = flag(key, value)?,
        "skip_leading_blank" => options.skip_leading_blank = flag(key, value)?,
        "decimal" => match value {
            "." | "," => options.decimal = value.bytes().next(),
            _ => return Err("option \"decimal\" is '.' or ','".into()),
        },
        "on_error" => match value.to_ascii_lowercase().as_str() {
            "skip" => options.skip_bad = true,
            "fail" => options.skip_bad = false,
            _ => return Err("option \"on_error\" is 'fail' or 'skip'".into()),
        },
        "null_values" => options.null_values = value.split(',').map(str::to_owned).collect(),
        "encoding" => {
            let encoding = Encoding::for_label(value.as_bytes());
            options.encoding = Some(encoding.ok_or_else(|| format!("unknown encoding \"{value}\""))?);
        }
        "date_format" => options.date_format = Some(pattern(key, value)?),
        "timestamp_format" => options.timestamp_format = Some(pattern(key, value)?),
        _ => return Err(format!("unknown option \"{key}\", known are {KNOWN}")),
    }
    Ok(())
}

/// The name of an option as it is compared.
pub(super) fn key(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    name.strip_prefix("format.").map(str::to_owned).unwrap_or(name)
}

pub(super) fn text(value: &Value) -> String {
    match value {
        Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) | Value::EscapedStringLiteral(text) => {
            text.clone()
        }
        other => other.to_string(),
    }
}

fn delimiter(value: &str) -> Result<Delimiter, String> {
    match value {
        "whitespace" => Ok(Delimiter::Blanks),
        "tab" | "\\t" => Ok(Delimiter::Byte(b'\t')),
        _ => match value.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | b'"') => Ok(Delimiter::Byte(*byte)),
            _ => Err("option \"delimiter\" is one ASCII character, 'tab' or 'whitespace'".into()),
        },
    }
}

/// One ASCII character, or none.
fn byte(key: &str, value: &str) -> Result<Option<u8>, String> {
    match value.as_bytes() {
        [] => Ok(None),
        [byte] if byte.is_ascii() => Ok(Some(*byte)),
        _ => Err(format!("option \"{key}\" is one ASCII character")),
    }
}

fn flag(key: &str, value: &str) -> Result<bool, String> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "on" | "1" => Ok(true),
        "false" | "off" | "0" => Ok(false),
        _ => Err(format!("option \"{key}\" is 'true' or 'false'")),
    }
}

fn pattern(key: &str, value: &str) -> Result<Pattern, String> {
    Pattern::new(value).ok_or_else(|| format!("option \"{key}\" is a pattern as '%Y-%m-%d'"))
}

/// The declared columns; `None` if the files shall show them.
fn declared(columns: &[ColumnDef]) -> Result<Option<Vec<(String, DataType)>>, String> {
    if columns.is_empty() {
        return Ok(None);
    }
    if columns.len() > COLUMNS_MAX {
        return Err(format!("{} columns, more than {COLUMNS_MAX}", columns.len()));
    }
    let mut declared: Vec<(String, DataType)> = Vec::with_capacity(columns.len());
    for column in columns {
        let name = fold(&column.name);
        if declared.iter().any(|(known, _)| *known == name) {
            return Err(format!("column \"{name}\" is declared more than once"));
        }
        let data_type = data_type(&column.data_type);
        let data_type = data_type.ok_or_else(|| format!("type {} is not supported", column.data_type))?;
        declared.push((name, data_type));
    }
    Ok(Some(declared))
}

fn data_type(sql: &Sql) -> Option<DataType> {
    let micros = |zone| DataType::Timestamp(TimeUnit::Microsecond, zone);
    Some(match sql {
        Sql::SmallInt(_) | Sql::Int2(_) => DataType::Int16,
        Sql::Int(_) | Sql::Integer(_) | Sql::Int4(_) => DataType::Int32,
        Sql::BigInt(_) | Sql::Int8(_) => DataType::Int64,
        Sql::Real | Sql::Float4 => DataType::Float32,
        Sql::Double(_) | Sql::DoublePrecision | Sql::Float8 | Sql::Float(_) => DataType::Float64,
        Sql::Numeric(info) | Sql::Decimal(info) => decimal(info)?,
        Sql::Boolean | Sql::Bool => DataType::Boolean,
        Sql::Date => DataType::Date32,
        Sql::Timestamp(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => micros(None),
        Sql::Timestamp(_, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz) => micros(Some("UTC".into())),
        Sql::Text | Sql::String(_) | Sql::Varchar(_) | Sql::CharacterVarying(_) | Sql::CharVarying(_) => {
            DataType::Utf8View
        }
        Sql::Custom(name, _) if name.to_string().eq_ignore_ascii_case("timestamptz") => micros(Some("UTC".into())),
        _ => return None,
    })
}

fn decimal(info: &ExactNumberInfo) -> Option<DataType> {
    let (precision, scale) = match info {
        // As wide as there is, with room for cents and more: text cannot say how many digits will come.
        ExactNumberInfo::None => (38, 10),
        ExactNumberInfo::Precision(precision) => (*precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (*precision, *scale),
    };
    let precision = u8::try_from(precision).ok().filter(|precision| (1..=38).contains(precision))?;
    let scale = i8::try_from(scale).ok().filter(|scale| *scale >= 0 && scale.unsigned_abs() <= precision)?;
    Some(DataType::Decimal128(precision, scale))
}
