//! Which columns of a result are plain columns of a relation: RowDescription tells them, and drivers name tables by it.
//!
//! Owns: the way back through a plan, as PostgreSQL goes it: through subqueries, joins, groups and the rest that gives a column
//! as it is; not through set operations. A column of a view is the view's. Must never know: the wire.
//! <https://www.postgresql.org/docs/16/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-ROWDESCRIPTION>

use std::sync::Arc;

use datafusion::common::{JoinType, TableReference};
use datafusion::logical_expr::{Distinct, Expr, LogicalPlan};

use crate::engine::scope::Scope;

/// A column of a relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// `pg_class.oid`.
    pub relation: u32,
    /// `pg_attribute.attnum`.
    pub attribute: i16,
}

/// The same by the relation's name: nobody asks for its OID but who describes a result.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Named {
    relation: TableReference,
    attribute: i16,
}

impl Named {
    pub(in crate::engine) fn origin(&self, scope: &Scope) -> Option<Origin> {
        let relation = scope.view.relation(self.relation.schema()?, self.relation.table())?;
        Some(Origin { relation, attribute: self.attribute })
    }
}

/// The origin of each column of a plan; `None` for what is computed.
pub(super) fn of(plan: &LogicalPlan, scope: &Scope) -> Arc<[Option<Named>]> {
    let named = |(relation, index): (&TableReference, usize)| {
        Some(Named { relation: relation.clone(), attribute: i16::try_from(index + 1).ok()? })
    };
    let count = plan.schema().fields().len();
    // Behind the columns of a table there are those of the system, whose numbers are their own.
    (0..count)
        .map(|index| if scope.names_system_columns { None } else { column(plan, index).and_then(named) })
        .collect()
}

fn column(plan: &LogicalPlan, index: usize) -> Option<(&TableReference, usize)> {
    match plan {
        LogicalPlan::TableScan(scan) => {
            let index = scan.projection.as_ref().map_or(Some(index), |projection| projection.get(index).copied());
            index.map(|index| (&scan.table_name, index))
        }
        LogicalPlan::SubqueryAlias(alias) => match &alias.alias {
            // A view is planned in its place, by its whole name; what a query names itself has no schema.
            view @ (TableReference::Partial { .. } | TableReference::Full { .. }) => Some((view, index)),
            TableReference::Bare { .. } => column(&alias.input, index),
        },
        LogicalPlan::Projection(projection) => expression(projection.expr.get(index)?, &projection.input),
        LogicalPlan::Aggregate(aggregate) => expression(aggregate.group_expr.get(index)?, &aggregate.input),
        LogicalPlan::Filter(filter) => column(&filter.input, index),
        LogicalPlan::Sort(sort) => column(&sort.input, index),
        LogicalPlan::Limit(limit) => column(&limit.input, index),
        LogicalPlan::Distinct(Distinct::All(input)) => column(input, index),
        LogicalPlan::Distinct(Distinct::On(on)) => expression(on.select_expr.get(index)?, &on.input),
        LogicalPlan::Window(window) => {
            (index < window.input.schema().fields().len()).then(|| column(&window.input, index)).flatten()
        }
        LogicalPlan::Join(join) => {
            let width = match join.join_type {
                JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => 0,
                _ => join.left.schema().fields().len(),
            };
            match index.checked_sub(width) {
                None => column(&join.left, index),
                Some(index) if index < join.right.schema().fields().len() => column(&join.right, index),
                Some(_) => None,
            }
        }
        _ => None,
    }
}

fn expression<'p>(expr: &'p Expr, input: &'p LogicalPlan) -> Option<(&'p TableReference, usize)> {
    match expr {
        Expr::Alias(alias) => expression(&alias.expr, input),
        Expr::Column(name) => column(input, input.schema().maybe_index_of_column(name)?),
        _ => None,
    }
}
