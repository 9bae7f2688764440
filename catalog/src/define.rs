//! Changing what SQL has defined of the lake.
//!
//! Owns: that a change is kept before anybody sees it, and that every snapshot holds all of a change. Must never know: what
//! a statement meant.

use std::sync::Arc;

use crate::definition::{self, Name, Script};
use crate::publish::Lake;
use crate::snapshot::Snapshot;
use crate::{Error, Table};

impl Lake {
    /// The lake as it would be with other definitions; nobody else sees it.
    pub async fn preview(&self, script: Script) -> Arc<Snapshot> {
        let mut seen = self.seen.lock().await.clone();
        seen.script = Arc::new(script);
        Arc::new(self.arranged(&seen, &self.snapshot()))
    }

    /// Keeps a script, one version above that which it was made of, and shows it to every new statement. `false` if
    /// another change came first: then the newest snapshot has that.
    pub async fn define(&self, script: Script, by: &str) -> Result<bool, Error> {
        let Some(home) = self.sources.first() else {
            return Err(Error::Source { root: String::new(), reason: "the lake has no source".to_owned() });
        };
        let listing = self.seen.lock().await.listings.first().map(Arc::clone).unwrap_or_default();
        let newest = definition::newest(&listing);
        if newest >= script.version || !self.kept.write(home, &script, by).await? {
            // A newer version that cannot be read would hide this one.
            self.kept.read(home, newest).await?;
            self.refresh().await?;
            return Ok(false);
        }
        let mut seen = self.seen.lock().await;
        if seen.script.version < script.version {
            seen.script = Arc::new(script);
            self.publish(&seen);
        }
        drop(seen);
        self.kept.sweep(home, &listing).await;
        Ok(true)
    }

    /// Whether a CREATE EXTERNAL TABLE is right, and inside the sources.
    pub fn check_table(&self, name: &Name, statement: &str) -> Result<(), Error> {
        definition::check_table(name, statement, &self.sources)
    }
}

impl Snapshot {
    /// The relation of a name, if there is one.
    pub fn named(&self, name: &Name) -> Option<&Arc<Table>> {
        self.table(&name.schema, &name.name)
    }
}
