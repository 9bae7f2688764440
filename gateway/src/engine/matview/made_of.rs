//! What a query reads: the tables of the lake under its plan, each with its files.
//!
//! Owns: that a plan can read some files of a table instead of all. Must never know: why.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use catalog::{Scanned, SourceLineage};
use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::logical_expr::{LogicalPlan, TableScan};

use crate::error::Result;

/// The tables of a plan, by name.
pub(super) struct MadeOf {
    pub(super) tables: Vec<Scanned>,
    pub(super) lineage: Arc<Vec<SourceLineage>>,
    /// Why it cannot be told what the rows are made of.
    pub(super) untold: Option<String>,
}

impl MadeOf {
    pub(super) fn of(plan: &LogicalPlan) -> Result<Self> {
        let (mut tables, mut columns, mut untold) = (BTreeMap::new(), BTreeSet::new(), None);
        plan.apply_with_subqueries(|node| {
            node.apply_expressions(|expr| {
                columns.extend(expr.column_refs().into_iter().map(|column| column.name.clone()));
                Ok(TreeNodeRecursion::Continue)
            })?;
            if let LogicalPlan::TableScan(scan) = node {
                match scanned(scan) {
                    Some(table) => drop(tables.insert(table.table().to_owned(), table)),
                    None => untold = Some(format!("\"{}\" is no table of the lake", scan.table_name)),
                }
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        let tables: Vec<Scanned> = tables.into_values().collect();
        let mut lineage = Vec::with_capacity(tables.len());
        for table in &tables {
            match table.lineage(&columns) {
                Some(source) => lineage.push(source),
                None => untold = Some(format!("the store gives no ETags for the files of {}", table.table())),
            }
        }
        Ok(Self { tables, lineage: Arc::new(lineage), untold })
    }

    /// Bytes of all files.
    pub(super) fn bytes(&self) -> u64 {
        self.lineage.iter().map(SourceLineage::bytes).sum()
    }

    /// The place of a table.
    pub(super) fn place(&self, table: &str) -> Option<usize> {
        self.tables.iter().position(|known| known.table() == table)
    }
}

pub(in crate::engine) fn scanned(scan: &TableScan) -> Option<Scanned> {
    let provider = source_as_provider(&scan.source).ok()?;
    Scanned::of(provider.as_ref())
}

/// Whether a plan reads a table, its subqueries included.
pub(super) fn reads(plan: &LogicalPlan, table: &str) -> bool {
    plan.exists(|node| {
        let is_it = |node: &LogicalPlan| {
            matches!(node, LogicalPlan::TableScan(scan) if scanned(scan).is_some_and(|known| known.table() == table))
        };
        let mut found = is_it(node);
        node.apply_subqueries(|subquery| {
            found |= is_it(subquery);
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(found)
    })
    .unwrap_or(true)
}

/// The plan with another provider of a table's rows.
pub(in crate::engine) fn over(
    plan: &LogicalPlan,
    table: &str,
    provider: &Arc<dyn TableProvider>,
) -> Result<LogicalPlan> {
    let replaced = plan.clone().transform_up_with_subqueries(|node| match node {
        LogicalPlan::TableScan(scan) if scanned(&scan).is_some_and(|known| known.table() == table) => {
            let source = provider_as_source(Arc::clone(provider));
            Ok(Transformed::yes(LogicalPlan::TableScan(TableScan { source, ..scan })))
        }
        other => Ok(Transformed::no(other)),
    })?;
    Ok(replaced.data)
}
