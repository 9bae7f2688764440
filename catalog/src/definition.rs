//! Tables, views, streams and comments that are defined: by `sql/tables`, `sql/views`, `sql/materialized` and `sql/streams`, and
//! over SQL.
//!
//! Owns: which statements these may be. A bad statement is listed and stops no other. Must never do: open data.

mod alter;
mod grant;
mod header;
mod kept;
pub(crate) mod lists;
mod location;
mod options;
mod rows;
mod script;
pub(crate) mod split;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use datafusion::common::DataFusionError;
use datafusion::sql::parser::{CreateExternalTable, DFParserBuilder, Statement as Parsed};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::ParserError;

pub use alter::{OptionChange, OptionFault};
pub use header::{Commented, Name};
pub(crate) use header::{fold, name as named, quoted};
pub(crate) use kept::{FOLDER, Kept, newest};
pub(crate) use location::Location;
pub use rows::{RowRule, row_rule};
pub use script::{Defined, Script};

use crate::Error;
use crate::format::csv::Options;
use crate::format::delta::AsOf;
use crate::layout::{Format, ROOT_SCHEMA};
use crate::matview::{Body, Matview};
use crate::store::Source;
use crate::stream::Stream;
use header::Header;

/// What is commented, with its comment.
pub type Comments = BTreeMap<Commented, String>;

/// A table whose files, or the way to read them, are not what their names say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TableDefinition {
    pub(crate) name: Name,
    pub(crate) format: Format,
    pub(crate) location: Location,
    pub(crate) options: Arc<Options>,
    /// The version that the table is, if not the newest.
    pub(crate) as_of: Option<AsOf>,
    pub(crate) file: String,
}

/// A view, as its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ViewDefinition {
    pub(crate) name: Name,
    /// The query; the whole statement if it names the columns.
    pub(crate) sql: String,
    /// How it finds what it names; `None` is as whoever asks.
    pub(crate) search_path: Option<Vec<String>>,
    pub(crate) file: String,
}

/// A materialized view.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MatviewDefinition {
    pub(crate) name: Name,
    pub(crate) matview: Arc<Matview>,
}

/// A statement that defines nothing, and why.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) file: String,
    pub(crate) table: Option<Name>,
    pub(crate) error: Error,
}

/// Everything that is defined.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    pub(crate) tables: Vec<Arc<TableDefinition>>,
    pub(crate) views: Vec<ViewDefinition>,
    pub(crate) matviews: Vec<MatviewDefinition>,
    pub(crate) streams: Vec<Arc<Stream>>,
    pub(crate) comments: Comments,
    /// Schemas that are there without a table.
    pub(crate) schemas: BTreeSet<String>,
    pub(crate) faults: Vec<Fault>,
}

/// The files of the folder with their texts, by name. A folder that is not there is empty.
pub(crate) fn read(dir: &Path) -> std::io::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for kind in ["tables", "views", "materialized", "streams"] {
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
    /// Files come first: what SQL defined yields to them.
    pub(crate) fn parse(files: &[(String, String)], sources: &[Arc<Source>]) -> Self {
        let mut all = Self::default();
        for (file, text) in files {
            let mut path = None;
            match split::statements(text) {
                Ok(pieces) => pieces.into_iter().for_each(|piece| all.add(file, &piece, sources, &mut path)),
                Err((line, reason)) => all.fault(file, None, bad(file, line, reason)),
            }
        }
        all
    }

    fn add(&mut self, file: &str, piece: &split::Piece<'_>, sources: &[Arc<Source>], path: &mut Option<Vec<String>>) {
        let wrong = |error: &ParserError| {
            let (line, reason) = place(error);
            bad(file, piece.line + line - 1, reason)
        };
        let expected = |what: &str| bad(file, piece.line, format!("expected {what}"));
        // Over SQL everything is defined in one place.
        let is_in = |folder: &str| file.split_once('/').is_none_or(|(first, _)| first == folder) || file == FOLDER;
        match header::read(piece.text) {
            Ok(Header::Comment { on, text }) => self.add_comment(on, text),
            Ok(Header::Table { name, .. }) if is_in("tables") => match table(file, piece, &name, sources) {
                Ok(table) => self.add_table(table, piece.line),
                Err(error) => self.fault(file, Some(name), error),
            },
            Ok(Header::View { name, body }) if is_in("views") => {
                // What was defined over SQL was planned then, and its grammar is the engine's.
                if let (true, Err(error)) = (file.starts_with("views/"), parsed(piece.text)) {
                    return self.fault(file, Some(name), wrong(&error));
                }
                let has_columns = header::has_columns(body);
                let sql = if has_columns { piece.text } else { split::after_as(body) }.trim().to_owned();
                let view = ViewDefinition { name, sql, search_path: path.clone(), file: file.to_owned() };
                self.add_view(view, piece.line);
            }
            Ok(Header::Matview { name, body }) if is_in("materialized") => match Body::read(body) {
                Ok(body) => self.add_matview(name, (piece, file), body, path.clone()),
                Err(error) => self.fault(file, Some(name), wrong(&error)),
            },
            Ok(Header::Stream { name, body }) if is_in("streams") => match crate::stream::Body::read(body) {
                Ok(body) => match Stream::new(name, body, file) {
                    Ok(stream) => self.add_stream(stream, piece.line),
                    Err(reason) => self.fault(file, None, bad(file, piece.line, reason)),
                },
                Err(fault) => self.fault(file, None, wrong(&fault.into())),
            },
            Ok(Header::Schema(name)) if file == FOLDER => {
                self.schemas.insert(name);
            }
            Ok(Header::SearchPath(schemas)) if file == FOLDER => *path = Some(schemas),
            // They are the script's own.
            Ok(Header::Grant(_) | Header::Rows) if file == FOLDER => {}
            Ok(_) if file.starts_with("materialized/") => {
                self.fault(file, None, expected("CREATE MATERIALIZED VIEW name AS SELECT"))
            }
            Ok(_) if file.starts_with("streams/") => self.fault(file, None, expected("CREATE STREAM name FROM KAFKA")),
            Ok(_) if file.starts_with("views/") => self.fault(file, None, expected("CREATE VIEW name AS SELECT")),
            Ok(_) => self.fault(file, None, expected("CREATE EXTERNAL TABLE")),
            Err(error) => self.fault(file, None, wrong(&error)),
        }
    }

    /// The first comment stays: files come before what was defined over SQL.
    fn add_comment(&mut self, on: Commented, text: Option<String>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.comments.entry(on).or_insert(text);
        }
    }

    fn add_table(&mut self, table: TableDefinition, line: u64) {
        if self.tables.iter().any(|known| known.name == table.name) {
            let error = bad(&table.file, line, "the table is defined more than once");
            return self.fault(&table.file, Some(table.name), error);
        }
        self.tables.push(Arc::new(table));
    }

    fn add_view(&mut self, view: ViewDefinition, line: u64) {
        if self.views.iter().any(|known| known.name == view.name) {
            let error = bad(&view.file, line, "the view is defined more than once");
            return self.fault(&view.file, Some(view.name), error);
        }
        self.views.push(view);
    }

    fn add_matview(
        &mut self,
        name: Name,
        (piece, file): (&split::Piece<'_>, &str),
        body: Body<'_>,
        search_path: Option<Vec<String>>,
    ) {
        let is_known =
            self.matviews.iter().any(|known| known.name == name) || self.views.iter().any(|known| known.name == name);
        if is_known {
            let error = bad(file, piece.line, "the view is defined more than once");
            return self.fault(file, Some(name), error);
        }
        // A file has no session whose path it could have.
        let search_path = search_path.or_else(|| (file != FOLDER).then(|| vec![ROOT_SCHEMA.to_owned()]));
        let matview = Arc::new(Matview::new(body, search_path, file));
        self.matviews.push(MatviewDefinition { name, matview });
    }

    fn add_stream(&mut self, stream: Stream, line: u64) {
        if self.streams.iter().any(|known| known.name == stream.name) {
            let error = bad(&stream.file, line, "the stream is defined more than once");
            return self.fault(&stream.file, None, error);
        }
        self.streams.push(Arc::new(stream));
    }

    fn fault(&mut self, file: &str, table: Option<Name>, error: Error) {
        self.faults.push(Fault { file: file.to_owned(), table, error });
    }
}

/// What stands behind the name that a CREATE makes.
pub(crate) fn body(statement: &str) -> Result<&str, ParserError> {
    header::body(statement).map(|(_, body)| body)
}

/// The same of a CREATE STREAM.
pub(crate) fn stream_body(statement: &str) -> Result<&str, ParserError> {
    header::stream_body(statement)
}

/// Whether a CREATE EXTERNAL TABLE is right.
pub(crate) fn check_table(name: &Name, statement: &str, sources: &[Arc<Source>]) -> Result<(), Error> {
    table(FOLDER, &split::Piece { text: statement, line: 1 }, name, sources).map(drop)
}

/// Reads a CREATE EXTERNAL TABLE.
fn table(file: &str, piece: &split::Piece<'_>, name: &Name, sources: &[Arc<Source>]) -> Result<TableDefinition, Error> {
    let line = piece.line;
    let wrong = |reason: String| bad(file, line, reason);
    let create = match parsed(piece.text) {
        Ok(Parsed::CreateExternalTable(create)) => create,
        Ok(_) => return Err(wrong("expected CREATE EXTERNAL TABLE".into())),
        Err(error) => {
            let (inner, reason) = place(&error);
            return Err(bad(file, line + inner - 1, reason));
        }
    };
    let CreateExternalTable { file_type, columns, options, locations, .. } = &create;
    let format = Format::stored_as(file_type)
        .map_err(|known| wrong(format!("unknown format {}, known are {known}", file_type.to_ascii_uppercase())))?;
    if !create.table_partition_cols.is_empty() || !create.order_exprs.is_empty() || create.unbounded {
        return Err(wrong("only columns, STORED AS, LOCATION and OPTIONS are supported".into()));
    }
    let as_of = options::as_of(format, options).map_err(wrong)?;
    let options = options::parse(format, columns, options).map_err(wrong)?;
    let [text] = locations.as_slice() else { return Err(wrong("expected one LOCATION".into())) };
    let location = Location::resolve(text, sources);
    let location = location.ok_or_else(|| Error::Location { file: file.to_owned(), line, location: text.clone() })?;
    Ok(TableDefinition {
        name: name.clone(),
        format,
        location,
        options: Arc::new(options),
        as_of,
        file: file.to_owned(),
    })
}

/// One statement of DataFusion's grammar, which has external tables.
fn parsed(text: &str) -> Result<Parsed, ParserError> {
    let parser = DFParserBuilder::new(text).with_dialect(&PostgreSqlDialect {}).build();
    parser.and_then(|mut parser| parser.parse_statement()).map_err(syntax)
}

fn bad(file: &str, line: u64, reason: impl Into<String>) -> Error {
    Error::Definition { file: file.to_owned(), line, reason: reason.into() }
}

fn syntax(error: DataFusionError) -> ParserError {
    match error {
        DataFusionError::SQL(inner, _) => *inner,
        DataFusionError::Diagnostic(_, inner) | DataFusionError::Context(_, inner) => syntax(*inner),
        other => ParserError::ParserError(other.to_string()),
    }
}

/// The line of an error in its statement, from 1, and what is wrong there.
fn place(error: &ParserError) -> (u64, String) {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.as_str(),
        ParserError::RecursionLimitExceeded => "the statement is nested too deep",
    };
    let (reason, place) = text.split_once(" at Line: ").unwrap_or((text, ""));
    let line = place.split(',').next().and_then(|line| line.trim().parse().ok()).unwrap_or(1);
    (line, reason.lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests;
