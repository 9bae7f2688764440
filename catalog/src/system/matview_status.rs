//! `system.matview_status`: the materialized views, how each is kept, and how it stands.
//!
//! `max_staleness` is how old its rows may be for a query, if that is limited, and `on_stale` what is answered beyond it.
//! `staleness` is how long ago the lake was listed for the rows that it has, or for the last look that found nothing changed;
//! `class` is how the last refresh made them: `A` row by row, of files that came or changed; `P` by partitions; `F` all of them, for
//! which `full_reason` says why. `failures` counts jobs that failed since the last that did not, and `not_before` is when they
//! try again. What refreshes did is known since this process has begun, and before it of the last hundred that made rows.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use chrono::Utc;
use datafusion::common::Result;

use super::{SCHEMA, manifest};
use crate::definition::Name;
use crate::matview::{Attempt, Outcome};
use crate::pg_catalog::View;
use crate::pg_catalog::relation::{Relation, Wanted};
use crate::pg_catalog::rows::{Cell, Rows};
use crate::snapshot::Kind;

#[derive(Debug)]
pub(crate) struct MatviewStatus;

#[async_trait]
impl Relation for MatviewStatus {
    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn name(&self) -> &'static str {
        "matview_status"
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let (mut rows, now, facts) = (Rows::new(self.columns()?), Utc::now(), view.server.matviews.get());
        for table in view.snapshot.tables() {
            let Some(matview) = &table.matview else { continue };
            let name = Name { schema: table.schema.clone(), name: table.name.clone() };
            let fact = facts.iter().find(|fact| fact.name == name);
            let attempts = fact.map(|fact| fact.attempts.as_slice()).unwrap_or_default();
            let last = attempts.last();
            let good = attempts.iter().rev().find(|attempt| attempt.outcome != Outcome::Failed);
            let made = attempts.iter().rev().find(|attempt| attempt.outcome == Outcome::Refreshed);
            let failed = last.filter(|last| last.outcome == Outcome::Failed);
            // What another server has done is in the log of the table.
            let listed = table.refreshed().and_then(|refreshed| refreshed.listed_at);
            let as_of = good.map(|good| good.started_at).max(listed);
            let staleness = as_of.map(|as_of| now.signed_duration_since(as_of).num_seconds().max(0));
            let max_staleness = matview.options.max_staleness.and_then(|span| i32::try_from(span.as_secs()).ok());
            let is_populated = matches!(table.kind, Kind::Lake(_));
            let partition_by = matview.options.partition_by.join(", ");
            let bytes: i64 =
                manifest::files(table).iter().map(|file| i64::try_from(file.bytes).unwrap_or(i64::MAX)).sum();
            rows.push([
                ("schema", (&table.schema).into()),
                ("name", (&table.name).into()),
                ("is_populated", is_populated.into()),
                ("refresh", matview.options.refresh.text().into()),
                ("refresh_policy", matview.options.policy.text().into()),
                ("is_suspended", matview.options.is_suspended.into()),
                ("partition_by", Some(partition_by).filter(|names| !names.is_empty()).into()),
                ("max_staleness", max_staleness.map_or(Cell::Null, Cell::Seconds)),
                ("on_stale", matview.options.on_stale.text().into()),
                ("class", made.and_then(|made| made.class.clone()).into()),
                ("full_reason", made.and_then(|made| made.reason.clone()).into()),
                ("epoch", made.and_then(|made| count(made.epoch)).into()),
                ("version", made.and_then(|made| made.version).and_then(count).into()),
                ("bytes", is_populated.then_some(bytes).into()),
                ("last_success", good.map(|good| good.ended_at).into()),
                ("last_attempt", last.map(|last| last.ended_at).into()),
                (
                    "staleness",
                    staleness.and_then(|staleness| i32::try_from(staleness).ok()).map_or(Cell::Null, Cell::Seconds),
                ),
                ("running_since", fact.and_then(|fact| fact.running.as_ref()).map(|running| running.started_at).into()),
                ("failures", i64::from(fact.map_or(0, |fact| fact.failures)).into()),
                ("not_before", fact.and_then(|fact| fact.not_before).into()),
                ("last_error", failed.and_then(|failed: &Attempt| failed.reason.clone()).into()),
            ]);
        }
        rows.finish()
    }
}

pub(super) fn count(count: u64) -> Option<i64> {
    i64::try_from(count).ok()
}
