//! `system.sources`: the roots of the lake, and whether SQL may write there.
//!
//! `write_test` is what the test of the store found, which a source must pass before it is written: `passed`, or why not;
//! NULL where the configuration lets nobody write.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::SCHEMA;
use crate::pg_catalog::View;
use crate::pg_catalog::relation::{Relation, Wanted};
use crate::pg_catalog::rows::Rows;

#[derive(Debug)]
pub(crate) struct Sources;

#[async_trait]
impl Relation for Sources {
    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn name(&self) -> &'static str {
        "sources"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        for source in view.snapshot.sources.iter() {
            rows.push([
                ("source", source.root.as_str().into()),
                ("listed_at", source.listed_at().into()),
                ("writable", source.probe.is_writable().into()),
                ("write_test", source.probe.outcome().into()),
            ]);
        }
        rows.finish()
    }
}
