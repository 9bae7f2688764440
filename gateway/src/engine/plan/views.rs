//! Views in the place where a query names them.
//!
//! Owns: the columns of a view, by the names of its definition.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use catalog::View;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use sqlparser::ast::{Query, Statement as Ast, ViewColumnDef};

use super::{Asked, Planned, nested};
use crate::engine::matview::Judged;
use crate::engine::{Core, parse};
use crate::error::{Error, Result};
use crate::session::{Session, fold};

/// Plans a view; its columns take the names of its definition.
pub(super) async fn view(
    core: &Arc<Core>,
    session: &Arc<Session>,
    view: &View,
    (judged, depth): (&Arc<Judged>, usize),
) -> Result<LogicalPlan> {
    let mut statements = parse::statements(&view.sql)?;
    let statement = statements.pop().ok_or_else(|| Error::internal("a view without a statement"))?;
    let query = view_query(&statement.ast).ok_or_else(|| Error::internal(format!("not a view: {}", statement.ast)))?;
    let names = match statement.ast.as_ref() {
        Ast::CreateView(create) => create.columns.as_slice(),
        _ => &[],
    };
    let (query, message) = (Box::new(query.clone()), Arc::clone(&statement.message));
    let (declared, search_path, judged) = (Vec::new(), view.search_path.clone(), Arc::clone(judged));
    let asked = Asked { query, message, declared, search_path, over: None, depth, judged };
    rename(nested(Arc::clone(core), Arc::clone(session), asked).await?, names)
}

/// The query of a view's text.
pub(in crate::engine) fn view_query(statement: &Ast) -> Option<&Query> {
    match statement {
        Ast::Query(query) => Some(query),
        Ast::CreateView(create) => Some(&create.query),
        _ => None,
    }
}

/// The plan's own names may be internal ones; a relation needs those that its query shows.
fn rename(planned: Planned, names: &[ViewColumnDef]) -> Result<LogicalPlan> {
    let shown = planned
        .columns
        .fields()
        .iter()
        .enumerate()
        .map(|(index, field)| names.get(index).map_or_else(|| field.name().clone(), |column| fold(&column.name)));
    let columns = planned.plan.schema().columns();
    let aliased: Vec<_> =
        columns.into_iter().zip(shown).map(|(column, name)| Expr::Column(column).alias(name)).collect();
    let plan = LogicalPlanBuilder::from(Arc::unwrap_or_clone(planned.plan)).project(aliased)?.build()?;
    Ok(plan)
}

/// The columns of a view, for the catalog relations.
pub(in crate::engine) async fn view_columns(
    core: &Arc<Core>,
    session: &Arc<Session>,
    named: &View,
) -> Result<SchemaRef> {
    let plan = view(core, session, named, (&Arc::default(), 1)).await?;
    Ok(Arc::clone(plan.schema().inner()))
}
