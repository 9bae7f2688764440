//! `pg_prepared_statements` and `pg_cursors`: what the session has under names.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::relation::{Relation, Wanted};
use super::rows::{Cell, Rows};
use super::view::View;

#[derive(Debug)]
pub(crate) struct PgPreparedStatements;

#[async_trait]
impl Relation for PgPreparedStatements {
    fn name(&self) -> &'static str {
        "pg_prepared_statements"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        for fact in view.server.prepared.get() {
            let oids = |oids: &[u32]| Cell::Ints(oids.iter().map(|oid| i64::from(*oid)).collect());
            rows.push([
                ("name", (&fact.name).into()),
                ("statement", (&fact.statement).into()),
                ("prepare_time", fact.prepared_at.into()),
                ("parameter_types", oids(&fact.parameter_types)),
                ("result_types", fact.result_types.as_deref().map(oids).unwrap_or(Cell::Null)),
                ("from_sql", fact.from_sql.into()),
                ("generic_plans", 0.into()),
                ("custom_plans", 0.into()),
            ]);
        }
        rows.finish()
    }
}

#[derive(Debug)]
pub(crate) struct PgCursors;

#[async_trait]
impl Relation for PgCursors {
    fn name(&self) -> &'static str {
        "pg_cursors"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        for fact in view.server.cursors.get() {
            rows.push([
                ("name", (&fact.name).into()),
                ("statement", (&fact.statement).into()),
                ("is_holdable", fact.is_holdable.into()),
                ("is_binary", fact.is_binary.into()),
                ("is_scrollable", fact.is_scrollable.into()),
                ("creation_time", fact.declared_at.into()),
            ]);
        }
        rows.finish()
    }
}
