//! EXPLAIN: the physical plan as one `QUERY PLAN` column, a row per line.

use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use sqlparser::ast::{AnalyzeFormat, AnalyzeFormatKind, Expr, UtilityOption};

use crate::error::{Error, Result, SqlState};
use crate::session::vars::domain::parse_bool;

/// What EXPLAIN shall show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct How {
    /// Runs the query and shows what each operator did.
    pub analyze: bool,
    pub verbose: bool,
}

pub(super) fn columns() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("QUERY PLAN", DataType::Utf8, true)]))
}

/// Reads both spellings: `EXPLAIN ANALYZE VERBOSE q` and `EXPLAIN (ANALYZE, VERBOSE off) q`.
pub(super) fn how(
    analyze: bool,
    verbose: bool,
    format: Option<&AnalyzeFormatKind>,
    options: Option<&[UtilityOption]>,
) -> Result<How> {
    let mut how = How { analyze, verbose };
    match format {
        None
        | Some(AnalyzeFormatKind::Keyword(AnalyzeFormat::TEXT) | AnalyzeFormatKind::Assignment(AnalyzeFormat::TEXT)) => {
        }
        Some(other) => return Err(unsupported_format(&other.to_string())),
    }
    for option in options.unwrap_or_default() {
        let on = option.arg.as_ref().map_or(Some(true), |arg| parse_bool(&word(arg)));
        match (option.name.value.to_ascii_lowercase().as_str(), on) {
            ("analyze", Some(on)) => how.analyze = on,
            ("verbose", Some(on)) => how.verbose = on,
            // They change PostgreSQL's estimates and counters, which this server does not print.
            ("costs" | "settings" | "generic_plan" | "buffers" | "wal" | "timing" | "summary", Some(_)) => {}
            ("format", _) => {
                let format = option.arg.as_ref().map(word).unwrap_or_default();
                if !format.eq_ignore_ascii_case("text") {
                    return Err(unsupported_format(&format));
                }
            }
            (_, None) => {
                let message = format!("{} requires a Boolean value", option.name.value.to_ascii_lowercase());
                return Err(Error::new(SqlState::SyntaxError, message));
            }
            (name, _) => {
                let message = format!("unrecognized EXPLAIN option \"{name}\"");
                return Err(Error::new(SqlState::SyntaxError, message));
            }
        }
    }
    Ok(how)
}

fn word(arg: &Expr) -> String {
    arg.to_string().trim_matches('\'').to_owned()
}

fn unsupported_format(format: &str) -> Error {
    Error::unsupported(format!("EXPLAIN format {} is not supported", format.to_ascii_lowercase()))
        .hint("Use the text format.")
}

/// The plan as rows; after the run its metrics are in it.
pub(super) fn rows(plan: &dyn ExecutionPlan, how: How) -> Result<RecordBatch> {
    let shown = if how.analyze {
        DisplayableExecutionPlan::with_metrics(plan).indent(how.verbose).to_string()
    } else {
        DisplayableExecutionPlan::new(plan).indent(how.verbose).to_string()
    };
    let lines: StringArray = shown.lines().map(Some).collect();
    RecordBatch::try_new(columns(), vec![Arc::new(lines)]).map_err(Error::internal)
}
