//! `pg_description`: PostgreSQL's remarks on its own objects, and the lake's comments.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use async_trait::async_trait;
use datafusion::common::Result;

use super::dump::DESCRIPTIONS;
use super::relation::{Relation, Wanted};
use super::rows::Rows;
use super::view::View;

/// `pg_class` in `classoid`.
pub(crate) const CLASS: u32 = 1259;
/// `pg_namespace` in `classoid`.
pub(crate) const NAMESPACE: u32 = 2615;

#[derive(Debug)]
pub(crate) struct PgDescription;

#[async_trait]
impl Relation for PgDescription {
    fn name(&self) -> &'static str {
        "pg_description"
    }

    fn is_of_lake(&self) -> bool {
        true
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let directory = view.directory();
        let mut rows = Rows::new(self.columns()?);
        let relations = directory.relations.iter().map(|relation| (relation.oid, CLASS, relation.comment()));
        // PostgreSQL's schemas are in its own rows already.
        let schemas = directory.schemas.iter().filter(|schema| schema.name.as_ref() == "system");
        let schemas = schemas.map(|schema| (schema.oid, NAMESPACE, schema.comment));
        for (object, class, comment) in relations.chain(schemas) {
            if let Some(comment) = comment {
                rows.push([
                    ("objoid", object.into()),
                    ("classoid", class.into()),
                    ("objsubid", 0.into()),
                    ("description", comment.into()),
                ]);
            }
        }
        Ok(concat_batches(&self.columns()?, &[DESCRIPTIONS.batch()?, rows.finish()?])?)
    }
}
