//! The rows of a file, each as a JSON object.
//!
//! Owns: that a value stays the text that it is: what is no number as JSON writes one is a text, as `07064001`. Must never know:
//! where rows go.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use arrow::array::{Array, RecordBatch};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use flate2::read::MultiGzDecoder;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value};

use super::plain_name;
use crate::error::{Error, Result, SqlState};

pub(super) type Row = Map<String, Value>;

/// Longer records are refused.
const RECORD_BYTES_MAX: u64 = 16 << 20;

pub(super) struct Rows(Box<dyn Iterator<Item = Result<Row>>>);

impl Iterator for Rows {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Result<Row>> {
        self.0.next()
    }
}

impl Rows {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let failed = |error: std::io::Error| {
            let message = format!("could not read the file \"{}\": {error}", path.display());
            Error::new(SqlState::UndefinedFile, message)
        };
        let file = File::open(path).map_err(failed)?;
        let (name, is_gz) = plain_name(path);
        if name.ends_with(".parquet") && !is_gz {
            return parquet(file);
        }
        let text: Box<dyn Read> = if is_gz { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
        let lines = Records { text: BufReader::new(text), at: 0 };
        match name.rsplit_once('.').map(|(_, ending)| ending) {
            Some("csv" | "tsv" | "txt") => csv(lines),
            Some("ndjson" | "jsonl" | "json") => Ok(Self(Box::new(objects(lines)))),
            _ => Err(Error::unsupported(format!("files as \"{name}\" cannot be replayed"))
                .hint("There are .csv, .ndjson and .parquet.")),
        }
    }
}

/// Records of a text: lines, which go on while a quote is open.
struct Records {
    text: BufReader<Box<dyn Read>>,
    at: u64,
}

impl Records {
    /// The next record without its line end; `None` at the end.
    fn next(&mut self, has_quotes: bool) -> Result<Option<String>> {
        let (mut bytes, mut quotes) = (Vec::new(), 0);
        loop {
            let before = bytes.len();
            let left = RECORD_BYTES_MAX.saturating_sub(before as u64);
            let read = self.text.by_ref().take(left).read_until(b'\n', &mut bytes);
            let read = read.map_err(|error| self.bad(error))?;
            self.at += 1;
            quotes += bytes.iter().skip(before).filter(|byte| **byte == b'"').count();
            let is_open = has_quotes && quotes % 2 == 1;
            if read == 0 && (is_open || left == 0) {
                return Err(self.bad("a record does not end"));
            }
            if read == 0 && bytes.is_empty() {
                return Ok(None);
            }
            if !is_open {
                let text = String::from_utf8(bytes).map_err(|_| self.bad("it is not UTF-8"))?;
                return Ok(Some(text.trim_end_matches(['\n', '\r']).to_owned()));
            }
        }
    }

    fn bad(&self, reason: impl std::fmt::Display) -> Error {
        Error::new(SqlState::DataException, format!("bad record at line {}: {reason}", self.at))
    }
}

fn objects(mut lines: Records) -> impl Iterator<Item = Result<Row>> {
    std::iter::from_fn(move || {
        loop {
            match lines.next(false) {
                Ok(None) => return None,
                Ok(Some(line)) if line.trim().is_empty() => {}
                Ok(Some(line)) => return Some(serde_json::from_str(&line).map_err(|error| lines.bad(error))),
                Err(error) => return Some(Err(error)),
            }
        }
    })
}

fn csv(mut lines: Records) -> Result<Rows> {
    let header = lines.next(true)?.unwrap_or_default();
    let header = header.trim_start_matches('\u{feff}');
    let count = |delimiter: char| header.matches(delimiter).count();
    // The first of those that are there most often.
    let delimiter = [',', ';', '\t'].into_iter().rev().max_by_key(|delimiter| count(*delimiter)).unwrap_or(',');
    let names: Vec<String> = fields(header, delimiter).into_iter().map(|(name, _)| name).collect();
    Ok(Rows(Box::new(std::iter::from_fn(move || {
        loop {
            let line = match lines.next(true) {
                Ok(None) => return None,
                Ok(Some(line)) if line.is_empty() => continue,
                Ok(Some(line)) => line,
                Err(error) => return Some(Err(error)),
            };
            let fields = fields(&line, delimiter);
            if fields.len() > names.len() {
                return Some(Err(lines.bad("it has more fields than the header")));
            }
            let pairs = names.iter().zip(fields);
            return Some(Ok(pairs.map(|(name, (text, quoted))| (name.clone(), value(text, quoted))).collect()));
        }
    }))))
}

/// The fields of a record, and whether they were quoted.
fn fields(record: &str, delimiter: char) -> Vec<(String, bool)> {
    let (mut found, mut chars) = (Vec::new(), record.chars().peekable());
    loop {
        let (mut text, is_quoted) = (String::new(), chars.peek() == Some(&'"'));
        let mut is_open = is_quoted && chars.next().is_some();
        let is_last = loop {
            match chars.next() {
                None => break true,
                Some('"') if is_open && chars.peek() == Some(&'"') => text.extend(chars.next()),
                Some('"') if is_open => is_open = false,
                Some(char) if char == delimiter && !is_open => break false,
                Some(char) => text.push(char),
            }
        };
        found.push((text, is_quoted));
        if is_last {
            return found;
        }
    }
}

/// What a text is in JSON.
fn value(text: String, is_quoted: bool) -> Value {
    if is_quoted {
        return Value::String(text);
    }
    match text.as_str() {
        "" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        number if number.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
            // A number that would be written otherwise is kept as it is.
            let read = serde_json::from_str::<serde_json::Number>(number).ok();
            match read.filter(|read| read.to_string() == number) {
                Some(read) => Value::Number(read),
                None => Value::String(text),
            }
        }
        _ => Value::String(text),
    }
}

fn parquet(file: File) -> Result<Rows> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).and_then(|builder| builder.build());
    let reader = reader.map_err(|error| Error::new(SqlState::DataCorrupted, error.to_string()))?;
    let batches = reader.map(|batch| match batch.map(|batch| objects_of(&batch)) {
        Ok(Ok(rows)) => rows.into_iter().map(Ok).collect::<Vec<_>>(),
        Ok(Err(error)) | Err(error) => vec![Err(Error::new(SqlState::DataCorrupted, error.to_string()))],
    });
    Ok(Rows(Box::new(batches.flatten())))
}

/// The rows of one batch: a reader gives 1,024 of them at a time.
fn objects_of(batch: &RecordBatch) -> Result<Vec<Row>, arrow::error::ArrowError> {
    let options = FormatOptions::default();
    let mut rows = vec![Row::new(); batch.num_rows()];
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        let shown = ArrayFormatter::try_new(column, &options)?;
        let is_text = field.data_type().is_string();
        for (at, row) in rows.iter_mut().enumerate().filter(|(at, _)| column.is_valid(*at)) {
            row.insert(field.name().clone(), value(shown.value(at).to_string(), is_text));
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replayed(name: &str, text: &str) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        let shown = |row: Result<Row>| row.map_or_else(|error| error.message, |row| Value::Object(row).to_string());
        Rows::open(&path).unwrap().map(shown).collect()
    }

    #[test]
    fn rows_of_files_are_objects() {
        let text = "\u{feff}id;name;n;ok\n07064001;\"a;\"\"b\"\"\nc\";1.50;true\n2;;-3;\n3;x\n4;x;1;t;5\n";
        let expected = [
            r#"{"id":"07064001","n":"1.50","name":"a;\"b\"\nc","ok":true}"#,
            r#"{"id":2,"n":-3,"name":null,"ok":null}"#,
            r#"{"id":3,"name":"x"}"#,
            "bad record at line 6: it has more fields than the header",
        ];
        assert_eq!(replayed("a.csv", text), expected);
        let lines = replayed("a.ndjson", "{\"a\": [1]}\n\n{\"a\": null}\nx\n");
        assert_eq!(lines[..2], [r#"{"a":[1]}"#, r#"{"a":null}"#]);
        assert!(lines[2].starts_with("bad record at line 4"), "{lines:?}");
        assert_eq!(replayed("a.csv", "a\n\"x\n"), ["bad record at line 3: a record does not end"]);
    }
}
