//! `pg_timezone_names`: the zones that `SET TimeZone` knows, with what holds in them now.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use chrono::{Offset, Utc};
use chrono_tz::{OffsetComponents, OffsetName, TZ_VARIANTS};

use super::relation::{Relation, Wanted};
use super::rows::{Cell, Rows};
use super::view::View;

#[derive(Debug)]
pub(crate) struct PgTimezoneNames;

#[async_trait]
impl Relation for PgTimezoneNames {
    fn name(&self) -> &'static str {
        "pg_timezone_names"
    }

    async fn rows(&self, _view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let now = Utc::now();
        let mut rows = Rows::new(self.columns()?);
        for zone in TZ_VARIANTS {
            let local = now.with_timezone(&zone);
            let offset = local.offset();
            rows.push([
                ("name", zone.name().into()),
                ("abbrev", offset.abbreviation().unwrap_or(zone.name()).into()),
                ("utc_offset", Cell::Seconds(offset.fix().local_minus_utc())),
                ("is_dst", (offset.dst_offset().num_seconds() != 0).into()),
            ]);
        }
        rows.finish()
    }
}
