//! Tables and views that `sql/tables` and `sql/views` define.
//!
//! Owns: which statements these files may hold. A bad statement is listed and stops no other. Must never do: open data.

mod location;
mod options;
mod split;

use std::path::Path;
use std::sync::Arc;

use datafusion::common::DataFusionError;
use datafusion::sql::parser::{CreateExternalTable, DFParserBuilder, Statement as Parsed};
use sqlparser::ast::{Ident, ObjectName, Statement};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::ParserError;

pub(crate) use location::Location;

use crate::Error;
use crate::format::csv::Options;
use crate::layout::{Format, ROOT_SCHEMA};
use crate::store::Source;

/// A table whose files, or the way to read them, are not what their names say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TableDefinition {
    pub(crate) schema: String,
    pub(crate) name: String,
    pub(crate) format: Format,
    pub(crate) location: Location,
    pub(crate) options: Arc<Options>,
    pub(crate) file: String,
}

/// A view, as its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ViewDefinition {
    pub(crate) schema: String,
    pub(crate) name: String,
    /// The query; the whole statement if it names the columns.
    pub(crate) sql: String,
    pub(crate) file: String,
}

/// A statement that defines nothing, and why.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) file: String,
    pub(crate) table: Option<(String, String)>,
    pub(crate) error: Error,
}

/// Everything that the folder defines.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    pub(crate) tables: Vec<Arc<TableDefinition>>,
    pub(crate) views: Vec<ViewDefinition>,
    pub(crate) faults: Vec<Fault>,
}

/// The files of the folder with their texts, by name. A folder that is not there is empty.
pub(crate) fn read(dir: &Path) -> std::io::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for kind in ["tables", "views"] {
        let entries = match std::fs::read_dir(dir.join(kind)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "sql") {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let text = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
                files.push((format!("{kind}/{name}"), text));
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}

impl Definitions {
    pub(crate) fn parse(files: &[(String, String)], sources: &[Arc<Source>]) -> Self {
        let mut all = Self::default();
        for (file, text) in files {
            match split::statements(text) {
                Ok(pieces) => pieces.into_iter().for_each(|piece| all.add(file, &piece, sources)),
                Err((line, reason)) => all.fault(file, None, bad(file, line, reason)),
            }
        }
        all
    }

    fn add(&mut self, file: &str, piece: &split::Piece<'_>, sources: &[Arc<Source>]) {
        let parsed = DFParserBuilder::new(piece.text)
            .with_dialect(&PostgreSqlDialect {})
            .build()
            .and_then(|mut parser| parser.parse_statement());
        match parsed {
            Err(error) => {
                let (line, reason) = syntax(&error);
                self.fault(file, None, bad(file, piece.line + line - 1, reason));
            }
            Ok(Parsed::CreateExternalTable(create)) if file.starts_with("tables/") => {
                match table(file, piece.line, create, sources) {
                    Ok(table) => self.add_table(table, piece.line),
                    Err((name, error)) => self.fault(file, name, error),
                }
            }
            Ok(Parsed::Statement(statement)) if file.starts_with("views/") => match *statement {
                Statement::CreateView(create) if !create.materialized => match name(&create.name) {
                    Some((schema, name)) => {
                        let sql = if create.columns.is_empty() { split::after_as(piece.text) } else { piece.text };
                        let sql = sql.trim().to_owned();
                        self.add_view(ViewDefinition { schema, name, sql, file: file.to_owned() }, piece.line);
                    }
                    None => self.fault(file, None, bad(file, piece.line, "a view's name is [schema.]name")),
                },
                _ => self.fault(file, None, bad(file, piece.line, "expected CREATE VIEW name AS SELECT")),
            },
            Ok(_) if file.starts_with("views/") => {
                self.fault(file, None, bad(file, piece.line, "expected CREATE VIEW name AS SELECT"));
            }
            Ok(_) => self.fault(file, None, bad(file, piece.line, "expected CREATE EXTERNAL TABLE")),
        }
    }

    fn add_table(&mut self, table: TableDefinition, line: u64) {
        if self.tables.iter().any(|known| known.schema == table.schema && known.name == table.name) {
            let name = (table.schema, table.name);
            return self.fault(&table.file, Some(name), bad(&table.file, line, "the table is defined more than once"));
        }
        self.tables.push(Arc::new(table));
    }

    fn add_view(&mut self, view: ViewDefinition, line: u64) {
        if self.views.iter().any(|known| known.schema == view.schema && known.name == view.name) {
            let name = (view.schema, view.name);
            return self.fault(&view.file, Some(name), bad(&view.file, line, "the view is defined more than once"));
        }
        self.views.push(view);
    }

    fn fault(&mut self, file: &str, table: Option<(String, String)>, error: Error) {
        self.faults.push(Fault { file: file.to_owned(), table, error });
    }
}

type Named = (Option<(String, String)>, Error);

fn table(
    file: &str,
    line: u64,
    create: CreateExternalTable,
    sources: &[Arc<Source>],
) -> Result<TableDefinition, Named> {
    let (schema, name) =
        name(&create.name).ok_or_else(|| (None, bad(file, line, "a table's name is [schema.]name")))?;
    let named = |error: Error| (Some((schema.clone(), name.clone())), error);
    let wrong = |reason: String| named(bad(file, line, reason));
    let format = match create.file_type.to_ascii_uppercase().as_str() {
        "CSV" => Format::Csv,
        "NDJSON" | "JSON" => Format::Json,
        "PARQUET" => Format::Parquet,
        other => return Err(wrong(format!("unknown format {other}, known are CSV, NDJSON, PARQUET"))),
    };
    if !create.table_partition_cols.is_empty() || !create.order_exprs.is_empty() || create.unbounded {
        return Err(wrong("only columns, STORED AS, LOCATION and OPTIONS are supported".into()));
    }
    let options = options::parse(format, &create.columns, &create.options).map_err(wrong)?;
    let [text] = create.locations.as_slice() else { return Err(wrong("expected one LOCATION".into())) };
    let location = Location::resolve(text, sources)
        .ok_or_else(|| named(Error::Location { file: file.to_owned(), line, location: text.clone() }))?;
    Ok(TableDefinition { schema, name, format, location, options: Arc::new(options), file: file.to_owned() })
}

/// `[schema.]name`, unquoted parts in lower case.
fn name(name: &ObjectName) -> Option<(String, String)> {
    let parts: Option<Vec<&Ident>> = name.0.iter().map(|part| part.as_ident()).collect();
    match parts?.as_slice() {
        [name] => Some((ROOT_SCHEMA.to_owned(), fold(name))),
        [schema, name] => Some((fold(schema), fold(name))),
        _ => None,
    }
}

fn fold(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() }
}

fn bad(file: &str, line: u64, reason: impl Into<String>) -> Error {
    Error::Definition { file: file.to_owned(), line, reason: reason.into() }
}

/// The line of an error in its statement, from 1, and what is wrong there.
fn syntax(error: &DataFusionError) -> (u64, String) {
    let text = match error {
        DataFusionError::SQL(inner, _) => match inner.as_ref() {
            ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.clone(),
            ParserError::RecursionLimitExceeded => "the statement is nested too deep".to_owned(),
        },
        DataFusionError::Diagnostic(_, inner) | DataFusionError::Context(_, inner) => return syntax(inner),
        other => other.to_string(),
    };
    let (reason, place) = text.split_once(" at Line: ").unwrap_or((&text, ""));
    let line = place.split(',').next().and_then(|line| line.trim().parse().ok()).unwrap_or(1);
    (line, reason.lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests;
