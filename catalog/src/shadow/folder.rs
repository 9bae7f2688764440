//! The folder that holds shadows: one of the configuration, whose shadows are used again, or one that goes with the process.
//!
//! Owns: names of files, and that two processes do not share a folder. Must never know: what a shadow is of.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use tempfile::{NamedTempFile, TempDir};

use super::Shadow;
use super::checked::Checked;
use crate::Error;

const ENDING: &str = "shadow";
const UNFINISHED: &str = "unfinished";

#[derive(Debug)]
pub(super) enum Folder {
    /// The lock is held as long as the process uses it.
    Kept { path: PathBuf, _lock: File },
    /// It is there when something is in it.
    Temporary(Mutex<Option<TempDir>>),
}

impl Folder {
    /// The folder and the shadows in it, the one that was used last at the end; none if another process uses it.
    pub(super) fn open(dir: Option<&Path>) -> Result<(Option<Self>, Vec<Shadow>), Error> {
        let Some(dir) = dir else { return Ok((Some(Self::Temporary(Mutex::default())), Vec::new())) };
        let bad = |error: io::Error| Error::Source { root: "lake.cache_dir".to_owned(), reason: error.to_string() };
        std::fs::create_dir_all(dir).map_err(bad)?;
        let lock = File::create(dir.join("lock")).map_err(bad)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                tracing::warn!("lake.cache_dir is used by another process: this one makes no shadows");
                return Ok((None, Vec::new()));
            }
            Err(TryLockError::Error(error)) => return Err(bad(error)),
        }
        let found = found(dir).map_err(bad)?;
        Ok((Some(Self::Kept { path: dir.to_owned(), _lock: lock }), found))
    }

    /// A file where a shadow is written. No other one ever had its name: one that is still read keeps its own.
    pub(super) fn unfinished(&self, name: &str) -> io::Result<NamedTempFile> {
        let (prefix, suffix) = (format!("{name}-"), format!(".{UNFINISHED}"));
        let new =
            |path: &Path| tempfile::Builder::new().prefix(&prefix).suffix(&suffix).rand_bytes(10).tempfile_in(path);
        match self {
            Self::Kept { path, .. } => new(path),
            Self::Temporary(folder) => {
                let mut folder = folder.lock();
                let folder = match folder.take() {
                    Some(known) => folder.insert(known),
                    None => folder.insert(tempfile::Builder::new().prefix("lakegate-shadows-").tempdir()?),
                };
                new(folder.path())
            }
        }
    }

    /// Removes the folder that goes with the process.
    pub(super) fn close(&self) {
        if let Self::Temporary(folder) = self
            && let Some(Err(error)) = folder.lock().take().map(TempDir::close)
        {
            tracing::warn!(%error, "the folder of shadows could not be removed");
        }
    }

    #[cfg(test)]
    pub(super) fn path(&self) -> Option<PathBuf> {
        match self {
            Self::Kept { path, .. } => Some(path.clone()),
            Self::Temporary(folder) => folder.lock().as_ref().map(|folder| folder.path().to_owned()),
        }
    }
}

/// The shadows of a folder, by their last use. What is no shadow any more goes.
fn found(dir: &Path) -> io::Result<Vec<Shadow>> {
    let mut found: Vec<(DateTime<Utc>, Shadow)> = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        match path.extension().and_then(|ending| ending.to_str()) {
            Some(ENDING) => match read(&path) {
                Ok(Some(shadow)) => found.push(shadow),
                // Of another build.
                Ok(None) => remove(&path),
                Err(error) => {
                    tracing::warn!(%error, "a shadow is damaged and made again");
                    remove(&path);
                }
            },
            Some(UNFINISHED) => remove(&path),
            _ => {}
        }
    }
    found.sort_by_key(|(used_at, _)| *used_at);
    Ok(found.into_iter().map(|(_, shadow)| shadow).collect())
}

/// Where a shadow is when it is whole.
pub(super) fn place(unfinished: &Path) -> PathBuf {
    unfinished.with_extension(ENDING)
}

/// A shadow from before; `None` if another build made it.
fn read(path: &Path) -> io::Result<Option<(DateTime<Utc>, Shadow)>> {
    let mut file = File::open(path)?;
    let checked = Checked::read(&mut file)?;
    let used_at = DateTime::<Utc>::from(file.metadata()?.modified()?);
    Ok(Shadow::new(path.to_owned(), checked, used_at).map(|shadow| (used_at, shadow)))
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::debug!(%error, "a file in lake.cache_dir could not be removed");
    }
}
