//! Column masks of the tables of a statement: what its role sees in the place of values.
//!
//! Owns: the query that gives the rows of a table with their masks, and that a mask has the type of its column, by PostgreSQL's
//! casts of assignment. Must never know: how masks are kept, or what is asked of the rows.

use std::sync::Arc;

use arrow::datatypes::{Field, Fields};
use catalog::{Column, ColumnMask, Name};
use datafusion::common::ExprSchema;
use datafusion::common::metadata::FieldMetadata;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::Cast;
use datafusion::logical_expr::{Expr as Value, LogicalPlan, LogicalPlanBuilder, TableSource};
use sqlparser::ast::{Expr, Ident, Query, SelectItem, SetExpr, Value as Literal};

use super::{all_of, expression_of};
use crate::engine::scope::Scope;
use crate::engine::write::{column_type, fits, typed};
use crate::engine::{Core, plan, rewrite};
use crate::error::{Error, Result, SqlState};
use crate::session::Session;

/// The rows of a relation, of which some are seen.
pub(super) struct Rows<'a> {
    pub(super) name: &'a Name,
    pub(super) source: Arc<dyn TableSource>,
    /// The condition of those that are seen.
    pub(super) condition: Option<Expr>,
    /// So many queries are around them.
    pub(super) depth: usize,
}

/// A mask on its column.
struct Masking<'a> {
    mask: &'a ColumnMask,
    column: Column,
    /// Its place in the table.
    at: usize,
    value: Expr,
}

/// The masks through which the statement sees a table.
pub(super) fn of(scope: &Scope, name: &Name) -> Vec<ColumnMask> {
    if scope.is_checked { scope.rights().masks(name).into_iter().cloned().collect() } else { Vec::new() }
}

/// The rows with the masks in the place of their columns.
pub(super) async fn planned(
    core: &Arc<Core>,
    session: &Arc<Session>,
    scope: &Scope,
    (masks, rows): (&[ColumnMask], Rows<'_>),
) -> Result<LogicalPlan> {
    let columns = rows.source.schema();
    let masks = masks.iter().map(|mask| Masking::new(scope, mask, columns.fields()));
    let mut masks = masks.collect::<Result<Vec<_>>>()?;
    let mut plan = rows.plan(core, session, &masks).await?;
    if masks.is_empty() {
        return Ok(plan);
    }
    let width = columns.fields().len();
    let mut is_cast = false;
    for (masking, (_, given)) in masks.iter_mut().zip(plan.schema().iter().skip(width)) {
        if fits(&masking.column, given)?
            && let Some(data_type) = column_type(&masking.column)
        {
            let value = std::mem::replace(&mut masking.value, Expr::value(Literal::Null));
            masking.value = rewrite::cast(Expr::Nested(Box::new(value)), data_type);
            is_cast = true;
        }
    }
    if is_cast {
        plan = rows.plan(core, session, &masks).await?;
    }
    let given = plan.schema().columns();
    if given.len() != width + masks.len() {
        return Err(Error::internal("a mask gives no column"));
    }
    let shown = columns.fields().iter().zip(&given).enumerate().map(|(at, (field, own))| {
        let mask = masks.iter().position(|masking| masking.at == at).and_then(|mask| given.get(width + mask));
        let Some(mask) = mask else { return Value::Column(own.clone()).alias(field.name()) };
        let is_of_type = plan.schema().field_from_column(mask).is_ok_and(|mask| mask.data_type() == field.data_type());
        let value = Value::Column(mask.clone());
        if is_of_type {
            return value.alias_with_metadata(field.name(), Some(FieldMetadata::from(field.metadata().clone())));
        }
        let wanted = Arc::new(field.as_ref().clone().with_nullable(true));
        Value::Cast(Cast::new_from_field(Box::new(value), wanted)).alias(field.name())
    });
    let shown: Vec<Value> = shown.collect();
    Ok(LogicalPlanBuilder::from(plan).project(shown)?.build()?)
}

impl Rows<'_> {
    /// The rows with their masks behind their columns.
    async fn plan(&self, core: &Arc<Core>, session: &Arc<Session>, masks: &[Masking<'_>]) -> Result<LogicalPlan> {
        let mut query = all_of(self.name, self.condition.clone());
        add(&mut query, masks);
        let rows = (self.name.schema.clone(), self.name.name.clone(), Arc::clone(&self.source));
        plan::query_of_policy(core, session, (Box::new(query), rows), self.depth).await
    }
}

fn add(query: &mut Query, masks: &[Masking<'_>]) {
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    let items = masks.iter().enumerate().map(|(at, masking)| SelectItem::ExprWithAlias {
        expr: masking.value.clone(),
        alias: Ident::with_quote('"', format!("lakegate:mask {at}")),
    });
    select.projection.extend(items);
}

impl<'a> Masking<'a> {
    fn new(scope: &Scope, mask: &'a ColumnMask, columns: &Fields) -> Result<Self> {
        let Some((at, field)) = columns.find(&mask.column) else {
            // Without it nobody knows which column has the values now.
            let message = format!("column \"{}\" of relation \"{}\" does not exist", mask.column, mask.on.name);
            let error = Error::new(SqlState::UndefinedColumn, message);
            return Err(error.detail(format!("The mask \"{}\" is on it.", mask.name)));
        };
        let column = Column::shown(Field::clone(field));
        let mut value = expression_of(scope, mask)?;
        // A literal in parentheses is one all the same.
        while let Expr::Nested(inner) = value {
            value = *inner;
        }
        let is_null = matches!(&value, Expr::Value(value) if value.value == Literal::Null);
        if !is_null {
            typed(&mut value, &column, &|_| None)?;
        }
        Ok(Self { mask, column, at, value })
    }
}

/// Plans a mask over a table, as an operator would, to see whether it is one of values.
pub(in crate::engine) async fn try_mask(
    core: &Arc<Core>,
    session: &Arc<Session>,
    scope: &Scope,
    (source, mask): (Arc<dyn TableSource>, &ColumnMask),
) -> Result<()> {
    let masking = Masking::new(scope, mask, source.schema().fields())?;
    let item = SelectItem::UnnamedExpr(masking.value.clone());
    rewrite::check_values(&[item], "mask expressions", scope)?;
    let name = &masking.mask.on;
    let rows = Rows { name, source, condition: None, depth: 1 };
    let plan = planned(core, session, scope, (std::slice::from_ref(mask), rows)).await?;
    let mut is_set = false;
    plan.apply(|node| {
        is_set |= matches!(node, LogicalPlan::Unnest(_));
        Ok(TreeNodeRecursion::Continue)
    })?;
    match is_set {
        false => Ok(()),
        true => Err(Error::unsupported("set-returning functions are not allowed in mask expressions")),
    }
}

/// Refuses values for columns that the role sees through a mask: what it writes back would be what it has seen.
pub(in crate::engine) fn refuse_assigned(
    scope: &Scope,
    name: &Name,
    (columns, assigned): (&[Column], &[Option<Expr>]),
) -> Result<()> {
    let rights = scope.rights();
    let masks = rights.masks(name);
    let is_masked = |column: &Column| masks.iter().any(|mask| mask.column == column.name());
    let mut written = columns.iter().zip(assigned).filter(|(_, value)| value.is_some());
    match written.find(|(column, _)| is_masked(column)) {
        None => Ok(()),
        Some((column, _)) => {
            let message = format!("permission denied for column \"{}\" of relation \"{}\"", column.name(), name.name);
            Err(Error::new(SqlState::InsufficientPrivilege, message)
                .detail("A mask hides its values from the role, which could write back what it is shown.")
                .hint("A role that sees the values can change them."))
        }
    }
}
