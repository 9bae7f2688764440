//! Texts that are one record each, with columns by their places, as COPY has them.
//!
//! Owns: that a text has as many fields as there are columns. Must never know: a file.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;

use super::columns::{Column, Fields, Misfits};
use super::plan::Way;
use super::seen::NULL_OF_COPY;
use super::split::{Delimiter, Dialect, Field, Splitter};
use crate::format::value::Form;

/// Whether text can be read as a type.
pub(crate) fn reads(data_type: &DataType) -> bool {
    column(data_type).is_some()
}

fn column(data_type: &DataType) -> Option<Column> {
    Column::new(data_type, true, Way { form: Form::Iso, nulls: vec![NULL_OF_COPY.into()] }, false)
}

/// A row with a value that its column cannot take, and why.
pub(crate) type Misread = (usize, String);

/// Records that are read together.
pub(crate) struct Lines {
    columns: SchemaRef,
    splitter: Splitter,
    text: String,
    /// Of each column, those of all records.
    fields: Vec<Vec<Field>>,
}

impl Lines {
    pub(crate) fn new(columns: &SchemaRef, delimiter: u8) -> Self {
        let splitter = Splitter::new(Dialect { delimiter: Delimiter::Byte(delimiter), ..Dialect::default() });
        let fields = columns.fields().iter().map(|_| Vec::new()).collect();
        Self { columns: Arc::clone(columns), splitter, text: String::new(), fields }
    }

    /// Adds a record; an error says why it is none.
    pub(crate) fn add(&mut self, text: &str) -> Result<(), String> {
        let mut fields = Vec::with_capacity(self.fields.len());
        let used = self.splitter.next(text.as_bytes(), true, &mut fields);
        let used = used.map_err(|_| "unterminated CSV quoted field".to_owned())?;
        let used = used.ok_or_else(|| "the record is empty".to_owned())?;
        if !text.get(used..).unwrap_or_default().trim_ascii().is_empty() {
            return Err("more than one line in a record".to_owned());
        }
        if fields.len() > self.fields.len() {
            return Err("extra data after last expected column".to_owned());
        }
        if let Some(missing) = self.columns.fields().get(fields.len()) {
            return Err(format!("missing data for column \"{}\"", missing.name()));
        }
        let before = self.text.len();
        self.text.push_str(text);
        for (of_column, field) in self.fields.iter_mut().zip(fields) {
            of_column.push(Field { start: before + field.start, end: before + field.end, ..field });
        }
        Ok(())
    }

    /// The values of all records, and which of them have one that their column cannot take, with the reason.
    pub(crate) fn columns(&self) -> Result<(Vec<ArrayRef>, Vec<Misread>), ArrowError> {
        let (mut columns, mut wrong) = (Vec::with_capacity(self.fields.len()), Vec::new());
        let dialect = self.splitter.dialect();
        for (field, fields) in self.columns.fields().iter().zip(&self.fields) {
            let reader = column(field.data_type())
                .ok_or_else(|| ArrowError::NotYetImplemented(format!("text as {}", field.data_type())))?;
            let fields = Fields { text: &self.text, fields, dialect: &dialect };
            let mut misfits = Misfits { rows: Vec::new(), first_only: false };
            columns.push(reader.read(fields, &mut misfits));
            let mut scratch = String::new();
            for row in misfits.rows {
                let value = fields.fields.get(row).map(|place| fields.value(place, &mut scratch)).unwrap_or_default();
                wrong.push((row, format!("invalid value \"{value}\" for column \"{}\"", field.name())));
            }
        }
        Ok((columns, wrong))
    }
}
