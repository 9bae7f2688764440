//! Relations whose rows are PostgreSQL's own: read from `data/`, in the text format of COPY.
//!
//! Owns: the list of such relations and the reader. Must never know: the lake.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef, UInt32Type};
use async_trait::async_trait;
use datafusion::common::{Result, exec_err};

use super::columns::lines;
use super::own_functions;
use super::relation::{Relation, Wanted};
use super::rows::{Cell, Rows};
use super::view::View;

/// A relation with the same rows on every server.
pub(crate) struct Dump {
    schema: &'static str,
    name: &'static str,
    text: &'static str,
    /// Lines that the server adds of its own.
    own: Option<fn() -> &'static str>,
    batch: OnceLock<RecordBatch>,
}

impl Dump {
    pub(crate) const fn new(name: &'static str, text: &'static str) -> Self {
        Self { schema: "pg_catalog", name, text, own: None, batch: OnceLock::new() }
    }

    const fn with_own(name: &'static str, text: &'static str, own: fn() -> &'static str) -> Self {
        Self { schema: "pg_catalog", name, text, own: Some(own), batch: OnceLock::new() }
    }

    /// One of `information_schema`.
    const fn of_standard(name: &'static str, text: &'static str) -> Self {
        Self { schema: super::information_schema::SCHEMA, name, text, own: None, batch: OnceLock::new() }
    }

    /// The rows; they are read once.
    pub(crate) fn batch(&self) -> Result<RecordBatch> {
        if let Some(batch) = self.batch.get() {
            return Ok(batch.clone());
        }
        let batch = read(self.columns()?, self.text, self.own.map(|own| own()).unwrap_or_default())?;
        Ok(self.batch.get_or_init(|| batch).clone())
    }

    /// Whether the first column, `oid`, has the value.
    pub(crate) fn has(&self, oid: u32) -> Result<bool> {
        let batch = self.batch()?;
        let oids = batch.columns().first().and_then(|column| column.as_primitive_opt::<UInt32Type>());
        Ok(oids.is_some_and(|oids| oids.values().contains(&oid)))
    }
}

impl std::fmt::Debug for Dump {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dump({})", self.name)
    }
}

#[async_trait]
impl Relation for Dump {
    fn schema(&self) -> &'static str {
        self.schema
    }

    fn name(&self) -> &'static str {
        self.name
    }

    async fn rows(&self, _view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        self.batch()
    }
}

pub(crate) static PG_AGGREGATE: Dump = Dump::new("pg_aggregate", include_str!("data/pg_aggregate.tsv"));
pub(crate) static PG_AM: Dump = Dump::new("pg_am", include_str!("data/pg_am.tsv"));
pub(crate) static PG_CAST: Dump = Dump::new("pg_cast", include_str!("data/pg_cast.tsv"));
pub(crate) static PG_COLLATION: Dump = Dump::new("pg_collation", include_str!("data/pg_collation.tsv"));
pub(crate) static PG_GET_KEYWORDS: Dump = Dump::new("pg_get_keywords()", include_str!("data/pg_get_keywords.tsv"));
pub(crate) static PG_LANGUAGE: Dump = Dump::new("pg_language", include_str!("data/pg_language.tsv"));
pub(crate) static PG_OPCLASS: Dump = Dump::new("pg_opclass", include_str!("data/pg_opclass.tsv"));
pub(crate) static PG_OPERATOR: Dump = Dump::new("pg_operator", include_str!("data/pg_operator.tsv"));
pub(crate) static PG_OPFAMILY: Dump = Dump::new("pg_opfamily", include_str!("data/pg_opfamily.tsv"));
/// PostgreSQL's functions, and those that have a manual.
pub(crate) static PG_PROC: Dump = Dump::with_own("pg_proc", include_str!("data/pg_proc.tsv"), own_functions::procs);
pub(crate) static PG_RANGE: Dump = Dump::new("pg_range", include_str!("data/pg_range.tsv"));
pub(crate) static PG_TABLESPACE: Dump = Dump::new("pg_tablespace", include_str!("data/pg_tablespace.tsv"));
pub(crate) static SQL_FEATURES: Dump = Dump::of_standard("sql_features", include_str!("data/sql_features.tsv"));
pub(crate) static SQL_IMPLEMENTATION_INFO: Dump =
    Dump::of_standard("sql_implementation_info", include_str!("data/sql_implementation_info.tsv"));
pub(crate) static SQL_PARTS: Dump = Dump::of_standard("sql_parts", include_str!("data/sql_parts.tsv"));
pub(crate) static SQL_SIZING: Dump = Dump::of_standard("sql_sizing", include_str!("data/sql_sizing.tsv"));
/// PostgreSQL's own types; `pg_type` adds those of the lake's rows.
pub(crate) static TYPES: Dump = Dump::new("pg_type", include_str!("data/pg_type.tsv"));
/// The remarks on PostgreSQL's own objects; `pg_description` adds those on the lake's.
pub(crate) static DESCRIPTIONS: Dump =
    Dump::with_own("pg_description", include_str!("data/pg_description.tsv"), own_functions::descriptions);

fn read(schema: SchemaRef, text: &'static str, own: &'static str) -> Result<RecordBatch> {
    let mut lines = lines(text);
    let header = lines.next().unwrap_or_default();
    if !header.split('\t').eq(schema.fields().iter().map(|field| field.name().as_str())) {
        return exec_err!("the columns of the file are not those of the relation: {header}");
    }
    let mut rows = Rows::new(Arc::clone(&schema));
    for line in lines.chain(own.lines()) {
        let cells: Result<Vec<Cell<'_>>> =
            line.split('\t').zip(schema.fields()).map(|(text, field)| cell(text, field.data_type())).collect();
        rows.push_all(cells?);
    }
    rows.finish()
}

fn cell<'a>(text: &'a str, of: &DataType) -> Result<Cell<'a>> {
    if text == "\\N" {
        return Ok(Cell::Null);
    }
    Ok(match of {
        DataType::Boolean => Cell::Bool(text == "t"),
        DataType::Int16 | DataType::Int32 | DataType::Int64 | DataType::UInt32 => Cell::Int(integer(text)?),
        DataType::Float32 | DataType::Float64 => match text.parse() {
            Ok(value) => Cell::Float(value),
            Err(_) => return exec_err!("{text} is not a number"),
        },
        DataType::List(item) => list(text, item.data_type())?,
        _ => Cell::Text(unescape(text)),
    })
}

/// Reads `{a,b}` of arrays and `1 2` of vectors; no element in the files needs more than quotes around it.
fn list<'a>(text: &'a str, of: &DataType) -> Result<Cell<'a>> {
    let elements: Vec<&str> = match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        Some("") => Vec::new(),
        Some(inner) => inner.split(',').map(|element| element.trim_matches('"')).collect(),
        None => text.split_whitespace().collect(),
    };
    Ok(match of {
        DataType::Utf8 => Cell::Texts(elements.into_iter().map(Cow::Borrowed).collect()),
        _ => Cell::Ints(elements.into_iter().map(integer).collect::<Result<_>>()?),
    })
}

fn integer(text: &str) -> Result<i64> {
    match text.parse() {
        Ok(value) => Ok(value),
        Err(_) => exec_err!("{text} is not an integer"),
    }
}

/// Reads the escapes of COPY.
pub(crate) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => plain.push('\n'),
            Some('t') => plain.push('\t'),
            Some('r') => plain.push('\r'),
            Some(other) => plain.push(other),
            None => plain.push('\\'),
        }
    }
    Cow::Owned(plain)
}
