//! The parameters of a prepared statement, as a record batch has them: one row is one set of values, by position.
//!
//! Owns: the step from the client's Arrow type to the plan's. Numbers, times and texts are converted without loss; a text
//! for a parameter of another type is read as PostgreSQL's input function reads it. Must never know: where batches come from.

use std::io::Cursor;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use datafusion::scalar::ScalarValue;
use udfs::pg_type;

use super::status::malformed;
use crate::error::{Error, Result, SqlState};
use crate::session::vars::Display;

/// Reads a text as a value of a field's type: the input functions, which a protocol has, since the engine reads none.
pub type Inputs = fn(&str, &Field, &Display) -> Result<ScalarValue>;

/// Rows that one call may bind.
pub(super) const ROWS_MAX: usize = 65_536;

/// One set of values per row; `None` if nothing is bound. Too few or too many columns: 08P01.
pub(super) fn sets(
    batches: &[RecordBatch],
    types: &[FieldRef],
    inputs: Inputs,
    display: &Display,
) -> Result<Vec<Vec<ScalarValue>>> {
    let mut sets = Vec::new();
    for batch in batches {
        if batch.num_columns() != types.len() {
            let (given, wanted) = (batch.num_columns(), types.len());
            let message = format!("{given} parameters were given, but the statement needs {wanted}");
            return Err(Error::new(SqlState::ProtocolViolation, message));
        }
        if sets.len() + batch.num_rows() > ROWS_MAX {
            let message = format!("more than {ROWS_MAX} sets of parameters");
            return Err(Error::new(SqlState::ProgramLimitExceeded, message));
        }
        let columns = batch.columns().iter().zip(types).map(|(values, to)| column(values, to, inputs, display));
        let columns: Vec<Vec<ScalarValue>> = columns.collect::<Result<_>>()?;
        sets.extend(
            (0..batch.num_rows())
                .map(|row| columns.iter().filter_map(|column| column.get(row)).cloned().collect::<Vec<_>>()),
        );
    }
    Ok(sets)
}

fn column(values: &ArrayRef, to: &Field, inputs: Inputs, display: &Display) -> Result<Vec<ScalarValue>> {
    let rows = 0..values.len();
    if reads_texts(values.data_type(), to) {
        let format = FormatOptions::new();
        let texts = ArrayFormatter::try_new(values.as_ref(), &format)?;
        return rows
            .map(|row| match values.is_null(row) {
                true => Ok(ScalarValue::try_from(to.data_type())?),
                false => inputs(&texts.value(row).to_string(), to, display),
            })
            .collect();
    }
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let values =
        cast_with_options(values, to.data_type(), &options).map_err(|error| unfit(values, to).caused_by(error))?;
    rows.map(|row| Ok(ScalarValue::try_from_array(&values, row)?)).collect()
}

/// Texts for other types; times whose zone the session decides; numerics, whose values have digits of their own.
fn reads_texts(from: &DataType, to: &Field) -> bool {
    let is_text = |data_type: &DataType| matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    match (from, to.data_type()) {
        (DataType::Null, _) => false,
        (from, to) if is_text(from) => !is_text(to),
        (DataType::Timestamp(_, None), DataType::Timestamp(_, Some(_))) => true,
        _ => pg_type::is_unconstrained(to) && !from.is_nested(),
    }
}

fn unfit(values: &ArrayRef, to: &Field) -> Error {
    let (from, to_name) = (values.data_type(), pg_type::sql_name(to));
    if from.is_numeric() && to.data_type().is_numeric() {
        return Error::new(SqlState::NumericValueOutOfRange, format!("{to_name} out of range"));
    }
    Error::new(SqlState::DatatypeMismatch, format!("a parameter of type {to_name} cannot be given as {from}"))
}

/// Batches as a handle keeps them.
pub(super) fn pack(batches: &[RecordBatch]) -> Result<Vec<u8>> {
    let Some(first) = batches.first() else { return Ok(Vec::new()) };
    let mut packed = Vec::new();
    let mut writer = StreamWriter::try_new(&mut packed, &first.schema())?;
    for batch in batches {
        writer.write(batch)?;
    }
    writer.finish()?;
    drop(writer);
    Ok(packed)
}

/// Only what this server packed is unpacked: its seal was whole.
pub(super) fn unpack(packed: &[u8]) -> Result<Vec<RecordBatch>> {
    if packed.is_empty() {
        return Ok(Vec::new());
    }
    let read = |_| malformed("parameters");
    StreamReader::try_new(Cursor::new(packed), None).map_err(read)?.collect::<Result<_, _>>().map_err(read)
}
