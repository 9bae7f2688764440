//! The columns of relations as the catalogs tell them: those of a view are planned as the session sees it.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use catalog::Table;
use catalog::pg_catalog::ColumnSource;

use super::{Core, plan, scope};
use crate::error::Result;
use crate::session::Session;

/// The columns of relations for the catalog, views planned as the session sees them.
pub(super) struct Columns {
    pub(super) core: Arc<Core>,
    pub(super) session: Arc<Session>,
}

impl std::fmt::Debug for Columns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Columns")
    }
}

#[async_trait]
impl ColumnSource for Columns {
    async fn columns(&self, table: &Table) -> Result<SchemaRef, catalog::Error> {
        match scope::view_of(table) {
            None => table.columns().await,
            Some(view) => plan::view_columns(&self.core, &self.session, view)
                .await
                .map_err(|error| catalog::Error::View { view: table.name.clone(), reason: error.to_string() }),
        }
    }
}
