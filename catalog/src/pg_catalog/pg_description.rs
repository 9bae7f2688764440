//! `pg_description`: PostgreSQL's remarks on its own objects, and the lake's comments.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use async_trait::async_trait;
use datafusion::common::Result;

use super::column_comments;
use super::directory::DATABASE;
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
        let relations = directory.relations.iter().map(|it| (it.oid, CLASS, 0, it.comment.as_deref()));
        // PostgreSQL's schemas are in its own rows already.
        let schemas =
            directory.schemas.iter().filter(|schema| schema.oid > DATABASE || schema.name.as_ref() == "system");
        let schemas = schemas.map(|it| (it.oid, NAMESPACE, 0, it.comment.as_deref()));
        let columns = column_comments::all(view).await;
        let columns =
            columns.iter().map(|((oid, number), comment)| (*oid, CLASS, i32::from(*number), Some(comment.as_str())));
        for (object, class, part, comment) in relations.chain(schemas).chain(columns) {
            if let Some(comment) = comment {
                rows.push([
                    ("objoid", object.into()),
                    ("classoid", class.into()),
                    ("objsubid", part.into()),
                    ("description", comment.into()),
                ]);
            }
        }
        Ok(concat_batches(&self.columns()?, &[DESCRIPTIONS.batch()?, rows.finish()?])?)
    }
}
