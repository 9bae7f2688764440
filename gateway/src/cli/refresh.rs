//! `lakegate refresh`: REFRESH MATERIALIZED VIEW without a server.
//!
//! Owns: that one view that fails does not keep the others from being refreshed, and is still a failure. A server that runs on
//! the same lake shows the rows at its next poll.

use std::sync::Arc;

use catalog::{Lake, Name};

use crate::auth::Role;
use crate::config::Config;
use crate::engine::{Authority, Engine};
use crate::error::{Error, Result, SqlState};
use crate::pg;
use crate::session::{Registry, Session, SessionEffect, Vars};

/// Refreshes the views that are named, or all of them.
pub(super) async fn refresh(config: Config, views: &[String], is_full: bool) -> Result<()> {
    let lake = Lake::open(config.lake, &config.sql_dir).await?;
    let registry = Arc::new(Registry::default());
    let engine =
        Engine::new(&config.engine, Arc::clone(&lake), Arc::clone(&registry), Authority::default(), pg::outputs)?;
    let role = Role { name: "lakegate".to_owned(), superuser: true, connection_limit: None, read_only: false };
    let (id, _) = registry.allocate(4)?;
    let session = Arc::new(Session::new(id, config.database, Arc::new(role), None, Vars::default()));
    let views = if views.is_empty() { all(&lake) } else { views.to_vec() };
    let mut failed = 0;
    for view in &views {
        match one(&engine, &session, view, is_full).await {
            Ok(told) => println!("{view}: {told}"),
            Err(error) => {
                failed += 1;
                let detail = error.detail.as_deref().map(|detail| format!(". {detail}")).unwrap_or_default();
                eprintln!("{view}: {error}{detail}");
            }
        }
    }
    lake.keep_up().await;
    lake.remember().await;
    lake.close_shadows();
    match failed {
        0 => Ok(()),
        _ => {
            let message = format!("{failed} of {} materialized views were not refreshed", views.len());
            Err(Error::new(SqlState::ObjectNotInPrerequisiteState, message))
        }
    }
}

fn all(lake: &Lake) -> Vec<String> {
    let snapshot = lake.snapshot();
    let views = snapshot.tables().filter(|table| table.matview.is_some());
    views.map(|table| Name { schema: table.schema.clone(), name: table.name.clone() }.to_string()).collect()
}

/// Refreshes a view, and says what was done.
async fn one(engine: &Engine, session: &Arc<Session>, view: &str, is_full: bool) -> Result<String> {
    let full = if is_full { " FULL" } else { "" };
    let mut statements = engine.parse(format!("REFRESH MATERIALIZED VIEW {view}{full}")).await?;
    let statement = statements.pop().filter(|_| statements.is_empty());
    let statement = statement.ok_or_else(|| Error::new(SqlState::SyntaxError, format!("not a name: {view}")))?;
    let guard = session.begin_statement();
    let prepared = engine.prepare(session, &guard, statement, &[]).await?;
    engine.execute(session, &guard, &prepared, Vec::new()).await?;
    let told = session.take_effects().into_iter().filter_map(|effect| match effect {
        SessionEffect::Notice(notice) => Some(notice.message),
        SessionEffect::Close(_) | SessionEffect::CloseAll => None,
    });
    Ok(told.collect::<Vec<_>>().join("; "))
}
