//! `system.csv_dialect`: how each CSV table is read, and what speaks for it. It opens no file: a table is told once it was
//! opened, by a query or by the server at its leisure, as in `system.skipped_files`.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field};
use async_trait::async_trait;
use datafusion::common::Result;

use super::SCHEMA;
use crate::format::csv::{Class, Facts, Layout, Plan, Seen};
use crate::format::{Content, type_name};
use crate::pg_catalog::View;
use crate::pg_catalog::relation::{Relation, Wanted};
use crate::pg_catalog::rows::{Cell, Rows};
use crate::snapshot::Kind;

#[derive(Debug)]
pub(crate) struct CsvDialect;

#[async_trait]
impl Relation for CsvDialect {
    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn name(&self) -> &'static str {
        "csv_dialect"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        for table in view.snapshot.tables() {
            let Kind::Lake(lake) = &table.kind else { continue };
            let Some(opened) = lake.opened() else { continue };
            let Content::Csv { plan, files, facts, columns } = &opened.content else { continue };
            let mut told = |key: Option<&str>, column: Option<&str>, fact: Fact| {
                rows.push([
                    ("schema", (&table.schema).into()),
                    ("name", (&table.name).into()),
                    ("source", lake.root().into()),
                    ("key", key.into()),
                    ("column_name", column.into()),
                    ("property", fact.property.into()),
                    ("value", fact.value.into()),
                    ("confidence", fact.confidence.map_or(Cell::Null, Cell::Float)),
                    ("counter_example", fact.counter_example.into()),
                    ("origin", if fact.is_defined { "definition" } else { "detected" }.into()),
                ]);
            };
            for ((file, layout), facts) in files.iter().zip(facts) {
                of_file(plan, layout, facts).into_iter().for_each(|fact| told(Some(file.key()), None, fact));
            }
            for field in opened.file_schema.fields() {
                let name = field.name();
                let seen = columns.iter().find(|(known, _)| known == name).map(|(_, seen)| seen);
                let facts = of_column(plan, field, seen);
                facts.into_iter().for_each(|fact| told(None, Some(name), fact));
            }
        }
        rows.finish()
    }
}

/// One property of a file or a column.
struct Fact {
    property: &'static str,
    value: String,
    confidence: Option<f64>,
    counter_example: Option<String>,
    is_defined: bool,
}

impl Fact {
    fn new(property: &'static str, value: impl Into<String>, confidence: f64, is_defined: bool) -> Self {
        let confidence = Some(if is_defined { 1.0 } else { confidence });
        Self { property, value: value.into(), confidence, counter_example: None, is_defined }
    }
}

fn of_file(plan: &Plan, layout: &Layout, facts: &Facts) -> Vec<Fact> {
    let options = &plan.options;
    let header_confidence = if facts.header_is_sure { 1.0 } else { 0.5 };
    let decimal = if layout.commas.contains(&true) { "," } else { "." };
    let encoding = if layout.encoding == encoding_rs::UTF_8 { "UTF-8" } else { layout.encoding.name() };
    let quote = layout.dialect.quote.map(char::from).map(String::from).unwrap_or_default();
    let header_is_defined = options.header.is_some() || options.columns.is_some();
    vec![
        Fact::new("encoding", encoding, facts.encoding_share, options.encoding.is_some()),
        Fact::new("delimiter", layout.dialect.delimiter.name(), facts.delimiter_share, options.delimiter.is_some()),
        Fact::new("quote", quote, 1.0, options.quote != Some(b'"')),
        Fact::new("header", layout.header.to_string(), header_confidence, header_is_defined),
        Fact::new("skip_lines", layout.skip_lines.to_string(), 1.0, false),
        Fact::new("decimal", decimal, 1.0, options.decimal.is_some()),
        Fact::new("line_end", facts.line_end, 1.0, false),
    ]
}

fn of_column(plan: &Plan, field: &Field, seen: Option<&Seen>) -> Vec<Fact> {
    let (data_type, is_defined) = (field.data_type(), plan.options.columns.is_some());
    let mut of_type = Fact::new("type", type_name(data_type), 1.0, is_defined);
    if let (Some(seen), false) = (seen, is_defined) {
        (of_type.confidence, of_type.counter_example) = agreement(data_type, seen);
    }
    let mut facts = vec![of_type];
    let Some(way) = plan.way(field.name()) else { return facts };
    let is_moment = matches!(data_type, DataType::Date32 | DataType::Timestamp(..));
    if is_moment {
        let is_defined = plan.options.date_format.is_some() || plan.options.timestamp_format.is_some();
        facts.push(Fact::new("format", way.form.name(), 1.0, is_defined && way.form.name() == "pattern"));
    }
    if *data_type != DataType::Utf8View {
        let is_defined = !plan.options.null_values.is_empty();
        facts.push(Fact::new("null_markers", way.nulls.join(", "), 1.0, is_defined));
    }
    facts
}

/// The share of the values that the type was chosen for, and one of the others.
fn agreement(data_type: &DataType, seen: &Seen) -> (Option<f64>, Option<String>) {
    let values = seen.values();
    if values == 0 {
        return (None, None);
    }
    if *data_type != DataType::Utf8View {
        return (Some(1.0), None);
    }
    let texts = seen.count(Class::Text);
    let others = [Class::Number, Class::Moment, Class::Boolean].into_iter().filter(|class| seen.count(*class) > 0);
    // Of a column that is nearly one of numbers, what keeps it from being it; else what could be something else.
    let odd =
        if texts > 0 && texts * 2 < values { Some(Class::Text) } else { others.min_by_key(|class| seen.count(*class)) };
    let example = odd.and_then(|class| seen.first(class)).map(|example| example.shown());
    (Some(texts as f64 / values as f64), example)
}
