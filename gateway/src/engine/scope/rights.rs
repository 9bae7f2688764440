//! What a statement reads, and whether it may.
//!
//! Owns: that no relation of the lake is opened for who may not read it, nor read under a name that a query of the statement has
//! too. Must never know: which privilege that takes.

use std::sync::Arc;

use catalog::{Held, Name, Table};
use datafusion::common::{Result as PlanResult, TableReference};
use datafusion::logical_expr::{LogicalPlan, TableSource};
use sqlparser::ast::ObjectName;

use super::Scope;
use crate::engine::authorize;
use crate::engine::define::name_of;
use crate::error::Result;
use crate::session::fold;

impl Scope {
    /// Looks for names as the operator does, whose view it is: where grants bind somebody, the path of a session must not decide
    /// what is read with the rights of another.
    pub(in crate::engine) fn search_for_operator(&mut self) {
        if self.view.server.access.is_enforced() {
            self.search_path = vec!["public".to_owned()];
        }
    }

    /// Refuses a relation of the lake that the statement may not read, before it is opened; tells what is held of one that it may
    /// read some columns of. Where a query of the statement has its name, it is asked for again when it is read.
    pub(in crate::engine) fn may_open(
        &mut self,
        written: &ObjectName,
        table: &Arc<Table>,
        name: &str,
    ) -> Result<Option<Held>> {
        self.opened.insert((table.schema.clone(), name.to_owned()), Arc::clone(table));
        if !self.is_checked {
            return Ok(None);
        }
        let is_cte = match written.0.as_slice() {
            [part] => part.as_ident().is_some_and(|ident| self.ctes.contains(&fold(ident))),
            _ => false,
        };
        match self.rights().read(table) {
            Err(_) if is_cte => Ok(None),
            held => held,
        }
    }

    /// Whether a name is that of a query of the statement. The planner asks for it all the same; tables have their schemas then.
    pub(in crate::engine) fn is_of_cte(&self, name: &TableReference) -> bool {
        let is_bare = name.schema().is_none() && self.ctes.contains(name.table());
        is_bare && self.is_checked && self.rights().are_bound()
    }

    /// Refuses a name in a schema that the statement may not look into: whether it is there is not told.
    pub(in crate::engine) fn may_look_in(&self, written: &ObjectName) -> Result<()> {
        let parts: Vec<String> = written.0.iter().filter_map(|part| part.as_ident()).map(fold).collect();
        match parts.as_slice() {
            [.., schema, _] if self.is_checked && self.has_schema(schema) => self.rights().usage(schema),
            _ => Ok(()),
        }
    }

    /// The source as the statement may read it.
    pub(in crate::engine) fn bound(
        &mut self,
        source: Arc<dyn TableSource>,
        table: &Table,
        held: Option<&Held>,
    ) -> Result<Arc<dyn TableSource>> {
        let Some(held) = held else { return Ok(source) };
        self.has_marks = true;
        authorize::marked(source, table, held)
    }

    /// Refuses columns that the plan uses and the statement may not read.
    pub(in crate::engine) fn check_columns(&self, plan: &LogicalPlan) -> PlanResult<()> {
        if self.has_marks { authorize::refuse_marked(plan) } else { Ok(()) }
    }

    /// The relations of the lake that the statement itself names and its plan reads.
    pub(in crate::engine) fn relations_read(&self) -> Vec<Name> {
        let read = self.read.lock();
        let mut names: Vec<Name> =
            read.iter().filter_map(|key| self.opened.get(key)).map(|table| name_of(table)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Refuses what the plan reads and the statement may not.
    pub(in crate::engine) fn check_read(&self) -> Result<()> {
        if !self.is_checked {
            return Ok(());
        }
        let read = self.read.lock();
        let mut tables = read.iter().filter_map(|key| self.opened.get(key));
        tables.try_for_each(|table| self.rights().read(table).map(drop))
    }
}
