//! `pg_settings`: the session's variables.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::relation::{Relation, Wanted};
use super::rows::{Cell, Rows};
use super::view::View;

#[derive(Debug)]
pub(crate) struct PgSettings;

#[async_trait]
impl Relation for PgSettings {
    fn name(&self) -> &'static str {
        "pg_settings"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        for fact in &view.server.settings.get() {
            let words = |words: &Vec<String>| Cell::Texts(words.iter().map(|word| word.clone().into()).collect());
            rows.push([
                ("name", (&fact.name).into()),
                ("setting", (&fact.setting).into()),
                ("unit", fact.unit.as_ref().into()),
                ("category", (&fact.category).into()),
                ("short_desc", (&fact.short_desc).into()),
                ("extra_desc", fact.extra_desc.as_ref().into()),
                ("context", (&fact.context).into()),
                ("vartype", (&fact.vartype).into()),
                ("source", (&fact.source).into()),
                ("min_val", fact.min_val.as_ref().into()),
                ("max_val", fact.max_val.as_ref().into()),
                ("enumvals", fact.enumvals.as_ref().map(words).into()),
                ("boot_val", fact.boot_val.as_ref().into()),
                ("reset_val", fact.reset_val.as_ref().into()),
                ("pending_restart", false.into()),
            ]);
        }
        rows.finish()
    }
}
