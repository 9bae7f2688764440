//! ALTER TABLE ... ADD COLUMN. <https://www.postgresql.org/docs/16/sql-altertable.html>

use catalog::{Column, Target};
use sqlparser::ast::{AlterTable, AlterTableOperation, ColumnDef, ObjectName};

use super::block::{Lease, refused};
use super::{Asked, Write};
use crate::engine::run::Run;
use crate::engine::{Prepared, Tag};
use crate::error::{Error, Result, SqlState};
use crate::session::{Notice, SessionEffect};

pub(in crate::engine) struct Alter {
    pub(super) target: Target,
    columns: Vec<Column>,
    /// What is told of columns that are there already.
    notices: Vec<String>,
}

/// Whether a statement only adds columns.
pub(super) fn adds_columns(alter: &AlterTable) -> bool {
    let is_add = |operation: &AlterTableOperation| matches!(operation, AlterTableOperation::AddColumn { .. });
    alter.table_type.is_none() && !alter.operations.is_empty() && alter.operations.iter().all(is_add)
}

pub(super) async fn prepare(asked: Asked, alter: &AlterTable) -> Result<Prepared> {
    let name: &ObjectName = &alter.name;
    let target = asked.target(name, "alter").await?;
    let mut wanted: Vec<ColumnDef> = Vec::new();
    let mut notices = Vec::new();
    for operation in &alter.operations {
        let AlterTableOperation::AddColumn { if_not_exists, column_def, column_position: None, .. } = operation else {
            return Err(Error::unsupported("ALTER TABLE ... ADD COLUMN takes no position"));
        };
        let column = crate::session::fold(&column_def.name);
        if target.columns.iter().any(|known| known.name().eq_ignore_ascii_case(&column)) {
            let message = format!("column \"{column}\" of relation \"{}\" already exists", target.name.name);
            if !if_not_exists {
                return Err(asked.at_ident(Error::new(SqlState::DuplicateColumn, message), &column_def.name));
            }
            notices.push(format!("{message}, skipping"));
            continue;
        }
        wanted.push(column_def.clone());
    }
    let columns = if wanted.is_empty() { Vec::new() } else { asked.declared(&wanted).await? };
    if let Some(column) = columns.iter().find(|column| !column.field.is_nullable() && target.files() > 0) {
        let (column, table) = (column.name(), &target.name.name);
        let message = format!("column \"{column}\" of relation \"{table}\" contains null values");
        return Err(Error::new(SqlState::NotNullViolation, message));
    }
    Ok(Prepared::write(asked.statement, Write::Alter(Alter { target, columns, notices })))
}

pub(super) async fn run(run: Run<'_>, alter: &Alter) -> Result<Tag> {
    for notice in &alter.notices {
        let notice = Notice::note(SqlState::DuplicateColumn, notice.clone());
        run.session.push_effect(SessionEffect::Notice(notice))?;
    }
    if run.session.transaction().written.is_some() {
        return Err(refused("cannot alter a table after writing to it in the same transaction"));
    }
    let mut lease = Lease::take(run.session, &alter.target, "ADD COLUMNS")?;
    lease.block()?.change().add_columns(&alter.columns)?;
    lease.end(run.core, run.guard).await?;
    Ok(Tag::command("ALTER TABLE"))
}
