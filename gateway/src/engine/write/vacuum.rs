//! VACUUM: files that nobody needs any more are deleted. <https://www.postgresql.org/docs/16/sql-vacuum.html>

use std::sync::Arc;

use catalog::{Kind, Name, Privilege, Table, Vacuumed};
use sqlparser::ast::VacuumStatement;

use super::{Asked, Write};
use crate::engine::define::name_of;
use crate::engine::matview::size;
use crate::engine::run::Run;
use crate::engine::scope::Found;
use crate::engine::{Prepared, Tag};
use crate::error::{Error, Result, SqlState};
use crate::session::{Notice, SessionEffect};

pub(in crate::engine) struct Vacuum {
    pub(super) tables: Vec<Name>,
}

pub(super) fn prepare(asked: Asked, vacuum: &VacuumStatement) -> Result<Prepared> {
    let VacuumStatement { full: _, sort_only, delete_only, reindex, recluster, table_name, threshold, boost } = vacuum;
    if *sort_only || *delete_only || *reindex || *recluster || threshold.is_some() || *boost {
        return Err(Error::new(SqlState::SyntaxError, "VACUUM takes the name of a table only"));
    }
    let scope = asked.scope();
    let tables = match table_name {
        // Who refreshes a view writes its table, and the files of earlier refreshes are in it.
        Some(name) => match scope.find(name) {
            Some(Found::Lake(table)) if table.matview.is_some() && matches!(table.kind, Kind::Lake(_)) => vec![table],
            _ => vec![asked.table(&scope, name, "vacuum").map_err(|error| asked.at(error, name))?],
        },
        None if !asked.core.lake.is_writable() => {
            let message = "cannot execute VACUUM: every source of the lake is read-only";
            return Err(Error::new(SqlState::ReadOnlySqlTransaction, message));
        }
        None => {
            let rights = scope.rights();
            let is_meant =
                |table: &&Arc<Table>| table.is_writable() && rights.has(&name_of(table), Privilege::Maintain);
            scope.snapshot.tables().filter(is_meant).cloned().collect()
        }
    };
    let tables = tables.iter().map(|table| Name { schema: table.schema.clone(), name: table.name.clone() }).collect();
    Ok(Prepared::write(asked.statement, Write::Vacuum(Vacuum { tables })))
}

pub(super) async fn run(run: Run<'_>, vacuum: &Vacuum) -> Result<Tag> {
    if run.session.transaction().is_in_block() {
        let message = "VACUUM cannot run inside a transaction block";
        return Err(Error::new(SqlState::ActiveSqlTransaction, message));
    }
    let mut deleted = Vacuumed::default();
    for table in &vacuum.tables {
        let Vacuumed { files, bytes } = run.core.lake.vacuum(table).await?;
        deleted = Vacuumed { files: deleted.files + files, bytes: deleted.bytes + bytes };
    }
    if deleted.files > 0 {
        let message = format!("{} files deleted, {}", deleted.files, size(deleted.bytes));
        run.session.push_effect(SessionEffect::Notice(Notice::note(SqlState::SuccessfulCompletion, message)))?;
    }
    Ok(Tag::command("VACUUM"))
}
