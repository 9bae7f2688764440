//! `pg_stat_all_tables` and its kin: one row for each table, for the database, and for the server.
//!
//! Owns: which relations there are. Must never know: a counter. Nothing is counted, so counters are 0, as in a PostgreSQL
//! whose statistics were just reset; there are no indexes, so theirs are NULL.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::columns;
use super::directory::{DATABASE, RelationEntry, Source};
use super::relation::{Relation, Wanted};
use super::rows::{Cell, Rows};
use super::view::View;

/// A relation with a row for each table.
#[derive(Debug)]
pub(crate) struct Tables {
    name: &'static str,
    which: Which,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    System,
    User,
}

pub(crate) static STAT_ALL: Tables = Tables { name: "pg_stat_all_tables", which: Which::All };
pub(crate) static STAT_SYSTEM: Tables = Tables { name: "pg_stat_sys_tables", which: Which::System };
pub(crate) static STAT_USER: Tables = Tables { name: "pg_stat_user_tables", which: Which::User };
pub(crate) static STAT_XACT_ALL: Tables = Tables { name: "pg_stat_xact_all_tables", which: Which::All };
pub(crate) static STAT_XACT_SYSTEM: Tables = Tables { name: "pg_stat_xact_sys_tables", which: Which::System };
pub(crate) static STAT_XACT_USER: Tables = Tables { name: "pg_stat_xact_user_tables", which: Which::User };
pub(crate) static STATIO_ALL: Tables = Tables { name: "pg_statio_all_tables", which: Which::All };
pub(crate) static STATIO_SYSTEM: Tables = Tables { name: "pg_statio_sys_tables", which: Which::System };
pub(crate) static STATIO_USER: Tables = Tables { name: "pg_statio_user_tables", which: Which::User };

impl Tables {
    fn has(&self, relation: &RelationEntry) -> bool {
        let is_system = matches!(relation.source, Source::Server(_)) && relation.schema.as_ref() != "system";
        let is_wanted = match self.which {
            Which::All => true,
            Which::System => is_system,
            Which::User => !is_system,
        };
        is_wanted && matches!(relation.kind(), "r" | "m")
    }
}

#[async_trait]
impl Relation for Tables {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let Some(def) = columns::find("pg_catalog", self.name) else { return Rows::new(self.columns()?).finish() };
        let mut rows = Rows::new(self.columns()?);
        for relation in view.directory().relations.iter().filter(|relation| self.has(relation)) {
            rows.push_all(def.columns.iter().map(|column| match (column.name, column.type_name) {
                ("relid", _) => relation.oid.into(),
                ("schemaname", _) => relation.schema.as_ref().into(),
                ("relname", _) => relation.name.as_ref().into(),
                (name, "int8") if is_of_index(name) => Cell::Null,
                (_, "int8") => 0.into(),
                _ => Cell::Null,
            }));
        }
        rows.finish()
    }
}

fn is_of_index(name: &str) -> bool {
    name.starts_with("idx_") || name.starts_with("toast_") || name.starts_with("tidx_")
}

/// `pg_stat_database` and `pg_stat_database_conflicts`: the database, and what is shared by all.
#[derive(Debug)]
pub(crate) struct Databases {
    name: &'static str,
    shared: bool,
}

pub(crate) static STAT_DATABASE: Databases = Databases { name: "pg_stat_database", shared: true };
pub(crate) static STAT_CONFLICTS: Databases = Databases { name: "pg_stat_database_conflicts", shared: false };

#[async_trait]
impl Relation for Databases {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let Some(def) = columns::find("pg_catalog", self.name) else { return Rows::new(self.columns()?).finish() };
        let mut rows = Rows::new(self.columns()?);
        let backends = i64::try_from(view.server.activity.get().len()).unwrap_or(i64::MAX);
        let shared = self.shared.then_some((0, None));
        for (oid, name) in shared.into_iter().chain([(DATABASE, Some(view.database.as_str()))]) {
            rows.push_all(def.columns.iter().map(|column| match (column.name, column.type_name) {
                ("datid", _) => oid.into(),
                ("datname", _) => name.into(),
                ("numbackends", _) if name.is_some() => backends.into(),
                ("stats_reset", _) => view.server.started_at.into(),
                (_, "int8") => 0.into(),
                (_, "float8") => Cell::Float(0.0),
                _ => Cell::Null,
            }));
        }
        rows.finish()
    }
}

/// `pg_stat_bgwriter` and its kin: what is counted of the server as a whole.
#[derive(Debug)]
pub(crate) struct Server(&'static str);

pub(crate) static STAT_ARCHIVER: Server = Server("pg_stat_archiver");
pub(crate) static STAT_BGWRITER: Server = Server("pg_stat_bgwriter");
pub(crate) static STAT_WAL: Server = Server("pg_stat_wal");

#[async_trait]
impl Relation for Server {
    fn name(&self) -> &'static str {
        self.0
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let Some(def) = columns::find("pg_catalog", self.0) else { return Rows::new(self.columns()?).finish() };
        let mut rows = Rows::new(self.columns()?);
        rows.push_all(def.columns.iter().map(|column| match (column.name, column.type_name) {
            ("stats_reset", _) => view.server.started_at.into(),
            (_, "int8" | "numeric") => 0.into(),
            (_, "float8") => Cell::Float(0.0),
            _ => Cell::Null,
        }));
        rows.finish()
    }
}
