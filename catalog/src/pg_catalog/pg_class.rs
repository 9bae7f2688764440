//! `pg_class`: every relation of the server and of the lake. It opens no file, so it does not count columns of tables.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::acl::Lists;
use super::directory::{OWNER, RelationEntry, Source};
use super::pg_policy;
use super::relation::{Relation, Wanted};
use super::rows::Rows;
use super::view::View;

/// `pg_am.oid` of `heap`, which clients expect of a table.
const HEAP: u32 = 2;

#[derive(Debug)]
pub(crate) struct PgClass;

#[async_trait]
impl Relation for PgClass {
    fn name(&self) -> &'static str {
        "pg_class"
    }

    fn is_of_lake(&self) -> bool {
        true
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        let lists = Lists::new(view);
        for relation in &view.directory().relations {
            let is_view = relation.kind() == "v";
            let security = pg_policy::security(view.access(), relation);
            rows.push([
                ("oid", relation.oid.into()),
                ("relname", relation.name.as_ref().into()),
                ("relnamespace", relation.schema_oid.into()),
                ("reltype", relation.row_type.into()),
                ("reloftype", 0.into()),
                ("relowner", OWNER.into()),
                ("relam", if is_view { 0 } else { HEAP }.into()),
                ("relfilenode", if is_view { 0 } else { relation.oid }.into()),
                ("reltablespace", 0.into()),
                ("relpages", 0.into()),
                ("reltuples", (-1).into()),
                ("relallvisible", 0.into()),
                ("reltoastrelid", 0.into()),
                ("relhasindex", false.into()),
                ("relisshared", false.into()),
                ("relpersistence", "p".into()),
                ("relkind", relation.kind().into()),
                ("relnatts", width(relation).into()),
                ("relchecks", 0.into()),
                ("relhasrules", (is_view || relation.kind() == "m").into()),
                ("relhastriggers", false.into()),
                ("relhassubclass", false.into()),
                ("relrowsecurity", security.is_enabled.into()),
                ("relforcerowsecurity", security.is_forced.into()),
                ("relispopulated", relation.is_populated().into()),
                ("relreplident", if is_view { "n" } else { "d" }.into()),
                ("relispartition", false.into()),
                ("relrewrite", 0.into()),
                ("relfrozenxid", 0.into()),
                ("relminmxid", 0.into()),
                ("relacl", lists.of_relation(relation)),
            ]);
        }
        rows.finish()
    }
}

/// The number of columns where it is known without opening a file, else 0.
fn width(relation: &RelationEntry) -> i64 {
    match &relation.source {
        Source::Server(def) => i64::try_from(def.columns.len()).unwrap_or_default(),
        Source::Lake(_) => 0,
    }
}
