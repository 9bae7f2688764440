//! `information_schema.collations` and `.collation_character_set_applicability`: the collations of `pg_collation`, all of
//! the one encoding.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use async_trait::async_trait;
use datafusion::common::Result;

use super::SCHEMA;
use crate::pg_catalog::dump::PG_COLLATION;
use crate::pg_catalog::relation::{Relation, Wanted};
use crate::pg_catalog::rows::Rows;
use crate::pg_catalog::view::View;

#[derive(Debug)]
pub(crate) struct Collations;

#[async_trait]
impl Relation for Collations {
    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn name(&self) -> &'static str {
        "collations"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        for name in names()? {
            rows.push([
                ("collation_catalog", view.database.as_str().into()),
                ("collation_schema", "pg_catalog".into()),
                ("collation_name", name.as_str().into()),
                ("pad_attribute", "NO PAD".into()),
            ]);
        }
        rows.finish()
    }
}

#[derive(Debug)]
pub(crate) struct Applicability;

#[async_trait]
impl Relation for Applicability {
    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn name(&self) -> &'static str {
        "collation_character_set_applicability"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        for name in names()? {
            rows.push([
                ("collation_catalog", view.database.as_str().into()),
                ("collation_schema", "pg_catalog".into()),
                ("collation_name", name.as_str().into()),
                ("character_set_name", "UTF8".into()),
            ]);
        }
        rows.finish()
    }
}

fn names() -> Result<Vec<String>> {
    let batch = PG_COLLATION.batch()?;
    let names = batch.column_by_name("collname").and_then(|names| names.as_string_opt::<i32>());
    Ok(names.into_iter().flat_map(|names| names.iter().flatten().map(str::to_owned)).collect())
}
