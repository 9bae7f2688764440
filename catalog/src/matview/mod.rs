//! Materialized views: queries whose rows are kept in a Delta table, as they were of certain versions of certain files.
//!
//! Owns: what a view is declared as, which files its rows were made of, and which of all replicas makes them anew. Must never
//! know: a plan.

mod attempt;
mod body;
mod extent;
mod lease;
mod lineage;
mod options;
mod place;
mod progress;
mod scanned;
mod schedule;

pub use attempt::{Attempt, Outcome};
pub(crate) use body::Body;
pub use extent::Extent;
pub use lease::Lease;
pub(crate) use lease::Watch;
pub use lineage::{Bucket, Class, Difference, Lineage, Object, SourceLineage};
pub use options::{OnStale, Options, Policy, Refresh};
pub(crate) use place::is_state;
pub use progress::{Phase, Progress};
pub use scanned::{Scanned, ValueRange};
pub use schedule::Schedule;

use sqlparser::parser::ParserError;

use crate::definition::{Name, quoted};
use crate::snapshot::View;

/// A materialized view as it is declared.
#[derive(Debug, Clone, PartialEq)]
pub struct Matview {
    /// Its query, as that of a view that is not kept.
    pub view: View,
    /// The names of its columns, if the statement gives them.
    pub columns: Vec<String>,
    /// The query alone.
    pub query: String,
    pub options: Options,
}

impl Matview {
    pub(crate) fn new(body: Body<'_>, search_path: Option<Vec<String>>, file: &str) -> Self {
        let Body { columns, options, query } = body;
        let sql = match columns.as_slice() {
            [] => query.to_owned(),
            columns => {
                let columns: Vec<String> = columns.iter().map(|name| quoted(name)).collect();
                format!("CREATE VIEW v ({}) AS {query}", columns.join(", "))
            }
        };
        let view = View { sql, search_path, file: file.to_owned() };
        Self { view, columns, query: query.to_owned(), options }
    }

    /// Reads what stands behind the name in CREATE MATERIALIZED VIEW; an error says what is wrong.
    pub fn read(statement: &str, search_path: &[String]) -> Result<Self, String> {
        let body = crate::definition::body(statement).map_err(|error| error.to_string())?;
        let body = Body::read(body).map_err(|error| match error {
            ParserError::ParserError(reason) | ParserError::TokenizerError(reason) => reason,
            ParserError::RecursionLimitExceeded => "the statement is nested too deep".to_owned(),
        })?;
        Ok(Self::new(body, Some(search_path.to_vec()), crate::definition::FOLDER))
    }

    /// The statement that makes it with other options; an error says what is wrong with them.
    pub fn with_options(&self, name: &Name, changes: &[(String, String)]) -> Result<String, String> {
        let options = self.options.changed(changes)?.text();
        let columns = self.columns.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
        let columns = if columns.is_empty() { columns } else { format!(" ({columns})") };
        let options = if options.is_empty() { options } else { format!(" WITH ({options})") };
        Ok(format!("CREATE MATERIALIZED VIEW {name}{columns}{options} AS {}", self.query))
    }

    /// What its rows depend on beside the files: another declaration, another plan of its query (which views below it are part
    /// of) or another build makes others.
    pub fn fingerprint(&self, plan: &str) -> String {
        format!(
            "{}; {}; partition_by {:?}\n{plan}",
            env!("CARGO_PKG_VERSION"),
            self.columns.join(", "),
            self.options.partition_by,
        )
    }
}
