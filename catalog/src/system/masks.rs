//! `system.masks`: the column masks of the tables that are there, and through which of them the reader sees.
//!
//! Whom a mask of a table binds is not told the expressions of that table: one may have a secret in it, as a salt.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::SCHEMA;
use crate::access::Grantee;
use crate::pg_catalog::View;
use crate::pg_catalog::relation::{Relation, Wanted};
use crate::pg_catalog::rows::{Cell, Rows};

#[derive(Debug)]
pub(crate) struct Masks;

#[async_trait]
impl Relation for Masks {
    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn name(&self) -> &'static str {
        "masks"
    }

    fn tells_values(&self) -> bool {
        false
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        let access = view.access();
        let secured = access.all_secured().filter(|(name, _)| view.snapshot.named(name).is_some());
        let mut all: Vec<_> = secured.flat_map(|(_, secured)| &secured.masks).collect();
        all.sort_by(|one, two| (&one.on, &one.column, &one.name).cmp(&(&two.on, &two.column, &two.name)));
        for mask in all {
            let roles = mask.to.iter().map(|to| match to {
                Grantee::Public => "public".into(),
                Grantee::Role(role) => role.as_str().into(),
            });
            let active = access.masks(&view.user, &mask.on);
            rows.push([
                ("schema", (&mask.on.schema).into()),
                ("table", (&mask.on.name).into()),
                ("column_name", (&mask.column).into()),
                ("mask", (&mask.name).into()),
                ("roles", Cell::Texts(roles.collect())),
                ("expression", active.is_empty().then_some(mask.using.as_str()).into()),
                ("active", active.contains(&mask).into()),
            ]);
        }
        rows.finish()
    }
}
