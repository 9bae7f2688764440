//! CREATE, ALTER and DROP POLICY, and ALTER TABLE ... ROW LEVEL SECURITY: kept in the lake, beside what the roles file says.
//! <https://www.postgresql.org/docs/16/sql-createpolicy.html>
//!
//! Owns: that roles and tables exist, that a condition can be planned, and that what the roles file declares is changed there
//! alone. Must never know: what a policy hides.

use std::sync::Arc;

use catalog::{Grantee, Name, RowClauses, RowCommand, RowPolicy, RowSwitch, Table, read_policy};
use datafusion::datasource::provider_as_source;
use sqlparser::ast::{AlterPolicyOperation, AlterTable, AlterTableOperation, DropPolicy, ObjectName};

use super::Change;
use super::target::{is_view, name_of};
use crate::engine::scope::{undefined_table, view_of};
use crate::engine::{matview, row_security, zone};
use crate::error::{Error, Result, SqlState};
use crate::session::{Notice, fold};

/// What an operation of ALTER TABLE turns, if it is of the rows' security.
pub(super) fn switch(operation: &AlterTableOperation) -> Option<RowSwitch> {
    Some(match operation {
        AlterTableOperation::EnableRowLevelSecurity => RowSwitch::Enabled(true),
        AlterTableOperation::DisableRowLevelSecurity => RowSwitch::Enabled(false),
        AlterTableOperation::ForceRowLevelSecurity => RowSwitch::Forced(true),
        AlterTableOperation::NoForceRowLevelSecurity => RowSwitch::Forced(false),
        _ => return None,
    })
}

pub(super) fn is_of_rows(alter: &AlterTable) -> bool {
    !alter.operations.is_empty() && alter.operations.iter().all(|operation| switch(operation).is_some())
}

impl Change {
    pub(super) async fn create_policy(&mut self) -> Result<()> {
        let written = self.written()?;
        let table = self.secured(&written.on)?;
        let on = name_of(&table);
        refuse_clauses(written.clauses.command, &written.clauses)?;
        if self.is_of_file(&on, &written.name) || self.script.policy(&on, &written.name).is_some() {
            return Err(exists(&on, &written.name));
        }
        let policy = written.clauses.policy(written.name, on, self.scope.search_path().to_vec());
        self.put(&table, policy).await
    }

    pub(super) async fn alter_policy(&mut self, operation: &AlterPolicyOperation) -> Result<()> {
        if let AlterPolicyOperation::Rename { new_name } = operation {
            return self.rename_policy(&fold(new_name));
        }
        let written = self.written()?;
        let table = self.secured(&written.on)?;
        let known = self.known(&name_of(&table), &written.name)?;
        refuse_clauses(Some(known.command), &written.clauses)?;
        let RowClauses { to, using, check, .. } = written.clauses;
        let policy = RowPolicy {
            to: to.unwrap_or(known.to),
            using: using.or(known.using),
            check: check.or(known.check),
            search_path: self.scope.search_path().to_vec(),
            ..known
        };
        self.put(&table, policy).await
    }

    fn rename_policy(&mut self, to: &str) -> Result<()> {
        let sqlparser::ast::Statement::AlterPolicy(alter) = self.statement.ast.as_ref() else {
            return Err(Error::internal("not an ALTER POLICY"));
        };
        let (name, table) = (fold(&alter.name), self.secured(&alter.table_name)?);
        let on = name_of(&table);
        let known = self.known(&on, &name)?;
        if self.is_of_file(&on, to) || self.script.policy(&on, to).is_some() {
            return Err(exists(&on, to));
        }
        self.script.put_policy(RowPolicy { name: to.to_owned(), ..known }, &name);
        Ok(())
    }

    pub(super) fn drop_policy(&mut self, drop: &DropPolicy) -> Result<()> {
        let name = fold(&drop.name);
        let table = self.secured(&drop.table_name)?;
        let on = name_of(&table);
        match self.known(&on, &name) {
            Ok(_) => self.script.drop_policy(&on, &name),
            Err(error) if error.state == SqlState::UndefinedObject && drop.if_exists => {
                let written = &drop.table_name;
                let message = format!("policy \"{name}\" for relation \"{written}\" does not exist, skipping");
                self.notices.push(Notice::note(SqlState::SuccessfulCompletion, message));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    pub(super) fn switch_rows(&mut self, alter: &AlterTable) -> Result<()> {
        self.policies_in_force()?;
        if self.altered(alter)?.is_none() {
            return Ok(());
        }
        let table = self.secured(&alter.name)?;
        let on = name_of(&table);
        let declared = self.core.base_access().secured(&on).map(|secured| secured.security).unwrap_or_default();
        for switch in alter.operations.iter().filter_map(switch) {
            let is_of_file = match switch {
                RowSwitch::Enabled(is) => !is && declared.is_enabled,
                RowSwitch::Forced(is) => !is && declared.is_forced,
            };
            if is_of_file {
                let message = format!("cannot disable row-level security of table \"{}\"", on.name);
                return Err(of_roles_file(message));
            }
            self.script.switch(&on, switch);
        }
        Ok(())
    }

    /// Keeps a policy whose roles exist and whose conditions are some.
    async fn put(&mut self, table: &Arc<Table>, mut policy: RowPolicy) -> Result<()> {
        self.check_roles(&mut policy.to)?;
        if view_of(table).is_some() {
            return Err(matview::not_populated(&table.name));
        }
        let source = zone::localized(provider_as_source(table.provider().await?), &self.session)?;
        row_security::try_condition(&self.core, &self.session, &self.scope, (table, source), &policy).await?;
        let name = policy.name.clone();
        self.script.put_policy(policy, &name);
        Ok(())
    }

    /// Refuses roles that there are none of; PUBLIC stands for all others.
    pub(super) fn check_roles(&mut self, to: &mut Vec<Grantee>) -> Result<()> {
        let base = self.core.base_access();
        for to in to.iter() {
            if let Grantee::Role(role) = to
                && !base.is_role(role)
            {
                return Err(Error::new(SqlState::UndefinedObject, format!("role \"{role}\" does not exist")));
            }
        }
        if to.len() > 1 && to.contains(&Grantee::Public) {
            let notice = Notice::warning(SqlState::InvalidParameterValue, "ignoring specified roles other than PUBLIC");
            self.notices.push(notice.hint("All roles are members of the PUBLIC role."));
            *to = vec![Grantee::Public];
        }
        Ok(())
    }

    fn written(&self) -> Result<catalog::WrittenPolicy> {
        self.policies_in_force()?;
        let syntax = |error: sqlparser::parser::ParserError| Error::new(SqlState::SyntaxError, error.to_string());
        read_policy(&self.statement.text, Some(self.session.user())).map_err(syntax)
    }

    pub(super) fn policies_in_force(&self) -> Result<()> {
        match self.core.base_access().is_enforced() {
            true => Ok(()),
            false => Err(super::grant::not_in_force()),
        }
    }

    /// A table whose rows policies can hide, and whose values masks can. Unlike in PostgreSQL a materialized view is one.
    pub(super) fn secured(&self, name: &ObjectName) -> Result<Arc<Table>> {
        let table = self.existing(name)?.ok_or_else(|| undefined_table(name))?;
        match is_view(&table) {
            true => Err(Error::new(SqlState::WrongObjectType, format!("\"{}\" is not a table", table.name))),
            false => Ok(table),
        }
    }

    /// A policy that SQL has made.
    fn known(&self, on: &Name, name: &str) -> Result<RowPolicy> {
        self.policies_in_force()?;
        if self.is_of_file(on, name) {
            return Err(of_roles_file(format!("cannot change policy \"{name}\" for table \"{}\"", on.name)));
        }
        self.script.policy(on, name).cloned().ok_or_else(|| {
            let message = format!("policy \"{name}\" for table \"{}\" does not exist", on.name);
            Error::new(SqlState::UndefinedObject, message)
        })
    }

    fn is_of_file(&self, on: &Name, name: &str) -> bool {
        let base = self.core.base_access();
        base.secured(on).is_some_and(|secured| secured.policies.iter().any(|policy| policy.name == name))
    }
}

fn refuse_clauses(command: Option<RowCommand>, clauses: &RowClauses) -> Result<()> {
    let message = match command {
        Some(RowCommand::Select | RowCommand::Delete) if clauses.check.is_some() => {
            "WITH CHECK cannot be applied to SELECT or DELETE"
        }
        Some(RowCommand::Insert) if clauses.using.is_some() => "only WITH CHECK expression allowed for INSERT",
        _ => return Ok(()),
    };
    Err(Error::new(SqlState::SyntaxError, message))
}

fn exists(on: &Name, name: &str) -> Error {
    let message = format!("policy \"{name}\" for table \"{}\" already exists", on.name);
    Error::new(SqlState::DuplicateObject, message)
}

pub(super) fn of_roles_file(message: String) -> Error {
    Error::new(SqlState::ObjectNotInPrerequisiteState, message)
        .detail("The roles file declares it.")
        .hint("Change the roles file.")
}
