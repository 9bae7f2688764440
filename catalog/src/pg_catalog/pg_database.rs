//! `pg_database`: the one database.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::directory::{DATABASE, OWNER};
use super::relation::{Relation, Wanted};
use super::rows::Rows;
use super::view::View;

/// Text sorts by its bytes.
pub(crate) const COLLATE: &str = "C";
pub(crate) const CTYPE: &str = "C.UTF-8";
/// `pg_encoding_to_char` calls it UTF8.
const UTF8: i32 = 6;
const DEFAULT_TABLESPACE: u32 = 1663;

#[derive(Debug)]
pub(crate) struct PgDatabase;

#[async_trait]
impl Relation for PgDatabase {
    fn name(&self) -> &'static str {
        "pg_database"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        rows.push([
            ("oid", DATABASE.into()),
            ("datname", view.database.as_str().into()),
            ("datdba", OWNER.into()),
            ("encoding", UTF8.into()),
            ("datlocprovider", "c".into()),
            ("datistemplate", false.into()),
            ("datallowconn", true.into()),
            ("datconnlimit", (-1).into()),
            ("datfrozenxid", 0.into()),
            ("datminmxid", 0.into()),
            ("dattablespace", DEFAULT_TABLESPACE.into()),
            ("datcollate", COLLATE.into()),
            ("datctype", CTYPE.into()),
        ]);
        rows.finish()
    }
}
