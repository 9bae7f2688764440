//! EXPLAIN: the physical plan as one `QUERY PLAN` column, a row per line of text or one document.

mod json;

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use sqlparser::ast::{AnalyzeFormat, AnalyzeFormatKind, Expr, UtilityOption};
use udfs::pg_type;

use super::analyze::hides;
use crate::error::{Error, Result, SqlState};
use crate::session::vars::domain::parse_bool;

/// What EXPLAIN shall show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct How {
    /// Runs the query and shows what each operator did.
    pub analyze: bool,
    pub verbose: bool,
    pub format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Text,
    Json,
}

pub(super) fn columns(format: Format) -> SchemaRef {
    let column = match format {
        Format::Text => Field::new("QUERY PLAN", DataType::Utf8, true),
        Format::Json => pg_type::tagged("QUERY PLAN", DataType::Utf8, "json"),
    };
    Arc::new(Schema::new(vec![column]))
}

/// Reads both spellings: `EXPLAIN ANALYZE VERBOSE q` and `EXPLAIN (ANALYZE, VERBOSE off) q`.
pub(super) fn how(
    analyze: bool,
    verbose: bool,
    format: Option<&AnalyzeFormatKind>,
    options: Option<&[UtilityOption]>,
) -> Result<How> {
    let mut how = How { analyze, verbose, format: Format::Text };
    match format {
        None
        | Some(AnalyzeFormatKind::Keyword(AnalyzeFormat::TEXT) | AnalyzeFormatKind::Assignment(AnalyzeFormat::TEXT)) => {
        }
        Some(AnalyzeFormatKind::Keyword(AnalyzeFormat::JSON) | AnalyzeFormatKind::Assignment(AnalyzeFormat::JSON)) => {
            how.format = Format::Json;
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
                how.format = match format.to_ascii_lowercase().as_str() {
                    "text" => Format::Text,
                    "json" => Format::Json,
                    "xml" | "yaml" => return Err(unsupported_format(&format)),
                    _ => {
                        let message = format!("unrecognized value for EXPLAIN option \"format\": \"{format}\"");
                        return Err(Error::new(SqlState::InvalidParameterValue, message));
                    }
                };
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
        .hint("Use the format text or json.")
}

/// The plan as rows; after the run its metrics are in it, and how long it ran.
pub(super) fn rows(plan: &Arc<dyn ExecutionPlan>, how: How, ran: Duration) -> Result<RecordBatch> {
    let shown = match how.format {
        Format::Text => text(plan.as_ref(), how),
        Format::Json => json::document(plan, how, how.analyze.then_some(ran))?,
    };
    let lines: StringArray = match how.format {
        Format::Text => shown.lines().map(Some).collect(),
        Format::Json => std::iter::once(Some(shown)).collect(),
    };
    RecordBatch::try_new(columns(how.format), vec![Arc::new(lines)]).map_err(Error::internal)
}

/// Lines of what is no plan of a query.
pub(super) fn lines(lines: Vec<String>) -> Result<RecordBatch> {
    let lines: StringArray = lines.into_iter().map(Some).collect();
    RecordBatch::try_new(columns(Format::Text), vec![Arc::new(lines)]).map_err(Error::internal)
}

/// As DataFusion shows a plan, without what is below the rows that somebody may see.
pub(super) fn text(plan: &dyn ExecutionPlan, how: How) -> String {
    let mut lines = String::new();
    lines_of(plan, how, 0, &mut lines);
    lines
}

fn lines_of(plan: &dyn ExecutionPlan, how: How, depth: usize, lines: &mut String) {
    let shown =
        if how.analyze { DisplayableExecutionPlan::with_metrics(plan) } else { DisplayableExecutionPlan::new(plan) };
    if !has_hidden(plan) {
        let whole = shown.indent(how.verbose).to_string();
        // A literal may have lines of its own.
        lines.extend(whole.lines().flat_map(|line| ["  ".repeat(depth), line.to_owned(), "\n".to_owned()]));
        return;
    }
    let line = DisplayableExecutionPlan::new(plan).one_line().to_string();
    *lines += &format!("{}{}", "  ".repeat(depth), line.trim_end());
    if let Some(metrics) = plan.metrics().filter(|_| how.analyze) {
        *lines += &format!(", metrics=[{}]", metrics.aggregate_by_name().sorted_for_display().timestamps_removed());
    }
    lines.push('\n');
    if !hides(plan) {
        plan.children().into_iter().for_each(|child| lines_of(child.as_ref(), how, depth + 1, lines));
    }
}

fn has_hidden(plan: &dyn ExecutionPlan) -> bool {
    hides(plan) || plan.children().into_iter().any(|child| has_hidden(child.as_ref()))
}
