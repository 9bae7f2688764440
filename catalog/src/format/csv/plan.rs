//! How the columns of a table are read: decided once, from what all of its files show.
//!
//! Owns: types, forms of moments, and words for NULL. Must never know: a file.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};

use super::rejects::Rejects;
use super::seen::{NULL_OF_COPY, Seen};
use super::{Layout, Options};
use crate::format::value::Form;

/// The columns of a table, and how to read each.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) options: Arc<Options>,
    columns: HashMap<String, Way>,
    /// The columns that a record must fit, and the rejects by file, where bad records are left out.
    checked: Option<(SchemaRef, HashMap<String, Arc<Rejects>>)>,
}

/// How the texts of one column are read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Way {
    pub(crate) form: Form,
    /// The words that are NULL, besides nothing at all.
    pub(crate) nulls: Vec<Box<str>>,
}

impl Way {
    /// Whether a value is NULL in a column of texts. Quotes make a text of a word for NULL, as in PostgreSQL's COPY.
    pub(super) fn is_null_text(&self, value: &str, quoted: bool) -> bool {
        !quoted && (value.is_empty() || self.has(value))
    }

    /// The same in a column of other values.
    pub(super) fn is_null(&self, value: &str) -> bool {
        let value = value.trim_ascii();
        value.is_empty() || self.has(value)
    }

    fn has(&self, value: &str) -> bool {
        self.nulls.iter().any(|null| **null == *value)
    }
}

impl Plan {
    /// The plan and the columns of a definition.
    pub(crate) fn declared(options: Arc<Options>, columns: &[(String, DataType)]) -> (Self, Vec<Field>) {
        let ways = columns.iter().map(|(name, data_type)| {
            let pattern = match data_type {
                DataType::Date32 => options.date_format.clone(),
                DataType::Timestamp(..) => options.timestamp_format.clone(),
                _ => None,
            };
            let form = pattern.map_or(Form::Iso, Form::Pattern);
            (name.clone(), Way { form, nulls: nulls(&options, None) })
        });
        let columns_of = ways.collect();
        let fields = columns.iter().map(|(name, data_type)| Field::new(name, data_type.clone(), true)).collect();
        (Self { options, columns: columns_of, checked: None }, fields)
    }

    /// The plan and the columns that the files show.
    pub(crate) fn found(options: Arc<Options>, columns: &[(String, Seen)]) -> (Self, Vec<Field>) {
        let (mut ways, mut fields) = (HashMap::with_capacity(columns.len()), Vec::with_capacity(columns.len()));
        for (name, seen) in columns {
            let (data_type, form) = conclude(name, seen, &options);
            let is_text = data_type == DataType::Utf8View;
            ways.insert(name.clone(), Way { form, nulls: nulls(&options, (!is_text).then_some(seen)) });
            fields.push(Field::new(name, data_type, true));
        }
        (Self { options, columns: ways, checked: None }, fields)
    }

    /// Leaves out the records that do not fit these columns, if the definition says so.
    pub(crate) fn checking<'a>(mut self, fields: &[Field], keys: impl Iterator<Item = &'a str>) -> Self {
        if self.options.skip_bad {
            let rejects = keys.map(|key| (key.to_owned(), Arc::default())).collect();
            self.checked = Some((Arc::new(Schema::new(fields.to_vec())), rejects));
        }
        self
    }

    /// The columns that every record must fit, whether they are wanted or not.
    pub(super) fn checked(&self) -> Option<&SchemaRef> {
        self.checked.as_ref().map(|(schema, _)| schema)
    }

    /// The records of a file that were left out; `None` if bad records are errors.
    pub(crate) fn rejects(&self, key: &str) -> Option<&Arc<Rejects>> {
        self.checked.as_ref()?.1.get(key)
    }

    /// The columns of `schema` that a file of this layout has.
    pub(crate) fn columns_of<'a>(&self, layout: &Layout, schema: &'a Schema) -> impl Iterator<Item = &'a FieldRef> {
        schema.fields().iter().filter(move |field| place(self, layout, field.name()).is_some())
    }

    pub(crate) fn way(&self, name: &str) -> Option<&Way> {
        self.columns.get(name)
    }
}

/// Where a column is in the records of a file. A definition's names match in any case if that is one only.
pub(super) fn place(plan: &Plan, layout: &Layout, name: &str) -> Option<usize> {
    let names = &layout.names;
    let exact = names.iter().position(|known| known == name);
    if exact.is_some() || plan.options.columns.is_none() {
        return exact;
    }
    let mut same = names.iter().enumerate().filter(|(_, known)| known.to_lowercase() == name.to_lowercase());
    let (place, _) = same.next()?;
    same.next().is_none().then_some(place)
}

/// The type of a column. A definition's pattern of moments counts where every value has its form.
fn conclude(name: &str, seen: &Seen, options: &Options) -> (DataType, Form) {
    let (data_type, form) = seen.kinds.reading(name);
    let is_open = matches!(data_type, DataType::Utf8View | DataType::Int64) || form != Form::Iso;
    let (are_dates, are_timestamps) = seen.are_as_defined();
    match (&options.date_format, &options.timestamp_format) {
        (Some(pattern), _) if is_open && are_dates => (DataType::Date32, Form::Pattern(pattern.clone())),
        (_, Some(pattern)) if is_open && are_timestamps => {
            let zone = seen.has_offset().then(|| "UTC".into());
            (DataType::Timestamp(TimeUnit::Microsecond, zone), Form::Pattern(pattern.clone()))
        }
        _ => (data_type, form),
    }
}

/// The words for NULL: the definition's, or those that were seen.
fn nulls(options: &Options, seen: Option<&Seen>) -> Vec<Box<str>> {
    if !options.null_values.is_empty() {
        return options.null_values.iter().map(|word| word.as_str().into()).collect();
    }
    let seen = seen.into_iter().flat_map(|seen| seen.markers.words());
    std::iter::once(NULL_OF_COPY).chain(seen.filter(|word| *word != NULL_OF_COPY)).map(Into::into).collect()
}
