//! The materialized views that one is made of, directly or through other views.
//!
//! Owns: their order: each comes after those that it is made of. Must never know: a plan, since what has no rows yet has none.

use std::collections::BTreeSet;
use std::sync::Arc;

use catalog::{Name, Table, View};

use crate::engine::parse;
use crate::engine::plan::{relations, view_query};
use crate::engine::run::Run;
use crate::engine::scope::{Found, Scope};
use crate::error::Result;

/// The views below a table, those without any below them first.
pub(super) async fn of(run: &Run<'_>, table: &Arc<Table>) -> Result<Vec<Name>> {
    let scope = run.core.scope(run.session, &run.prepared.statement.message);
    let table = Arc::clone(table);
    // Queries may be nested deep.
    let walking = move || {
        let mut walk = Walk { scope, seen: BTreeSet::from([name(&table)]), found: Vec::new() };
        if let Some(view) = table.query() {
            walk.below(view)?;
        }
        Ok(walk.found)
    };
    run.core.cpu.block(move |_| walking()).await?
}

struct Walk {
    scope: Scope,
    seen: BTreeSet<Name>,
    found: Vec<Name>,
}

impl Walk {
    fn below(&mut self, view: &View) -> Result<()> {
        for statement in parse::statements(&view.sql)? {
            let Some(query) = view_query(&statement.ast) else { continue };
            let own = self.scope.search_path().to_vec();
            let path = view.search_path.clone().unwrap_or(own);
            for relation in relations(query) {
                let Some(Found::Lake(table)) = self.scope.find_by(&relation, &path) else { continue };
                let (Some(view), true) = (table.query(), self.seen.insert(name(&table))) else { continue };
                self.below(view)?;
                if table.matview.is_some() {
                    self.found.push(name(&table));
                }
            }
        }
        Ok(())
    }
}

fn name(table: &Table) -> Name {
    Name { schema: table.schema.clone(), name: table.name.clone() }
}
