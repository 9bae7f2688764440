//! `pg_attribute`: the columns of every relation. Conditions on `attrelid` decide which tables are opened.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::attributes;
use super::relation::{Relation, Wanted};
use super::rows::Rows;
use super::view::View;

#[derive(Debug)]
pub(crate) struct PgAttribute;

#[async_trait]
impl Relation for PgAttribute {
    fn name(&self) -> &'static str {
        "pg_attribute"
    }

    fn keys(&self) -> &'static [&'static str] {
        &["attrelid"]
    }

    async fn rows(&self, view: &Arc<View>, wanted: &Wanted) -> Result<RecordBatch> {
        let directory = view.directory();
        let mut candidates = Rows::new(self.columns()?);
        for relation in &directory.relations {
            candidates.push([("attrelid", relation.oid.into())]);
        }
        let wanted = wanted.of(&candidates.finish()?);
        let relations = directory.relations.iter().zip(wanted).filter(|(_, wanted)| *wanted);
        let relations = relations.map(|(relation, _)| relation).collect();

        let mut rows = Rows::new(self.columns()?);
        for (relation, attributes) in attributes::of(view, relations).await {
            for attribute in &attributes {
                rows.push([
                    ("attrelid", relation.oid.into()),
                    ("attname", attribute.name.as_ref().into()),
                    ("atttypid", attribute.of.oid.into()),
                    ("attlen", attribute.of.len.into()),
                    ("attnum", attribute.number.into()),
                    ("attcacheoff", (-1).into()),
                    ("atttypmod", attribute.typmod.into()),
                    ("attndims", i64::from(attribute.of.name.starts_with('_')).into()),
                    ("attbyval", attribute.of.by_value.into()),
                    ("attalign", attribute.of.align.into()),
                    ("attstorage", attribute.of.storage.into()),
                    ("attcompression", "".into()),
                    ("attnotnull", attribute.not_null.into()),
                    ("atthasdef", false.into()),
                    ("atthasmissing", false.into()),
                    ("attidentity", "".into()),
                    ("attgenerated", "".into()),
                    ("attisdropped", false.into()),
                    ("attislocal", true.into()),
                    ("attinhcount", 0.into()),
                    ("attstattarget", (-1).into()),
                    ("attcollation", attribute.of.collation.into()),
                ]);
            }
        }
        rows.finish()
    }
}
