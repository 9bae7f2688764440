//! From the names of a statement to what has their rows.
//!
//! Owns: which form of a relation a statement reads: a table, a view's query, a materialized view as old as it may be. Must never
//! know: what is done with the rows.

use std::sync::Arc;

use catalog::{RowCommand, Table};
use datafusion::catalog::TableProvider;
use datafusion::catalog::view::ViewTable;
use datafusion::datasource::provider_as_source;
use sqlparser::ast::ObjectName;

use super::views::view;
use crate::engine::scope::{Found, Scope, undefined_table, view_of};
use crate::engine::{Core, matview, row_security, versions, write, zone};
use crate::error::Result;
use crate::session::Session;

/// What policies are asked for.
const READ: &[RowCommand] = &[RowCommand::Select];

/// Opens the relation, if there is one of that name: a CTE or a function in FROM has none, and the planner knows it.
pub(super) async fn resolve(
    core: &Arc<Core>,
    session: &Arc<Session>,
    scope: &mut Scope,
    name: &ObjectName,
    depth: usize,
) -> Result<()> {
    if let Some(block) = &session.transaction().written
        && write::means(scope, name, &block.target().name)
    {
        return Err(write::refuse_to_read(&block.target().name.name));
    }
    match scope.find(name) {
        None => {
            scope.may_look_in(name)?;
            versions::refuse(name, false)
        }
        Some(Found::Earlier { table, name, .. }) if scope.has(&table.schema, &name) => Ok(()),
        Some(Found::Earlier { table, name: marked, version }) => {
            let held = scope.may_open(name, &table, &marked)?;
            let name = marked;
            let provider = versions::provider(&table, &version, session).await?;
            let source = zone::localized(provider_as_source(provider), session)?;
            let source = row_security::seen(core, session, scope, (&table, source), (READ, depth + 1)).await?;
            let source = scope.bound(source, &table, held.as_ref())?;
            scope.add(&table.schema, &name, source);
            Ok(())
        }
        Some(Found::Catalog { schema, name }) if scope.has(&schema, &name) => Ok(()),
        Some(Found::Catalog { schema, name: found }) => {
            versions::refuse(name, true)?;
            let name = found;
            let relation = catalog::pg_catalog::relation(&scope.view, &schema, &name);
            let relation = relation.ok_or_else(|| undefined_table(&name))?;
            scope.add(&schema, &name, provider_as_source(relation));
            Ok(())
        }
        Some(Found::Lake(table)) if scope.has(&table.schema, &table.name) => Ok(()),
        Some(Found::Lake(table)) => {
            let held = scope.may_open(name, &table, &table.name)?;
            let source = match view_of(&table) {
                None => {
                    let provider = rows(core, session, scope, &table, depth + 1).await?;
                    zone::localized(provider_as_source(provider), session)?
                }
                // Until a job has made its rows, one of a file is its query.
                Some(_) if table.matview.is_some() && !table.is_defined_by_file() => {
                    return Err(matview::not_populated(&table.name));
                }
                Some(named) => {
                    let planned = view(core, session, named, (&scope.judged, depth + 1)).await?;
                    provider_as_source(Arc::new(ViewTable::new(planned, Some(named.sql.clone()))))
                }
            };
            let source = row_security::seen(core, session, scope, (&table, source), (READ, depth + 1)).await?;
            if view_of(&table).is_none() && scope.names_system_columns && held.is_none() {
                return Ok(scope.add_with_system_columns(&table, source)?);
            }
            let source = scope.bound(source, &table, held.as_ref())?;
            scope.add(&table.schema, &table.name, source);
            Ok(())
        }
    }
}

/// What has the rows of a table, or of a materialized view as old as they may be.
async fn rows(
    core: &Arc<Core>,
    session: &Arc<Session>,
    scope: &Scope,
    table: &Table,
    depth: usize,
) -> Result<Arc<dyn TableProvider>> {
    let provider = table.provider().await?;
    match &table.matview {
        Some(matview) if scope.judged.is_by_query(core, table, matview).await? => {
            let view = (table, matview.as_ref(), session.database.as_str());
            matview::computed(core, &scope.snapshot, view, (&scope.judged, depth)).await
        }
        _ => Ok(provider),
    }
}
