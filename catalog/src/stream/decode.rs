//! From records to rows, in the columns of a table.
//!
//! Owns: that every record becomes one row or one reject, and that a column has no value that its table would refuse. Must never
//! know: whence records come.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int32Array, Int64Array, RecordBatch, RecordBatchOptions, StringArray,
    TimestampMicrosecondArray,
};
use arrow::compute::{CastOptions, cast_with_options, filter_record_batch, nullif};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;

use super::json::Keys;
use super::records::Record;
use super::{Format, Records};
use crate::format::{csv, json};
use crate::write::Column;

/// What is kept of the text of a reject.
const REJECT_BYTES_MAX: usize = 64 << 10;

/// Makes rows of one table.
#[derive(Debug)]
pub struct Decoder {
    topic: String,
    columns: Arc<[Column]>,
    of: Vec<Of>,
    /// The columns that come from values, as they are decoded.
    values: SchemaRef,
    rows: SchemaRef,
    format: Format,
    keys: Keys,
}

/// Whence the values of a column come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    /// A place among the decoded columns.
    Value(usize),
    Topic,
    Partition,
    Offset,
    Timestamp,
}

/// What became of some records.
#[derive(Debug)]
pub struct Decoded {
    pub rows: RecordBatch,
    pub rejects: Vec<Reject>,
    /// Fields that no column has.
    pub unknown_fields: u64,
}

/// A record that is no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    pub partition: i32,
    pub offset: i64,
    pub timestamp_ms: Option<i64>,
    pub reason: String,
    /// Its text, or the beginning of it; `None` if it has no value.
    pub record: Option<String>,
}

impl Decoder {
    /// For the columns of a table; an error names the one that cannot be read.
    pub fn new(topic: &str, columns: &Arc<[Column]>, format: Format) -> Result<Self, String> {
        if let Some((column, text_type)) = columns.iter().find_map(|column| Some((column, column.text_type()?))) {
            return Err(format!("column \"{}\" of type {text_type} cannot be read from a stream", column.name()));
        }
        let (mut of, mut values) = (Vec::new(), Vec::new());
        for column in columns.iter() {
            of.push(match of_kafka(column) {
                Some(of) => of,
                None => {
                    values.push(decoded_as(&column.field, format));
                    Of::Value(values.len() - 1)
                }
            });
        }
        if let Format::Csv { .. } = format
            && let Some(field) = values.iter().find(|field| !csv::reads(field.data_type()))
        {
            return Err(format!("column \"{}\" of its type cannot be read from csv", field.name()));
        }
        let rows = columns.iter().map(|column| column.field.clone().with_nullable(true)).collect::<Vec<_>>();
        let keys = Keys::new(values.iter());
        let (values, rows) = (Arc::new(Schema::new(values)), Arc::new(Schema::new(rows)));
        Ok(Self { topic: topic.to_owned(), columns: Arc::clone(columns), of, values, rows, format, keys })
    }

    /// The columns of its rows.
    pub fn schema(&self) -> &SchemaRef {
        &self.rows
    }

    pub fn decode(&self, records: &Records) -> Result<Decoded, ArrowError> {
        let mut read = Read::default();
        for (at, (_, value)) in records.iter().enumerate() {
            match value.map(std::str::from_utf8) {
                None => read.refuse(at, "the record has no value"),
                Some(Err(_)) => read.refuse(at, "invalid byte sequence for encoding \"UTF8\""),
                Some(Ok(text)) => read.texts.push((at, text)),
            }
        }
        let values = match self.format {
            Format::Json => self.objects(&mut read)?,
            Format::Csv { delimiter } => self.lines(&mut read, delimiter)?,
        };
        let kept: Vec<&Record> = read.texts.iter().filter_map(|(at, _)| records.get(*at)).collect();
        let columns = self.columns.iter().zip(&self.of).zip(self.rows.fields());
        let columns = columns.map(|((_, of), field)| match of {
            Of::Value(place) => decoded_to(&values, *place, field, &mut read),
            other => Ok(self.of_records(*other, &kept)),
        });
        let columns = columns.collect::<Result<Vec<ArrayRef>, ArrowError>>()?;
        let columns = self.fitted(columns, &mut read)?;
        let options = RecordBatchOptions::new().with_row_count(Some(read.texts.len()));
        let rows = RecordBatch::try_new_with_options(Arc::clone(&self.rows), columns, &options)?;
        let rows = read.without_refused(rows)?;
        let refused = records.iter().enumerate().filter_map(|(at, (record, value))| {
            let reason = read.refused.get(&at)?.clone();
            let text = value.map(|value| shortened(&String::from_utf8_lossy(value)));
            let Record { partition, offset, timestamp_ms, .. } = *record;
            Some(Reject { partition, offset, timestamp_ms, reason, record: text })
        });
        let rejects = if read.refused.is_empty() { Vec::new() } else { refused.collect() };
        Ok(Decoded { rows, rejects, unknown_fields: read.unknown_fields })
    }

    /// The columns of records that are an object each. Those that are none are refused.
    fn objects(&self, read: &mut Read<'_>) -> Result<RecordBatch, ArrowError> {
        let mut unknown = 0;
        read.keep(|text| {
            unknown += self.keys.check(text)?;
            Ok(())
        });
        read.unknown_fields = unknown;
        let decode = |texts: &[(usize, &str)]| {
            let decoded = json::objects(&self.values, texts.iter().map(|(_, text)| *text), texts.len());
            decoded.map(|batch| batch.unwrap_or_else(|| RecordBatch::new_empty(Arc::clone(&self.values))))
        };
        if let Ok(batch) = decode(&read.texts) {
            return Ok(batch);
        }
        // One of them is no row: each is asked alone.
        read.keep(|text| match decode(&[(0, text)]) {
            Ok(_) => Ok(()),
            Err(error) => Err(json::reason(error)),
        });
        decode(&read.texts)
    }

    /// The columns of records that are a line each.
    fn lines(&self, read: &mut Read<'_>, delimiter: u8) -> Result<RecordBatch, ArrowError> {
        let mut lines = csv::Lines::new(&self.values, delimiter);
        read.keep(|text| lines.add(text));
        let (columns, misfits) = lines.columns()?;
        for (row, reason) in misfits {
            if let Some((at, _)) = read.texts.get(row) {
                read.refused.entry(*at).or_insert(reason);
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(read.texts.len()));
        RecordBatch::try_new_with_options(Arc::clone(&self.values), columns, &options)
    }

    /// What a record is beside its value.
    fn of_records(&self, of: Of, kept: &[&Record]) -> ArrayRef {
        match of {
            Of::Partition => Arc::new(Int32Array::from_iter_values(kept.iter().map(|record| record.partition))),
            Of::Offset => Arc::new(Int64Array::from_iter_values(kept.iter().map(|record| record.offset))),
            Of::Timestamp => {
                let micros = kept.iter().map(|record| record.timestamp_ms?.checked_mul(1_000));
                Arc::new(micros.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
            }
            Of::Topic | Of::Value(_) => {
                Arc::new(StringArray::from_iter_values(kept.iter().map(|_| self.topic.as_str())))
            }
        }
    }

    /// The columns as their table takes them; rows that it would refuse are refused here, one by one.
    fn fitted(&self, columns: Vec<ArrayRef>, read: &mut Read<'_>) -> Result<Vec<ArrayRef>, ArrowError> {
        let mut fitted = Vec::with_capacity(columns.len());
        for ((values, column), field) in columns.into_iter().zip(self.columns.iter()).zip(self.rows.fields()) {
            let values = match values.data_type() == field.data_type() {
                true => values,
                false => {
                    cast_with_options(&values, field.data_type(), &CastOptions { safe: false, ..Default::default() })?
                }
            };
            if !column.field.is_nullable() && values.null_count() > 0 {
                let reason = format!("null value in column \"{}\" violates not-null constraint", column.name());
                (0..values.len()).filter(|row| values.is_null(*row)).for_each(|row| read.refuse_row(row, &reason));
            }
            fitted.push(match column.stored(Arc::clone(&values)) {
                Ok(stored) => stored,
                Err(_) => {
                    let max = column.characters_max.unwrap_or_default();
                    let reason = format!("value too long for type character varying({max})");
                    let is_long = |row: usize| column.stored(values.slice(row, 1)).is_err();
                    let are_long: Vec<bool> = (0..values.len()).map(is_long).collect();
                    (0..values.len()).filter(|row| are_long[*row]).for_each(|row| read.refuse_row(row, &reason));
                    // The others are stored without the blanks that are too many.
                    let fitting = nullif(&values, &are_long.into())?;
                    column.stored(Arc::clone(&fitting)).unwrap_or(fitting)
                }
            });
        }
        Ok(fitted)
    }
}

/// Records on their way to rows.
#[derive(Default)]
struct Read<'a> {
    /// The places of records that are rows so far, with their texts.
    texts: Vec<(usize, &'a str)>,
    /// Why others are none, by their places. Some of these may still have a row.
    refused: BTreeMap<usize, String>,
    unknown_fields: u64,
}

impl Read<'_> {
    fn refuse(&mut self, at: usize, reason: &str) {
        self.refused.entry(at).or_insert_with(|| reason.to_owned());
    }

    fn refuse_row(&mut self, row: usize, reason: &str) {
        if let Some(at) = self.texts.get(row).map(|(at, _)| *at) {
            self.refuse(at, reason);
        }
    }

    /// Refuses the records that a check fails for.
    fn keep(&mut self, mut check: impl FnMut(&str) -> Result<(), String>) {
        let refused = &mut self.refused;
        self.texts.retain(|(at, text)| match check(text) {
            Ok(()) => true,
            Err(reason) => {
                refused.entry(*at).or_insert(reason);
                false
            }
        });
    }

    fn without_refused(&self, rows: RecordBatch) -> Result<RecordBatch, ArrowError> {
        let is_kept = |(at, _): &(usize, &str)| !self.refused.contains_key(at);
        if self.texts.iter().all(is_kept) {
            return Ok(rows);
        }
        filter_record_batch(&rows, &self.texts.iter().map(is_kept).collect::<Vec<bool>>().into())
    }
}

/// The columns that tell of the record itself.
fn of_kafka(column: &Column) -> Option<Of> {
    let is_instant = |data_type: &DataType| matches!(data_type, DataType::Timestamp(_, Some(_)));
    match (column.name(), column.field.data_type()) {
        ("_topic", DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8) => Some(Of::Topic),
        ("_partition", DataType::Int32) => Some(Of::Partition),
        ("_offset", DataType::Int64) => Some(Of::Offset),
        ("_timestamp", data_type) if is_instant(data_type) => Some(Of::Timestamp),
        _ => None,
    }
}

/// A numeric is read as its text: the decoder of JSON would cut its digits where PostgreSQL rounds.
fn decoded_as(field: &Field, format: Format) -> Field {
    let data_type = match (field.data_type(), format) {
        (DataType::Decimal128(..), Format::Json) => DataType::Utf8,
        (DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View, _) => DataType::Utf8View,
        (DataType::Timestamp(_, zone), _) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        (other, _) => other.clone(),
    };
    Field::new(field.name(), data_type, true)
}

/// A decoded column in the type of its table.
fn decoded_to(values: &RecordBatch, place: usize, field: &Field, read: &mut Read<'_>) -> Result<ArrayRef, ArrowError> {
    let values = values.column(place);
    let (DataType::Decimal128(..), Some(texts)) = (field.data_type(), values.as_string_opt::<i32>()) else {
        return Ok(Arc::clone(values));
    };
    // Shortest digits mean the same without an exponent.
    let plain = |text: &str| match text.contains(['e', 'E']).then(|| text.trim().parse::<f64>()) {
        Some(Ok(number)) if number.is_finite() => number.to_string(),
        _ => text.trim().to_owned(),
    };
    let texts: StringArray = texts.iter().map(|text| text.map(plain)).collect();
    let decimals = cast_with_options(&texts, field.data_type(), &CastOptions::default())?;
    let wrong: BooleanArray = (0..texts.len()).map(|row| Some(texts.is_valid(row) && decimals.is_null(row))).collect();
    for row in wrong.values().set_indices() {
        let reason = format!("invalid value \"{}\" for column \"{}\"", shortened(texts.value(row)), field.name());
        read.refuse_row(row, &reason);
    }
    Ok(decimals)
}

fn shortened(text: &str) -> String {
    let end = text.floor_char_boundary(REJECT_BYTES_MAX);
    // A text has no zero byte.
    text.get(..end).unwrap_or_default().replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use arrow::util::display::array_value_to_string;

    use super::*;

    fn columns(fields: &[(&str, DataType, bool, Option<u32>)]) -> Arc<[Column]> {
        let column = |(name, data_type, nullable, max): &(&str, DataType, bool, Option<u32>)| {
            Column::new(&Field::new(*name, data_type.clone(), *nullable), *max).unwrap()
        };
        fields.iter().map(column).collect()
    }

    fn decoded(decoder: &Decoder, values: &[Option<&[u8]>]) -> (Vec<String>, Vec<(i64, String)>, u64) {
        let mut records = Records::default();
        for (at, value) in (100..).zip(values) {
            records.push(3, at, Some(1_700_000_000_000), *value);
        }
        let Decoded { rows, rejects, unknown_fields } = decoder.decode(&records).unwrap();
        let shown = |row: usize| {
            let cells = rows.columns().iter().map(|column| match column.is_null(row) {
                true => "NULL".to_owned(),
                false => array_value_to_string(column, row).unwrap(),
            });
            cells.collect::<Vec<_>>().join("|")
        };
        let rejects = rejects.into_iter().map(|reject| (reject.offset, reject.reason)).collect();
        ((0..rows.num_rows()).map(shown).collect(), rejects, unknown_fields)
    }

    #[test]
    fn every_object_is_a_row_or_a_reject() {
        let columns = columns(&[
            ("id", DataType::Int64, false, None),
            ("name", DataType::Utf8, true, Some(4)),
            ("price", DataType::Decimal128(12, 2), true, None),
            ("_partition", DataType::Int32, true, None),
            ("_offset", DataType::Int64, true, None),
        ]);
        let decoder = Decoder::new("t", &columns, Format::Json).unwrap();
        let (rows, rejects, unknown) = decoded(
            &decoder,
            &[
                Some(br#"{"id": 1, "name": "one", "price": 1.005, "more": {"a": [1]}}"#),
                Some(br#"{"id": 2}"#),
                Some(br#"{"id": 3"#),
                Some(br#"{"id": "x"}"#),
                Some(br#"{"name": "none"}"#),
                Some(br#"{"id": 6, "name": "too long"}"#),
                Some(br#"{"id": 7, "name": "four  "}"#),
                Some(br#"{"id": 8.5}"#),
                None,
                Some(b"\xff"),
                Some(br#"[1]"#),
                Some(br#"{"id": 11, "price": 1e3, "name": 5}"#),
                Some(br#"{"id": 12, "price": "much"}"#),
                Some(br#"{"id": 13} {"id": 14}"#),
            ],
        );
        assert_eq!(rows, ["1|one|1.01|3|100", "2|NULL|NULL|3|101", "7|four|NULL|3|106", "11|5|1000.00|3|111"]);
        let offsets: Vec<i64> = rejects.iter().map(|(offset, _)| *offset).collect();
        assert_eq!(offsets, [102, 103, 104, 105, 107, 108, 109, 110, 112, 113]);
        assert_eq!(unknown, 1);
        let reason = |offset: i64| rejects.iter().find(|(at, _)| *at == offset).map(|(_, reason)| reason.as_str());
        assert_eq!(reason(104), Some("null value in column \"id\" violates not-null constraint"));
        assert_eq!(reason(105), Some("value too long for type character varying(4)"));
        assert_eq!(reason(107), Some("invalid input syntax for type bigint: \"8.5\""));
        assert_eq!(reason(112), Some("invalid value \"much\" for column \"price\""));
    }

    #[test]
    fn every_line_is_a_row_or_a_reject() {
        let columns = columns(&[
            ("_topic", DataType::Utf8, true, None),
            ("id", DataType::Int32, false, None),
            ("name", DataType::Utf8, true, None),
            ("at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true, None),
        ]);
        let decoder = Decoder::new("t", &columns, Format::Csv { delimiter: b';' }).unwrap();
        let (rows, rejects, _) = decoded(
            &decoder,
            &[
                Some(b"1;\"a;\"\"b\"\"\";2026-01-02 03:04:05"),
                Some(b"2;;\n"),
                Some(b"x;a;"),
                Some(b"4;a"),
                Some(b"5;a;;"),
                Some(b"6;\"a;"),
                Some(b"7;a;\n8;a;"),
                Some(b";a;"),
                Some(b""),
            ],
        );
        assert_eq!(rows, ["t|1|a;\"b\"|2026-01-02T03:04:05Z", "t|2|NULL|NULL"]);
        let offsets: Vec<i64> = rejects.iter().map(|(offset, _)| *offset).collect();
        assert_eq!(offsets, [102, 103, 104, 105, 106, 107, 108]);
        let reason = |at: usize| rejects[at].1.as_str();
        assert_eq!(reason(1), "missing data for column \"at\"");
        assert_eq!(reason(2), "extra data after last expected column");
    }

    #[test]
    fn columns_that_no_line_has_are_refused() {
        let item = Arc::new(Field::new_list_field(DataType::Int32, true));
        let columns = columns(&[("a", DataType::List(item), true, None)]);
        assert!(Decoder::new("t", &columns, Format::Csv { delimiter: b',' }).is_err());
        let decoder = Decoder::new("t", &columns, Format::Json).unwrap();
        assert_eq!(decoded(&decoder, &[Some(br#"{"a": [1, null]}"#)]).0, ["[1, ]"]);
        assert_eq!(decoded(&decoder, &[]).0, Vec::<String>::new());
    }
}
