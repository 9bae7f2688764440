//! Rules on logical plans, after the planner's own analyzer: PostgreSQL's meaning where DataFusion's differs.
//!
//! Owns: the list of rules and of the planners of their plan nodes. Must never know: SQL text, sessions.

mod answer;
mod apply;
mod apply_exec;
mod arithmetic;
mod correlated;
mod lateral_exec;
mod native;
mod outer;
mod planner;
mod runner;
mod single_row;
#[cfg(test)]
mod tests;
mod texts;

use std::sync::Arc;

use datafusion::execution::context::QueryPlanner;
use datafusion::optimizer::AnalyzerRule;

/// The rules, in their order, to follow DataFusion's default analyzer rules.
pub(crate) fn rules() -> Vec<Arc<dyn AnalyzerRule + Send + Sync>> {
    vec![Arc::new(texts::TextCasts), Arc::new(correlated::Subqueries), Arc::new(arithmetic::CheckedArithmetic)]
}

/// The physical planner that knows the plan nodes that the rules make. A session state without it cannot run them.
pub(crate) fn query_planner() -> Arc<dyn QueryPlanner + Send + Sync> {
    Arc::new(planner::Planner)
}
