//! `pg_rewrite`: the rule that makes a view a view.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::relation::{Relation, Wanted};
use super::rows::Rows;
use super::view::View;

#[derive(Debug)]
pub(crate) struct PgRewrite;

#[async_trait]
impl Relation for PgRewrite {
    fn name(&self) -> &'static str {
        "pg_rewrite"
    }

    fn is_of_lake(&self) -> bool {
        true
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        for relation in view.directory().relations.iter().filter(|relation| matches!(relation.kind(), "v" | "m")) {
            rows.push([
                // Ids are unique within their own relation, and a view has one rule.
                ("oid", relation.oid.into()),
                ("rulename", "_RETURN".into()),
                ("ev_class", relation.oid.into()),
                ("ev_type", "1".into()),
                ("ev_enabled", "O".into()),
                ("is_instead", true.into()),
                ("ev_qual", "<>".into()),
                ("ev_action", "<>".into()),
            ]);
        }
        rows.finish()
    }
}
