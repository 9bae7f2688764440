//! EXPLAIN (FORMAT json): the tree of operators as PostgreSQL's document, for programs that draw it.
//!
//! Owns: which of PostgreSQL's keys this server can fill. It has neither costs nor estimates, so those are left out, as by COSTS off; what
//! an operator is told is its `Detail`. <https://www.postgresql.org/docs/16/sql-explain.html>

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use serde::Serialize;

use super::How;
use crate::engine::analyze::hides;
use crate::error::{Error, Result};

#[derive(Serialize)]
struct Document {
    #[serde(rename = "Plan")]
    plan: Node,
    /// Milliseconds.
    #[serde(rename = "Execution Time", skip_serializing_if = "Option::is_none")]
    execution_time: Option<f64>,
}

#[derive(Serialize)]
struct Node {
    #[serde(rename = "Node Type")]
    node_type: String,
    #[serde(rename = "Detail", skip_serializing_if = "String::is_empty")]
    detail: String,
    #[serde(rename = "Actual Rows", skip_serializing_if = "Option::is_none")]
    actual_rows: Option<usize>,
    /// Milliseconds of computing in this operator alone, of all its threads.
    #[serde(rename = "Compute Time", skip_serializing_if = "Option::is_none")]
    compute_time: Option<f64>,
    #[serde(rename = "Metrics", skip_serializing_if = "BTreeMap::is_empty")]
    metrics: BTreeMap<String, usize>,
    #[serde(rename = "Output", skip_serializing_if = "Vec::is_empty")]
    output: Vec<String>,
    #[serde(rename = "Plans", skip_serializing_if = "Vec::is_empty")]
    plans: Vec<Node>,
}

/// The document; `ran` is how long the plan ran, if it did.
pub(super) fn document(plan: &Arc<dyn ExecutionPlan>, how: How, ran: Option<Duration>) -> Result<String> {
    let execution_time = ran.map(milliseconds);
    let document = [Document { plan: node(plan, how), execution_time }];
    serde_json::to_string_pretty(&document).map_err(Error::internal)
}

fn node(plan: &Arc<dyn ExecutionPlan>, how: How) -> Node {
    let line = DisplayableExecutionPlan::new(plan.as_ref()).one_line().to_string();
    let detail = line.trim_end().split_once(": ").map(|(_, detail)| detail.to_owned()).unwrap_or_default();
    let metrics = plan.metrics().filter(|_| how.analyze);
    let counted = metrics.iter().flat_map(|metrics| metrics.aggregate_by_name().iter().cloned().collect::<Vec<_>>());
    let told = |name: &str| matches!(name, "output_rows" | "elapsed_compute" | "start_timestamp" | "end_timestamp");
    let output = plan.schema().fields().iter().filter(|_| how.verbose).map(|field| field.name().clone()).collect();
    // Those of hidden rows are nobody's.
    let below = plan.children().into_iter().filter(|_| !hides(plan.as_ref()));
    Node {
        node_type: plan.name().to_owned(),
        detail,
        actual_rows: metrics.as_ref().and_then(|metrics| metrics.output_rows()),
        compute_time: metrics.as_ref().and_then(|metrics| metrics.elapsed_compute()).map(nanoseconds),
        metrics: counted
            .map(|metric| (metric.value().name().to_owned(), metric.value().as_usize()))
            .filter(|(name, value)| *value > 0 && !told(name))
            .collect(),
        output,
        plans: below.map(|child| node(child, how)).collect(),
    }
}

fn nanoseconds(count: usize) -> f64 {
    milliseconds(Duration::from_nanos(u64::try_from(count).unwrap_or(u64::MAX)))
}

fn milliseconds(duration: Duration) -> f64 {
    // PostgreSQL shows three decimals.
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
