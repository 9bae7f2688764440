//! Rules on logical plans, around the planner's own analyzer: PostgreSQL's meaning where DataFusion's differs.
//!
//! Owns: the list of rules and of the planners of their plan nodes. Must never know: SQL text, sessions.

mod aggregates;
mod answer;
mod apply;
mod apply_exec;
mod arithmetic;
mod asof;
mod barrier;
mod correlated;
mod distinct_sums;
mod expressions;
mod gapfill;
mod implied;
mod join_conditions;
mod json_functions;
mod keys;
mod lateral_exec;
mod lazily;
mod limits;
mod native;
mod outer;
mod planner;
mod runner;
mod same;
mod set_types;
mod shifts;
mod single_row;
mod subexpressions;
#[cfg(test)]
mod tests;
mod text_functions;
mod texts;
mod ties;
mod unknown;
mod zones;

pub(in crate::engine) use barrier::{Barrier, hides};
pub(crate) use shifts::is_origin;

use std::sync::Arc;

use datafusion::execution::context::QueryPlanner;
use datafusion::optimizer::{Analyzer, AnalyzerRule, Optimizer, OptimizerRule};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;

/// The rules, in their order: types of literals before DataFusion's own rules coerce, the rest behind them.
pub(crate) fn rules() -> Vec<Arc<dyn AnalyzerRule + Send + Sync>> {
    let mut rules: Vec<Arc<dyn AnalyzerRule + Send + Sync>> = vec![Arc::new(unknown::UnknownLiterals)];
    rules.extend(Analyzer::new().rules);
    rules.extend(own_rules());
    rules
}

/// The rules that follow DataFusion's.
fn own_rules() -> Vec<Arc<dyn AnalyzerRule + Send + Sync>> {
    vec![
        Arc::new(gapfill::GapFilling),
        Arc::new(ties::Ties),
        Arc::new(limits::Limits),
        Arc::new(texts::TextCasts),
        Arc::new(zones::ZonedCasts),
        Arc::new(correlated::Subqueries),
        Arc::new(arithmetic::CheckedArithmetic),
    ]
}

/// The rules that make a plan cheaper.
pub(crate) fn optimizer_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let guarded = Optimizer::new().rules.into_iter().map(subexpressions::guarded).map(distinct_sums::guarded);
    let mut rules: Vec<_> = guarded.collect();
    rules.extend(catalog::optimizer_rules());
    rules.push(Arc::new(implied::ImpliedRanges));
    rules.push(Arc::new(barrier::Leakproof));
    rules
}

/// The rules of physical plans.
pub(crate) fn physical_rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules = PhysicalOptimizer::new().rules;
    rules.insert(0, Arc::new(lazily::LazyProjections));
    rules
}

/// The physical planner that knows the plan nodes that the rules make. A session state without it cannot run them.
pub(crate) fn query_planner() -> Arc<dyn QueryPlanner + Send + Sync> {
    Arc::new(planner::Planner)
}
