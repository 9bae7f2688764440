//! Shadows of the lake's files are made on the CPU pool, as queries are run.
//!
//! Owns: that statements go first. Must never know: what a shadow is.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::Engine;
use crate::error::Error;

impl Engine {
    /// Makes the shadows of files, slowly while statements run, until `stop`.
    pub async fn keep_shadows(&self, stop: CancellationToken) {
        let (lake, admission) = (Arc::clone(&self.core.lake), Arc::clone(&self.core.admission));
        let making = async move { lake.keep_shadows(stop, move || admission.is_busy()).await };
        let ended = match self.core.cpu.spawn(making) {
            Ok(making) => making.await.map_err(Error::internal),
            Err(error) => Err(error),
        };
        if let Err(error) = ended {
            tracing::warn!(%error, "no more shadows are made");
        }
    }
}
