//! What one statement sees of the server when it reads the catalogs.
//!
//! Owns: the facts that rows are made of. Must never know: where a session or a socket keeps them.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::column_comments::ColumnComments;
use super::directory::{Directory, RelationEntry};
use crate::access::{Access, Held, Privilege, Privileges};
use crate::definition::Name;
use crate::matview::{Attempt, Lineage, Progress};
use crate::snapshot::{Snapshot, Table};
use crate::stream::StreamFact;

/// What one statement sees: one snapshot of the lake and the facts of its own session.
pub struct View {
    pub snapshot: Arc<Snapshot>,
    pub database: String,
    pub user: String,
    /// The effective path, with `"$user"` replaced and without schemas that do not exist.
    pub search_path: Vec<String>,
    pub server: Arc<ServerFacts>,
    pub columns: Arc<dyn ColumnSource>,
    pub column_comments: ColumnComments,
}

impl View {
    /// The OID of the type that the rows of a relation have.
    pub fn row_type(&self, schema: &str, name: &str) -> Option<u32> {
        let directory = self.directory();
        directory.named(schema, name).map(|relation| relation.row_type).filter(|oid| *oid != 0)
    }

    /// The OID of a relation by its exact name.
    pub fn relation(&self, schema: &str, name: &str) -> Option<u32> {
        self.directory().named(schema, name).map(|relation| relation.oid)
    }

    pub(crate) fn access(&self) -> &Access {
        &self.server.access
    }

    /// What the user holds on a relation. Those of the server itself may be read by everybody.
    pub(crate) fn held(&self, relation: &RelationEntry) -> Held {
        match relation.table() {
            None => Held { all: Privileges::NONE.with(Privilege::Select), ..Held::default() },
            Some(table) => {
                let name = Name { schema: table.schema.clone(), name: table.name.clone() };
                self.access().on_relation(Some(&self.user), &name)
            }
        }
    }

    /// Whether the user holds anything on a relation.
    pub(crate) fn holds_any(&self, relation: &RelationEntry) -> bool {
        let held = self.held(relation);
        !held.all.is_empty() || !held.columns.is_empty()
    }

    /// Every schema and relation of the snapshot, and their OIDs.
    pub(crate) fn directory(&self) -> Arc<Directory> {
        Directory::of(&self.snapshot)
    }
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View").field("database", &self.database).field("user", &self.user).finish_non_exhaustive()
    }
}

/// Tells the columns of a table; the engine implements it, because a view must be planned first.
#[async_trait]
pub trait ColumnSource: Send + Sync {
    async fn columns(&self, table: &Table) -> Result<SchemaRef, crate::Error>;
}

/// What the catalogs tell about the server itself.
#[derive(Debug, Clone)]
pub struct ServerFacts {
    pub roles: Vec<RoleFact>,
    pub access: Arc<Access>,
    pub settings: Lazily<Vec<SettingFact>>,
    pub activity: Lazily<Vec<ActivityFact>>,
    pub prepared: Lazily<Vec<PreparedFact>>,
    pub cursors: Lazily<Vec<CursorFact>>,
    pub matviews: Lazily<Vec<MatviewFact>>,
    pub streams: Lazily<Vec<StreamFact>>,
    pub queries: Lazily<Vec<QueryFact>>,
    pub started_at: DateTime<Utc>,
}

/// What is found out when a relation asks for it: most statements ask for nothing.
pub struct Lazily<T>(Arc<dyn Fn() -> T + Send + Sync>);

impl<T> Lazily<T> {
    pub fn new(find: impl Fn() -> T + Send + Sync + 'static) -> Self {
        Self(Arc::new(find))
    }

    pub fn get(&self) -> T {
        (self.0)()
    }
}

impl<T> Clone for Lazily<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> std::fmt::Debug for Lazily<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lazily")
    }
}

#[derive(Debug, Clone)]
pub struct RoleFact {
    pub name: String,
    pub superuser: bool,
    pub login: bool,
    /// -1 is no limit.
    pub connection_limit: i32,
    pub member_of: Vec<String>,
}

/// A row of `pg_settings`.
#[derive(Debug, Clone, Default)]
pub struct SettingFact {
    pub name: String,
    pub setting: String,
    pub unit: Option<String>,
    pub category: String,
    pub short_desc: String,
    pub extra_desc: Option<String>,
    pub context: String,
    pub vartype: String,
    pub source: String,
    pub min_val: Option<String>,
    pub max_val: Option<String>,
    pub enumvals: Option<Vec<String>>,
    pub boot_val: Option<String>,
    pub reset_val: Option<String>,
}

/// A row of `pg_stat_activity`.
#[derive(Debug, Clone, Default)]
pub struct ActivityFact {
    pub pid: i32,
    pub database: String,
    pub user: String,
    pub application_name: String,
    pub client_addr: Option<String>,
    pub client_port: Option<i32>,
    pub backend_start: Option<DateTime<Utc>>,
    pub xact_start: Option<DateTime<Utc>>,
    pub query_start: Option<DateTime<Utc>>,
    pub state_change: Option<DateTime<Utc>>,
    pub wait_event_type: Option<String>,
    pub wait_event: Option<String>,
    pub state: Option<String>,
    pub query: String,
    pub backend_type: Option<String>,
}

/// A row of `system.queries`.
#[derive(Debug, Clone, Default)]
pub struct QueryFact {
    pub id: i64,
    pub pid: i32,
    pub role: String,
    pub protocol: String,
    pub application_name: String,
    /// `None` if it is not the viewer's, as that of `query`.
    pub client_addr: Option<String>,
    pub query: Option<String>,
    pub state: String,
    pub started_at: Option<DateTime<Utc>>,
    /// `None` while it runs.
    pub ended_at: Option<DateTime<Utc>>,
    pub duration_us: i64,
    pub rows: i64,
    pub bytes_sent: i64,
    pub bytes_read: i64,
    pub files_scanned: i64,
    pub files_pruned: i64,
    pub cache_hits: i64,
    pub sqlstate: Option<String>,
}

/// What this process knows of a materialized view beside its definition.
#[derive(Debug, Clone)]
pub struct MatviewFact {
    pub name: Name,
    /// The newest last.
    pub attempts: Vec<Attempt>,
    /// What its rows are made of, if this process has made them or has looked.
    pub lineage: Option<Arc<Lineage>>,
    /// The refresh that runs here.
    pub running: Option<Arc<Progress>>,
    /// Jobs that failed since the last that did not.
    pub failures: u32,
    /// When jobs try again.
    pub not_before: Option<DateTime<Utc>>,
}

/// A row of `pg_prepared_statements`.
#[derive(Debug, Clone, Default)]
pub struct PreparedFact {
    pub name: String,
    pub statement: String,
    pub prepared_at: Option<DateTime<Utc>>,
    /// Of `pg_type`.
    pub parameter_types: Vec<u32>,
    /// `None` for a statement without rows.
    pub result_types: Option<Vec<u32>>,
    pub from_sql: bool,
}

/// A row of `pg_cursors`.
#[derive(Debug, Clone, Default)]
pub struct CursorFact {
    pub name: String,
    pub statement: String,
    pub is_holdable: bool,
    pub is_binary: bool,
    pub is_scrollable: bool,
    pub declared_at: Option<DateTime<Utc>>,
}
