//! Where the lake keeps what SQL has defined: `_lakegate/definitions/NNNNNNNNNNNNNNNNNNNN.sql` of its first source, one object
//! for each version. The newest holds everything.
//!
//! Owns: that of two changes of one version only one is kept: an object is put only where none is. Must never know: SQL.

use chrono::{DateTime, Duration, Utc};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use tokio::sync::OnceCell;

use super::script::Script;
use crate::Error;
use crate::random::random;
use crate::store::Source;

pub(crate) const FOLDER: &str = "_lakegate/definitions";
const PROBES: &str = "_lakegate/probes";
const ENDING: &str = ".sql";
/// Never read more than definitions can be.
const BYTES_MAX: u64 = 16 << 20;
/// Older versions that stay, and how long all stay: whoever changes one of them meets the next.
const OLD_KEPT: usize = 100;
const OLD_KEPT_FOR: Duration = Duration::hours(24);

/// The definitions of one source.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// Whether the store puts an object only where none is, as it is asked to.
    is_atomic: OnceCell<bool>,
}

fn path(version: u64) -> Path {
    Path::from(format!("{FOLDER}/{version:020}{ENDING}"))
}

fn version(path: &Path) -> Option<u64> {
    path.as_ref().strip_prefix(FOLDER)?.strip_prefix('/')?.strip_suffix(ENDING)?.parse().ok()
}

/// The newest version in a listing, by key.
pub(crate) fn newest(listing: &[ObjectMeta]) -> u64 {
    versions(listing).map(|(version, _)| version).max().unwrap_or_default()
}

fn versions(listing: &[ObjectMeta]) -> impl Iterator<Item = (u64, DateTime<Utc>)> {
    let folder = Path::from(FOLDER);
    let start = listing.partition_point(|object| object.location < folder);
    let inside = listing.iter().skip(start).take_while(|object| object.location.as_ref().starts_with(FOLDER));
    inside.filter_map(|object| Some((version(&object.location)?, object.last_modified)))
}

impl Kept {
    pub(crate) async fn read(&self, source: &Source, version: u64) -> Result<Script, Error> {
        if version == 0 {
            return Ok(Script::default());
        }
        let path = path(version);
        let unreadable = |reason: String| Error::Kept { key: path.to_string(), reason };
        let found = source.store.get(&path).await.map_err(|cause| source.failed(cause))?;
        if found.meta.size > BYTES_MAX {
            return Err(Error::TooMuchKept { bytes: found.meta.size, bytes_max: BYTES_MAX });
        }
        let bytes = found.bytes().await.map_err(|cause| source.failed(cause))?;
        let text = std::str::from_utf8(&bytes).map_err(|error| unreadable(error.to_string()))?;
        Script::read(version, text).map_err(|(line, reason)| unreadable(format!("line {line}: {reason}")))
    }

    /// Keeps a script as its version; `false` if another of this version is kept already. `by` is who changed it.
    pub(crate) async fn write(&self, source: &Source, script: &Script, by: &str) -> Result<bool, Error> {
        if !self.is_atomic(source).await? {
            return Err(Error::NotAtomic { root: source.root.clone() });
        }
        let by = by.replace(char::is_control, " ");
        // Two changes by one user at one moment would otherwise look as one.
        let mark = random();
        let now = Utc::now().to_rfc3339();
        let head = format!("-- What SQL defined, version {}, {now}, by {by}, {mark:016x}.", script.version);
        let text = format!("{head}\n{}", script.text());
        let (path, bytes) = (path(script.version), text.len() as u64);
        if bytes > BYTES_MAX {
            return Err(Error::TooMuchKept { bytes, bytes_max: BYTES_MAX });
        }
        match create(source, &path, text.clone()).await {
            Ok(()) => Ok(true),
            // The answer to a first try may have been lost: what is there tells whose it is.
            Err(error) => match source.store.get(&path).await {
                Ok(found) => Ok(found.bytes().await.map_err(|cause| source.failed(cause))? == text.as_bytes()),
                Err(_) => Err(Error::NotKept { root: source.root.clone(), cause: error.into() }),
            },
        }
    }

    /// Deletes old versions; one that stays costs nothing but its place.
    pub(crate) async fn sweep(&self, source: &Source, listing: &[ObjectMeta]) {
        let mut known: Vec<_> = versions(listing).collect();
        known.sort_unstable();
        known.truncate(known.len().saturating_sub(OLD_KEPT));
        let young = Utc::now() - OLD_KEPT_FOR;
        for (version, _) in known.into_iter().filter(|(_, modified_at)| *modified_at < young) {
            if let Err(error) = source.store.delete(&path(version)).await {
                tracing::debug!(%error, version, "an old version of the definitions stays");
            }
        }
    }

    /// Asks the store once: some overwrite what they were told to create.
    async fn is_atomic(&self, source: &Source) -> Result<bool, Error> {
        let ask = || async {
            let path = Path::from(format!("{PROBES}/{:016x}", random()));
            let failed = |cause: object_store::Error| Error::NotKept { root: source.root.clone(), cause: cause.into() };
            create(source, &path, "1".to_owned()).await.map_err(failed)?;
            let second = create(source, &path, "2".to_owned()).await;
            if let Err(error) = source.store.delete(&path).await {
                tracing::debug!(%error, "a probe of the store stays");
            }
            match second {
                Ok(()) => Ok(false),
                Err(object_store::Error::AlreadyExists { .. }) => Ok(true),
                Err(error) => Err(failed(error)),
            }
        };
        self.is_atomic.get_or_try_init(ask).await.copied()
    }
}

async fn create(source: &Source, path: &Path, text: String) -> Result<(), object_store::Error> {
    let options = PutOptions { mode: PutMode::Create, ..Default::default() };
    source.store.put_opts(path, PutPayload::from(text), options).await.map(drop)
}
