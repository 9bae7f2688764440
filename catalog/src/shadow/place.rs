//! One shadow, and where in it the rows of a file are.
//!
//! Owns: that its file goes from the disk when nobody reads it any more. Must never know: other shadows.

use std::borrow::Cow;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use chrono::{DateTime, Utc};

use super::Id;
use super::checked::Checked;
use super::index::{Index, Member};

/// The rows of one version of one file, or of some small ones. It goes from the disk when nobody reads it any more.
#[derive(Debug)]
pub(crate) struct Shadow {
    pub(super) path: PathBuf,
    pub(super) checked: Checked,
    pub(super) index: Index,
    pub(super) used: AtomicU64,
    used_at_micros: AtomicI64,
    pub(super) is_over: AtomicBool,
}

/// Where the rows of a file are.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) shadow: Arc<Shadow>,
    pub(super) member: usize,
}

impl Shadow {
    /// `None` if another build made it.
    pub(super) fn new(path: PathBuf, checked: Checked, used_at: DateTime<Utc>) -> Option<Self> {
        let index = Index::parse(&checked.text, checked.rows)?;
        let used_at_micros = AtomicI64::new(used_at.timestamp_micros());
        Some(Self { path, checked, index, used: AtomicU64::new(0), used_at_micros, is_over: AtomicBool::new(false) })
    }

    /// The table whose small files share it.
    pub(super) fn pack_of(&self) -> Option<&str> {
        self.index.pack_of.as_deref()
    }

    /// Whether files share it.
    pub(crate) fn is_pack(&self) -> bool {
        self.index.pack_of.is_some()
    }

    /// Of its file.
    pub(crate) fn name(&self) -> Cow<'_, str> {
        self.path.file_stem().unwrap_or_default().to_string_lossy()
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = Id> {
        self.index.members.iter().map(|member| member.id)
    }

    pub(super) fn rows(&self) -> usize {
        usize::try_from(self.checked.rows).unwrap_or(usize::MAX)
    }

    /// Of its Parquet file.
    pub(crate) fn parquet_bytes(&self) -> u64 {
        self.checked.bytes
    }

    pub(super) fn bytes_on_disk(&self) -> u64 {
        self.checked.bytes_on_disk
    }

    pub(super) fn index_bytes(&self) -> usize {
        self.index.bytes() + self.checked.text.len()
    }

    pub(crate) fn used_at(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros(self.used_at_micros.load(Ordering::Relaxed))
    }
}

impl Place {
    fn member(&self) -> Option<&Member> {
        self.shadow.index.members.get(self.member)
    }

    /// Takes note that a query reads it.
    pub(super) fn is_used(&self, (now, used_at): (u64, DateTime<Utc>)) {
        self.shadow.used.store(now, Ordering::Relaxed);
        self.shadow.used_at_micros.store(used_at.timestamp_micros(), Ordering::Relaxed);
        self.member().into_iter().for_each(Member::count_read);
    }

    pub(crate) fn rows(&self) -> Range<usize> {
        self.member().map_or(0..0, |member| member.rows.clone())
    }

    /// What is known of the rows.
    pub(crate) fn told(&self) -> &str {
        self.shadow.index.told(self.member, &self.shadow.checked.text)
    }

    /// On the disk; of what files share, by its rows.
    pub(crate) fn bytes_on_disk(&self) -> u64 {
        let (bytes, rows) = (self.shadow.bytes_on_disk(), self.shadow.checked.rows);
        let share = (u128::from(bytes) * self.rows().len() as u128).checked_div(u128::from(rows));
        share.map_or(bytes, |share| u64::try_from(share).unwrap_or(bytes))
    }

    pub(crate) fn reads(&self) -> u64 {
        self.member().map_or(0, Member::reads)
    }
}

impl Drop for Shadow {
    fn drop(&mut self) {
        if self.is_over.load(Ordering::Relaxed)
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            tracing::debug!(%error, "a shadow could not be removed");
        }
    }
}
