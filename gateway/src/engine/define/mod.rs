//! CREATE, ALTER, DROP, COMMENT ON, GRANT and REVOKE, POLICY and MASK among them: what SQL defines of the lake.
//!
//! Owns: who may define, and when others see it: at once, or at the COMMIT of a block. Must never know: how definitions are
//! kept, or how a wire tells of them.

mod comment;
mod create;
mod drop;
mod grant;
mod mask;
mod matview;
mod options;
mod policy;
mod rename;
mod stream;
mod target;

pub(super) use matview::wrong;
pub(super) use target::{already_exists, kind, name_of};

use std::sync::Arc;

use catalog::{Name, Script, Table};
use sqlparser::ast::{AlterTable, AlterTableOperation, AlterTableType, ObjectType, Statement as Ast};

use super::scope::Scope;
use super::{Core, Statement, Tag};
use crate::error::{Error, Result, SqlState};
use crate::session::{Notice, Session, SessionEffect};

/// How often a change is made anew because another came first.
const TRIES: usize = 8;

/// The command tag of a statement that defines; `None` of another.
pub(super) fn command(statement: &Ast) -> Option<&'static str> {
    Some(match statement {
        Ast::CreateView(create) if !create.materialized => "CREATE VIEW",
        Ast::CreateTable(create) if create.external && create.dynamic => "CREATE STREAM",
        Ast::CreateTable(create) if create.external => "CREATE TABLE",
        Ast::CreateSchema { .. } => "CREATE SCHEMA",
        Ast::Drop { object_type: ObjectType::Table, .. } => "DROP TABLE",
        Ast::Drop { object_type: ObjectType::View, .. } => "DROP VIEW",
        Ast::Drop { object_type: ObjectType::MaterializedView, .. } => "DROP MATERIALIZED VIEW",
        Ast::Drop { object_type: ObjectType::Schema, .. } => "DROP SCHEMA",
        Ast::Drop { object_type: ObjectType::Stream, .. } => "DROP STREAM",
        Ast::CreatePolicy(_) => "CREATE POLICY",
        Ast::AlterPolicy(_) => "ALTER POLICY",
        Ast::DropPolicy(_) => "DROP POLICY",
        Ast::AlterTable(alter) if policy::is_of_rows(alter) => "ALTER TABLE",
        Ast::AlterTable(alter) if mask::command(alter).is_some() => return mask::command(alter),
        Ast::AlterTable(alter) => match alter.operations.as_slice() {
            [AlterTableOperation::RenameTable { .. }] => "ALTER TABLE",
            [AlterTableOperation::SetOptionsParens { .. }] if is_external(alter) => "ALTER TABLE",
            [AlterTableOperation::SetOptionsParens { .. }] if is_kept(alter) => "ALTER MATERIALIZED VIEW",
            [AlterTableOperation::Suspend | AlterTableOperation::Resume] if is_kept(alter) => "ALTER STREAM",
            _ => return None,
        },
        Ast::Grant(_) => "GRANT",
        Ast::Revoke(_) => "REVOKE",
        Ast::Comment { object_type, .. } if comment::is_known(*object_type) => "COMMENT",
        _ => return None,
    })
}

/// Whether it changes what an external table alone has.
fn is_external(alter: &AlterTable) -> bool {
    alter.table_type == Some(AlterTableType::External)
}

/// Whether it changes what a materialized view or a stream alone has.
fn is_kept(alter: &AlterTable) -> bool {
    alter.table_type == Some(AlterTableType::Dynamic)
}

/// One statement that changes what is defined.
struct Change {
    core: Arc<Core>,
    session: Arc<Session>,
    statement: Statement,
    /// What is defined before it.
    scope: Scope,
    /// What is defined after it.
    script: Script,
    notices: Vec<Notice>,
    /// A table whose files the lake may not have yet.
    created: Option<Name>,
    /// Tables that go with their files.
    removed: Vec<Arc<Table>>,
    /// A materialized view whose rows are to be made.
    unmade: Option<Name>,
}

/// What was defined.
pub(super) struct Defined {
    pub(super) tag: Tag,
    /// A materialized view whose rows are to be made.
    pub(super) unmade: Option<Name>,
}

/// Carries a statement out, on a planner's thread. Outside a block it is kept and seen by everybody before it ends; inside one its own session
/// sees it, and others see all changes of the block or none.
pub(super) async fn carry_out(
    core: Arc<Core>,
    session: Arc<Session>,
    statement: Statement,
    command: &'static str,
) -> Result<Defined> {
    // ALTER VIEW is an AST of its own words.
    let is_of_view = statement.text.split_whitespace().nth(1).is_some_and(|word| word.eq_ignore_ascii_case("view"));
    let command = if command == "ALTER TABLE" && is_of_view { "ALTER VIEW" } else { command };
    let is_of_files = command == "DROP TABLE" && core.lake.is_writable();
    allow(&core, &session, command, is_of_files)?;
    for _ in 0..TRIES {
        let scope = core.scope(&session, &statement.message);
        let script = Script::clone(&scope.snapshot.script);
        let (core, session, statement) = (Arc::clone(&core), Arc::clone(&session), statement.clone());
        let (notices, created, removed, unmade) = Default::default();
        let mut change = Change { core, session, statement, scope, script, notices, created, removed, unmade };
        change.make(command).await?;
        let unmade = change.unmade.clone();
        if change.keep().await? {
            return Ok(Defined { tag: Tag::command(command), unmade });
        }
    }
    Err(conflict())
}

/// Takes a materialized view away again whose rows could not be made.
pub(super) async fn undo(core: &Arc<Core>, session: &Session, name: &Name) -> Result<()> {
    for _ in 0..TRIES {
        let snapshot = core.lake.snapshot();
        let mut script = Script::clone(&snapshot.script);
        script.drop(&name.schema, &name.name);
        script.version += 1;
        if core.lake.define(script, session.user()).await? {
            return match snapshot.named(name).filter(|table| matches!(table.kind, catalog::Kind::Lake(_))) {
                Some(table) => Ok(core.lake.drop_table(table).await?),
                None => Ok(()),
            };
        }
    }
    Err(conflict())
}

/// Keeps what a block has defined, before the block ends.
pub(super) async fn commit(core: &Arc<Core>, session: &Session) -> Result<()> {
    let defined = session.transaction().defined.take();
    let Some(snapshot) = defined else { return Ok(()) };
    match core.lake.define(Script::clone(&snapshot.script), session.user()).await? {
        true => Ok(()),
        false => Err(conflict()),
    }
}

fn conflict() -> Error {
    Error::new(SqlState::SerializationFailure, "could not serialize access due to concurrent update")
        .detail("Another session has defined something since.")
        .hint("The transaction might succeed if retried.")
}

/// Tables of files can be dropped by who can make them.
fn allow(core: &Core, session: &Session, command: &str, is_of_files: bool) -> Result<()> {
    session.refuse_read_only(command)?;
    if is_of_files { Ok(()) } else { may_define(core, session) }
}

pub(super) fn may_define(core: &Core, session: &Session) -> Result<()> {
    if !core.is_superuser(session) {
        return Err(Error::new(SqlState::InsufficientPrivilege, "permission denied to define tables and views")
            .detail("Only superusers may change what is defined."));
    }
    Ok(())
}

impl Change {
    async fn make(&mut self, command: &str) -> Result<()> {
        match Arc::clone(&self.statement.ast).as_ref() {
            Ast::CreateView(create) if create.materialized => self.create_matview(create).await,
            Ast::CreateView(create) => self.create_view(create).await,
            Ast::CreateTable(create) if create.dynamic => self.create_stream(create).await,
            Ast::CreateTable(create) => self.create_table(create),
            Ast::CreateSchema { schema_name, if_not_exists, .. } => self.create_schema(schema_name, *if_not_exists),
            Ast::Drop { object_type: ObjectType::Schema, names, if_exists, cascade, .. } => {
                names.iter().try_for_each(|name| self.drop_schema(name, *if_exists, *cascade))
            }
            Ast::Drop { object_type: ObjectType::Stream, names, if_exists, .. } => {
                names.iter().try_for_each(|name| self.drop_stream(name, *if_exists))
            }
            Ast::Drop { object_type, names, if_exists, cascade, .. } => {
                self.drop(*object_type, names, *if_exists, *cascade)
            }
            Ast::Grant(_) | Ast::Revoke(_) => self.grant().await,
            Ast::CreatePolicy(_) => self.create_policy().await,
            Ast::AlterPolicy(alter) => self.alter_policy(&alter.operation).await,
            Ast::DropPolicy(drop) => self.drop_policy(drop),
            Ast::AlterTable(alter) if policy::is_of_rows(alter) => self.switch_rows(alter),
            Ast::AlterTable(alter) if mask::command(alter).is_some() => self.change_mask(alter).await,
            Ast::AlterTable(alter) if is_external(alter) => self.change_options(alter),
            Ast::AlterTable(alter) if command == "ALTER STREAM" => self.alter_stream(alter),
            Ast::AlterTable(alter) if is_kept(alter) => self.alter_matview(alter),
            Ast::AlterTable(alter) => self.rename(alter, command == "ALTER VIEW"),
            Ast::Comment { object_type, object_name, comment, .. } => {
                self.comment(*object_type, object_name, comment.clone()).await
            }
            other => Err(Error::internal(format!("not a definition: {other}"))),
        }
    }

    /// `false` if another change came first.
    async fn keep(mut self) -> Result<bool> {
        if self.script != *self.scope.snapshot.script {
            let is_in_block = self.session.transaction().is_in_block();
            let is_first_of_block = self.session.transaction().defined.is_none();
            if !is_in_block || is_first_of_block {
                self.script.version += 1;
            }
            let lake = &self.core.lake;
            if is_in_block && self.session.transaction().written.is_some() {
                return Err(Error::unsupported("a transaction block cannot both define and write")
                    .hint("Commit first, or let each statement be a transaction of its own (autocommit)."));
            }
            let snapshot = if is_in_block {
                let snapshot = lake.preview(self.script).await;
                self.session.transaction().defined = Some(Arc::clone(&snapshot));
                snapshot
            } else if lake.define(self.script, self.session.user()).await? {
                lake.snapshot()
            } else {
                return Ok(false);
            };
            if let Some(name) = self.created.filter(|name| snapshot.named(name).is_none()) {
                let message = format!("table \"{}\" has no files yet", name.name);
                self.notices.push(Notice::warning(SqlState::Warning, message));
            }
        }
        for table in self.removed {
            self.core.lake.drop_table(&table).await?;
            if table.matview.is_some() {
                let name = target::name_of(&table);
                self.core.lake.forget_matview(&name).await;
                self.core.matviews.forget(&name);
            }
        }
        for notice in self.notices {
            self.session.push_effect(SessionEffect::Notice(notice))?;
        }
        Ok(true)
    }
}
