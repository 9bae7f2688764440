//! Which versions of which files the rows of a materialized view were made of.
//!
//! Owns: the record of it, which is put before the rows are seen and never changed, and how two states of the lake differ. A file
//! is known by its key, its ETag and its size, and never by its time.

use std::collections::HashMap;
use std::io::Read;

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use serde::{Deserialize, Serialize};

use super::{Extent, place};
use crate::Error;
use crate::definition::Name;
use crate::publish::Lake;
use crate::store::Source;
use crate::write::Fault;

/// Another form of the record is not believed.
const FORMAT: u32 = 1;

/// After unpacking.
const BYTES_MAX: u64 = 1 << 30;

const LEVEL: i32 = 1;

/// What the rows of one refresh were made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lineage {
    format: u32,
    pub epoch: u64,
    /// Of the table that has the rows, with the version in which it has them and nothing else.
    pub table: String,
    pub version: u64,
    /// What the rows depend on beside the files.
    pub definition: String,
    pub class: Class,
    /// The source of which the buckets or the extents are.
    pub driver: Option<usize>,
    pub listed_at: DateTime<Utc>,
    pub sources: Vec<SourceLineage>,
    /// Of class A.
    pub buckets: Vec<Bucket>,
}

/// How the rows follow the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Class {
    /// Each row is of files of one bucket of the driving source.
    #[serde(rename = "A")]
    Append,
    /// Each row is of files that can have its partition.
    #[serde(rename = "P")]
    Partition,
    /// Any row may be of any file.
    #[serde(rename = "F")]
    Full,
}

/// One table that the query reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceLineage {
    /// `schema.name`.
    pub table: String,
    /// Names and types of the columns that the query uses, and how the files are read.
    pub columns: String,
    pub objects: Vec<Object>,
}

/// One version of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Object {
    pub key: String,
    /// Its ETag, and what a log says is deleted of it.
    pub version: String,
    pub bytes: u64,
    /// Which partitions its rows can be of, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extent: Option<Extent>,
}

/// Files that were read together, and the files that have their rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    pub objects: Vec<String>,
    pub files: Vec<String>,
}

/// How the files of a source differ from those of a record: places in the new state, and keys of the old one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    pub added: Vec<usize>,
    /// Whose key is there in another version.
    pub changed: Vec<usize>,
    pub removed: Vec<String>,
}

impl Difference {
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

impl SourceLineage {
    /// How `now` differs from this.
    pub fn difference(&self, now: &Self) -> Difference {
        let mut before: HashMap<&str, &Object> =
            self.objects.iter().map(|object| (object.key.as_str(), object)).collect();
        let mut difference = Difference::default();
        for (at, object) in now.objects.iter().enumerate() {
            match before.remove(object.key.as_str()) {
                None => difference.added.push(at),
                Some(known) if known.version != object.version || known.bytes != object.bytes => {
                    difference.changed.push(at);
                }
                Some(_) => {}
            }
        }
        difference.removed = before.into_keys().map(str::to_owned).collect();
        difference.removed.sort_unstable();
        difference
    }

    pub fn bytes(&self) -> u64 {
        self.objects.iter().map(|object| object.bytes).sum()
    }
}

impl Class {
    /// Its letter.
    pub fn text(self) -> &'static str {
        match self {
            Self::Append => "A",
            Self::Partition => "P",
            Self::Full => "F",
        }
    }
}

impl Lineage {
    #[expect(clippy::too_many_arguments, reason = "each is another part of the record")]
    pub fn new(
        epoch: u64,
        (table, version): (String, u64),
        definition: String,
        class: Class,
        driver: Option<usize>,
        listed_at: DateTime<Utc>,
        sources: Vec<SourceLineage>,
        buckets: Vec<Bucket>,
    ) -> Self {
        Self { format: FORMAT, epoch, table, version, definition, class, driver, listed_at, sources, buckets }
    }
}

impl Lake {
    /// Keeps the record of a refresh, before its rows are committed.
    pub async fn keep_lineage(&self, view: &Name, lineage: &Lineage) -> Result<(), Error> {
        let (_, source) = self.first_writable(view)?;
        let failed = |reason: String| Fault::Rows { table: view.name.clone(), reason };
        let text = serde_json::to_vec(lineage).map_err(|error| failed(error.to_string()))?;
        let bytes = zstd::encode_all(text.as_slice(), LEVEL).map_err(|error| failed(error.to_string()))?;
        let options = PutOptions { mode: PutMode::Create, ..Default::default() };
        let path = place::lineage(view, lineage.epoch);
        let put = source.store.put_opts(&path, PutPayload::from(bytes.clone()), options).await;
        let Err(error) = put else { return Ok(()) };
        // The answer to a first try may have been lost.
        let found = async { source.store.get(&path).await?.bytes().await };
        match found.await {
            Ok(found) if found == bytes => Ok(()),
            _ => Err(Fault::store(error)),
        }
    }

    /// The record of a refresh; `None` if it is lost, or not to be understood. A store that fails is an error.
    pub async fn lineage(&self, view: &Name, epoch: u64) -> Result<Option<Lineage>, Error> {
        let (_, source) = self.first_writable(view)?;
        let found = match source.store.get(&place::lineage(view, epoch)).await {
            Ok(found) => found.bytes().await.map_err(|cause| source.failed(cause))?,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(source.failed(error)),
        };
        let mut text = Vec::new();
        let unpacked =
            zstd::Decoder::new(found.as_ref()).and_then(|unpacked| unpacked.take(BYTES_MAX).read_to_end(&mut text));
        let lineage: Option<Lineage> = unpacked.ok().and_then(|_| serde_json::from_slice(&text).ok());
        Ok(lineage.filter(|lineage| lineage.format == FORMAT && lineage.epoch == epoch))
    }

    /// Deletes what is known of a view that is dropped, but for its leases: who still refreshes it must not be taken for new.
    pub async fn forget_matview(&self, view: &Name) {
        let Ok((_, source)) = self.first_writable(view) else { return };
        let history = match source.store.delete(&place::history(view)).await {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            deleted => deleted,
        };
        if let Err(error) = history.and(forget(source, &place::lineages(view), u64::MAX).await) {
            tracing::debug!(%error, "what was known of a dropped materialized view stays");
        }
    }

    /// Deletes the records of refreshes before `epoch`. One that stays costs its bytes.
    pub async fn forget_lineages(&self, view: &Name, before: u64) {
        let Ok((_, source)) = self.first_writable(view) else { return };
        if let Err(error) = forget(source, &place::lineages(view), before).await {
            tracing::debug!(%error, "records of earlier refreshes stay");
        }
    }
}

/// Deletes objects of earlier epochs.
pub(super) async fn forget(source: &Source, folder: &Path, before: u64) -> Result<(), object_store::Error> {
    let listed: Vec<_> = source.store.list(Some(folder)).try_collect().await?;
    for object in listed.into_iter().filter(|object| place::epoch(&object.location).is_some_and(|epoch| epoch < before))
    {
        source.store.delete(&object.location).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(objects: &[(&str, &str, u64)]) -> SourceLineage {
        let object = |(key, version, bytes): &(&str, &str, u64)| Object {
            key: (*key).to_owned(),
            version: (*version).to_owned(),
            bytes: *bytes,
            extent: None,
        };
        let objects = objects.iter().map(object).collect();
        SourceLineage { table: "s.t".to_owned(), columns: String::new(), objects }
    }

    #[test]
    fn files_differ_by_key_version_and_size() {
        let before = source(&[("a", "1", 5), ("b", "1", 5), ("c", "1", 5), ("d", "1", 5)]);
        let now = source(&[("a", "1", 5), ("b", "2", 5), ("c", "1", 6), ("e", "1", 5)]);
        let difference = before.difference(&now);
        assert_eq!((difference.added, difference.changed), (vec![3], vec![1, 2]));
        assert_eq!(difference.removed, ["d"]);
        assert!(before.difference(&before.clone()).is_empty());
    }
}
