//! `system.matview_lineage`: which versions of which files the rows of each materialized view were made of.
//!
//! `bucket` numbers files whose rows were made together, in views of class `A`. A view is listed once this process has
//! refreshed it, or has looked whether it had to.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::SCHEMA;
use super::matview_status::count;
use crate::pg_catalog::View;
use crate::pg_catalog::relation::{Relation, Wanted};
use crate::pg_catalog::rows::Rows;

#[derive(Debug)]
pub(crate) struct MatviewLineage;

#[async_trait]
impl Relation for MatviewLineage {
    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn name(&self) -> &'static str {
        "matview_lineage"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        let facts = view.server.matviews.get();
        for (fact, lineage) in facts.iter().filter_map(|fact| Some((fact, fact.lineage.as_ref()?))) {
            let buckets = lineage.buckets.iter().zip(0_i64..);
            let buckets: HashMap<&str, i64> =
                buckets.flat_map(|(bucket, at)| bucket.objects.iter().map(move |key| (key.as_str(), at))).collect();
            for (place, source) in lineage.sources.iter().enumerate() {
                for object in &source.objects {
                    let bucket = buckets.get(object.key.as_str()).filter(|_| lineage.driver == Some(place));
                    rows.push([
                        ("schema", (&fact.name.schema).into()),
                        ("name", (&fact.name.name).into()),
                        ("epoch", count(lineage.epoch).into()),
                        ("source_table", (&source.table).into()),
                        ("key", (&object.key).into()),
                        ("version", (&object.version).into()),
                        ("bytes", count(object.bytes).into()),
                        ("bucket", bucket.copied().into()),
                        ("listed_at", lineage.listed_at.into()),
                    ]);
                }
            }
        }
        rows.finish()
    }
}
