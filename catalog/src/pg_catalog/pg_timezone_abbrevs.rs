//! `pg_timezone_abbrevs`: the abbreviations that texts of moments may have, with what they mean now.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use chrono::Utc;
use datafusion::common::Result;

use super::relation::{Relation, Wanted};
use super::rows::{Cell, Rows};
use super::view::View;

#[derive(Debug)]
pub(crate) struct PgTimezoneAbbrevs;

#[async_trait]
impl Relation for PgTimezoneAbbrevs {
    fn name(&self) -> &'static str {
        "pg_timezone_abbrevs"
    }

    async fn rows(&self, _view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        for (abbrev, east, is_dst) in udfs::pg::abbreviations(Utc::now().timestamp_micros()) {
            rows.push([("abbrev", abbrev.into()), ("utc_offset", Cell::Seconds(east)), ("is_dst", is_dst.into())]);
        }
        rows.finish()
    }
}
