//! Common subexpressions, but not of plans where a timestamp literal stands beside a timestamptz literal.
//!
//! DataFusion compares timestamps without their zones, so `timestamp '2020-01-01' + x` and `timestamptz '2020-01-01Z' + x`
//! are one expression to it, of whichever type came first. Owns: that guard around DataFusion's rule.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::common_subexpr_eliminate::CommonSubexprEliminate;
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use datafusion::scalar::ScalarValue;

/// The rule with the guard, if it is that one.
pub(super) fn guarded(rule: Arc<dyn OptimizerRule + Send + Sync>) -> Arc<dyn OptimizerRule + Send + Sync> {
    match rule.name() == CommonSubexprEliminate::new().name() {
        true => Arc::new(CommonSubexpressions { inner: rule }),
        false => rule,
    }
}

#[derive(Debug)]
struct CommonSubexpressions {
    inner: Arc<dyn OptimizerRule + Send + Sync>,
}

impl OptimizerRule for CommonSubexpressions {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.inner.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        match mixes_zones(&plan)? {
            true => Ok(Transformed::no(plan)),
            false => self.inner.rewrite(plan, config),
        }
    }
}

fn mixes_zones(plan: &LogicalPlan) -> Result<bool> {
    let (mut plain, mut zoned) = (false, false);
    plan.apply(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                if let Expr::Literal(
                    ScalarValue::TimestampSecond(_, zone)
                    | ScalarValue::TimestampMillisecond(_, zone)
                    | ScalarValue::TimestampMicrosecond(_, zone)
                    | ScalarValue::TimestampNanosecond(_, zone),
                    _,
                ) = expr
                {
                    plain |= zone.is_none();
                    zoned |= zone.is_some();
                }
                Ok(if plain && zoned { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
            })
        })
    })?;
    Ok(plain && zoned)
}
