//! Streams: topics of Kafka whose records become rows of a table.
//!
//! Owns: what a stream is declared as, how a record becomes a row, and how far a table has come in a topic. Must never know: a
//! broker, a session.

mod body;
mod decode;
mod fact;
mod json;
mod options;
mod records;

use sqlparser::ast::ColumnDef;
use sqlparser::parser::ParserError;

pub(crate) use body::Body;
use body::Fault;
pub use decode::{Decoded, Decoder, Reject};
pub use fact::{PartitionFact, StreamFact, StreamState};
pub use options::{Format, OnError, OnLost, Options as StreamOptions, Start};
pub use records::Records;

use crate::definition::{FOLDER, Name};

/// Why a statement declares no stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamFault {
    Syntax(String),
    /// As PostgreSQL would say it, and behind a semicolon what is right.
    Options(String),
}

/// A stream as it is declared.
#[derive(Debug, Clone, PartialEq)]
pub struct Stream {
    pub name: Name,
    /// The table that takes its rows, in the same schema.
    pub table: Name,
    /// Of the table, which is made of them if it is not there.
    pub columns: Vec<ColumnDef>,
    pub options: StreamOptions,
    /// Where it is declared.
    pub(crate) file: String,
}

impl Stream {
    pub(crate) fn new(name: Name, body: Body, file: &str) -> Result<Self, String> {
        let Body { columns, into, options } = body;
        let table = match into {
            None => name.clone(),
            Some((Some(schema), _)) if schema != name.schema => {
                return Err("a stream and its table are in one schema".to_owned());
            }
            Some((_, table)) => Name { schema: name.schema.clone(), name: table },
        };
        Ok(Self { name, table, columns, options, file: file.to_owned() })
    }

    /// Reads a CREATE STREAM over SQL, under the name that it has there.
    pub fn read(name: Name, statement: &str) -> Result<Self, StreamFault> {
        let body = crate::definition::stream_body(statement).map_err(Fault::Syntax).and_then(Body::read);
        let body = body.map_err(|fault| match fault {
            Fault::Syntax(ParserError::ParserError(reason) | ParserError::TokenizerError(reason)) => {
                StreamFault::Syntax(reason)
            }
            Fault::Syntax(ParserError::RecursionLimitExceeded) => {
                StreamFault::Syntax("the statement is nested too deep".to_owned())
            }
            Fault::Options(reason) => StreamFault::Options(reason),
        })?;
        Self::new(name, body, FOLDER).map_err(StreamFault::Options)
    }

    /// The statement that makes it.
    pub fn text(&self) -> String {
        let Self { name, table, columns, options, .. } = self;
        let columns = columns.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let columns = if columns.is_empty() { columns } else { format!(" ({columns})") };
        let into = if table == name { String::new() } else { format!(" INTO {table}") };
        format!("CREATE STREAM {name}{columns}{into} FROM KAFKA WITH ({})", options.text())
    }

    /// The statement that makes its table, if its columns are declared.
    pub fn table_text(&self) -> Option<String> {
        let columns = self.columns.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        (!columns.is_empty()).then(|| format!("CREATE TABLE IF NOT EXISTS {} ({columns})", self.table))
    }

    /// The table of the records that became no rows.
    pub fn rejects(&self) -> Name {
        Name { schema: self.table.schema.clone(), name: format!("{}_rejects", self.table.name) }
    }

    /// Whether a file of `sql/` declares it, which alone can change it.
    pub fn file(&self) -> Option<&str> {
        (self.file != FOLDER).then_some(self.file.as_str())
    }
}
