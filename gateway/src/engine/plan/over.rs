//! Relations that a statement reads otherwise than the lake has them.
//!
//! Owns: by which names they are read, and that a table of which policies or masks hide something is never read whole by its own
//! name. Must never know: what is done with the rows.

use std::sync::Arc;

use catalog::{Name, RowCommand, Table};
use datafusion::catalog::TableProvider;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{LogicalPlan, TableSource};
use sqlparser::ast::Query;

use super::{Asked, nested};
use crate::engine::define::name_of;
use crate::engine::matview::Judged;
use crate::engine::scope::{GIVEN, Scope};
use crate::engine::{Core, row_security, zone};
use crate::error::{Error, Result, SqlState};
use crate::session::Session;

#[derive(Clone)]
pub(in crate::engine) enum Over {
    /// A table that is read otherwise; its last two columns are none of `*`. Where policies or masks bind its reader, the
    /// statement sees what these let pass, and all rows as they are under a name that only the server knows.
    Table { table: Arc<Table>, provider: Arc<dyn TableProvider>, bound: Option<Bound> },
    /// The same for who shows no row to anybody.
    Whole { table: Arc<Table>, provider: Arc<dyn TableProvider> },
    /// A relation that a policy or a mask is about.
    Secured { schema: String, name: String, source: Arc<dyn TableSource> },
    /// Rows that a client sends, by the name [`GIVEN`].
    Given(Arc<dyn TableProvider>),
    /// Rows of a table that a statement has written, by the same name; `joined` are those of the whole FROM list, whose first
    /// columns are the table's.
    Written { of: Name, rows: Arc<dyn TableProvider>, joined: Option<Arc<dyn TableProvider>> },
}

/// How a statement sees a table of which policies hide rows, or masks values.
#[derive(Clone)]
pub(in crate::engine) struct Bound {
    /// What it does with the rows.
    pub(in crate::engine) commands: Vec<RowCommand>,
    /// The name of all rows, in the schema of [`GIVEN`].
    pub(in crate::engine) whole: String,
}

/// The rows of a relation that a policy of its lets pass, with what masks show; `depth` queries are around it.
pub(in crate::engine) async fn query_of_policy(
    core: &Arc<Core>,
    session: &Arc<Session>,
    (query, (schema, name, source)): (Box<Query>, (String, String, Arc<dyn TableSource>)),
    depth: usize,
) -> Result<LogicalPlan> {
    let (declared, judged, message) = (Vec::new(), Judged::of(session), Arc::from(query.to_string()));
    let over = Some(Over::Secured { schema, name, source });
    let asked = Asked { query, message, declared, search_path: None, over, depth, judged };
    let planned = nested(Arc::clone(core), Arc::clone(session), asked).await.map_err(|mut error| {
        // It would be one in a text that the client has not sent.
        error.position = None;
        error
    })?;
    match planned.param_types.is_empty() {
        true => Ok(Arc::unwrap_or_clone(planned.plan)),
        false => Err(Error::new(SqlState::UndefinedParameter, "there is no parameter $1")),
    }
}

/// Adds a relation that the lake does not have so.
pub(super) async fn opened(core: &Arc<Core>, session: &Arc<Session>, scope: &mut Scope, over: Over) -> Result<()> {
    match over {
        Over::Table { table, provider, bound } => {
            let source = zone::localized(provider_as_source(provider), session)?;
            let commands = match bound {
                Some(Bound { commands, whole }) => {
                    scope.add(GIVEN.0, &whole, Arc::clone(&source));
                    commands
                }
                None if row_security::binds(scope, &name_of(&table)) => {
                    let message = "the row-level security of a table has changed since the statement was planned";
                    return Err(Error::new(SqlState::SerializationFailure, message));
                }
                None => Vec::new(),
            };
            let source = row_security::seen(core, session, scope, (&table, source), (&commands, 1)).await?;
            scope.add_with_hidden_columns(&table, source, 2);
        }
        Over::Whole { table, provider } => {
            let source = zone::localized(provider_as_source(provider), session)?;
            scope.add_with_hidden_columns(&table, source, 2);
        }
        Over::Secured { schema, name, source } => scope.add(&schema, &name, source),
        Over::Written { of, rows, joined } => {
            let rows = zone::localized(provider_as_source(rows), session)?;
            let rows = row_security::shown(core, session, scope, (&of, rows)).await?;
            scope.add(GIVEN.0, GIVEN.1, rows);
            if let Some(joined) = joined.map(provider_as_source) {
                scope.joined = Some(row_security::shown(core, session, scope, (&of, joined)).await?);
            }
        }
        Over::Given(provider) => {
            scope.add(GIVEN.0, GIVEN.1, zone::localized(provider_as_source(provider), session)?);
        }
    }
    Ok(())
}
