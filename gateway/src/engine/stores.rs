//! The object stores that plans may read: those of the configured sources, and no other.
//!
//! DataFusion's own registry opens `file://` for anybody who names it; this one has no such door.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::object_store::ObjectStoreRegistry;
use object_store::ObjectStore;
use url::Url;

use crate::error::{Error, SqlState};

#[derive(Debug)]
pub(crate) struct FixedStores(HashMap<String, Arc<dyn ObjectStore>>);

impl FixedStores {
    pub(crate) fn new(stores: Vec<(Url, Arc<dyn ObjectStore>)>) -> Self {
        Self(stores.into_iter().map(|(url, store)| (key(&url), store)).collect())
    }
}

fn key(url: &Url) -> String {
    format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default())
}

impl ObjectStoreRegistry for FixedStores {
    fn register_store(&self, _url: &Url, _store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        tracing::error!("a store was registered after the start, and was refused");
        None
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        self.0.get(&key(url)).cloned().ok_or_else(|| {
            let error =
                Error::new(SqlState::InsufficientPrivilege, "permission denied for a location outside the lake");
            DataFusionError::External(Box::new(error))
        })
    }
}
