//! Aggregates of distinct values as groups of groups, but not beside a sum.
//!
//! DataFusion turns `count(DISTINCT a), sum(b)` into the sum of sums, which is of its type only where the sum of a type has the same
//! type. PostgreSQL's sum of integers is a bigint, and that of bigints a numeric. Owns: that guard around DataFusion's rule.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::single_distinct_to_groupby::SingleDistinctToGroupBy;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

/// The rule with the guard, if it is that one.
pub(super) fn guarded(rule: Arc<dyn OptimizerRule + Send + Sync>) -> Arc<dyn OptimizerRule + Send + Sync> {
    match rule.name() == SingleDistinctToGroupBy::new().name() {
        true => Arc::new(DistinctSums { inner: rule }),
        false => rule,
    }
}

#[derive(Debug)]
struct DistinctSums {
    inner: Arc<dyn OptimizerRule + Send + Sync>,
}

impl OptimizerRule for DistinctSums {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.inner.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        match has_sum(&plan) {
            true => Ok(Transformed::no(plan)),
            false => self.inner.rewrite(plan, config),
        }
    }
}

fn has_sum(plan: &LogicalPlan) -> bool {
    let LogicalPlan::Aggregate(aggregate) = plan else { return false };
    let is_sum = |expr: &Expr| match expr {
        Expr::AggregateFunction(call) => call.func.name() == "sum" && !call.params.distinct,
        _ => false,
    };
    aggregate.aggr_expr.iter().any(is_sum)
}
