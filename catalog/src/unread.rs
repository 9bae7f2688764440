//! Questions over a table that are answered without its files: by the names of folders and by what is known of all rows.
//!
//! Owns: which aggregates ask no more than that. Must never know: how a format tells its number of rows.

mod folders;
mod totals;
mod tuples;

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Expr, LogicalPlan, TableScan};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

pub(crate) use tuples::Tuples;

use crate::format::Opened;
use crate::format::delta::Delta;
use crate::provider::LakeProvider;

/// The rules that need to run behind those that push filters and columns down to the scans.
pub fn optimizer_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    vec![Arc::new(Unread)]
}

#[derive(Debug)]
struct Unread;

impl OptimizerRule for Unread {
    fn name(&self) -> &'static str {
        "lakegate_unread"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
        let known = match totals::known(aggregate)? {
            None => folders::grouped(aggregate)?,
            known => known,
        };
        Ok(known.map_or_else(|| Transformed::no(plan), Transformed::yes))
    }
}

/// The table of a scan of all of its rows, or of those that its filters let pass.
fn opened(scan: &TableScan) -> Option<Arc<Opened>> {
    let provider = source_as_provider(&scan.source).ok()?;
    let lake = provider.downcast_ref::<LakeProvider>()?;
    // Rows that a log deletes are in their files, and files that a log misses are an error.
    let is_plain = lake.opened.delta.as_deref().is_none_or(Delta::is_plain);
    (scan.fetch.is_none() && is_plain && lake.only.is_none()).then(|| Arc::clone(&lake.opened))
}

fn call(expr: &Expr) -> Option<&AggregateFunction> {
    match expr {
        Expr::AggregateFunction(call) => Some(call),
        Expr::Alias(alias) => call(&alias.expr),
        _ => None,
    }
}
