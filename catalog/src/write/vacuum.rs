//! Data files that nobody needs any more: no version of the time that is kept has them, and no writer can still be at work on them.
//!
//! Owns: how long files are kept, which the table says itself. Must never do: delete a file that is younger than that, or of which
//! the log does not tell.
//! <https://github.com/delta-io/delta/blob/master/PROTOCOL.md#delta-log-entries>

use std::collections::HashSet;
use std::time::Duration;

use chrono::Utc;
use object_store::path::Path;

use super::{Fault, Target, dropped};
use crate::Error;
use crate::definition::Name;
use crate::format::delta::action::Metadata;
use crate::format::delta::{folder, needed};
use crate::interval::interval;
use crate::manifest::DataFile;
use crate::publish::Lake;
use crate::snapshot::Kind;

/// The property of a table that says how long, as other engines know it: `interval 7 days`.
pub(super) const PROPERTY: &str = "delta.deletedFileRetentionDuration";
const KEPT: Duration = Duration::from_secs(7 * 86_400);

/// Less would take files from queries and writers that are at work.
const KEPT_MIN: Duration = Duration::from_secs(3_600);

/// What was deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Vacuumed {
    pub files: usize,
    pub bytes: u64,
}

impl Lake {
    /// Deletes the data files of a table that no version needs which is not older than the table keeps them: those of earlier
    /// versions, and those of writers that came to no commit. The log stays, and so do files of other kinds.
    ///
    /// Fails as a write does.
    pub async fn vacuum(&self, name: &Name) -> Result<Vacuumed, Error> {
        self.refresh().await?;
        let snapshot = self.snapshot();
        let table = snapshot.table(&name.schema, &name.name);
        let table = table.ok_or(Fault::Conflict { what: "drop of the table" })?;
        let Target { state, source, folder, place, .. } = self.target(table).await?;
        let (Some(state), Kind::Lake(lake)) = (state, &table.kind) else { return Ok(Vacuumed::default()) };
        let Ok(kept) = chrono::TimeDelta::from_std(kept(&state.metadata)) else { return Ok(Vacuumed::default()) };
        let since = Utc::now() - kept;
        let current: HashSet<&Path> = lake.files().into_iter().map(|file| &file.path).collect();
        let is_old = |file: &DataFile| file.modified_at < since && is_data(&folder, file.path.as_ref());
        let files = lake.manifest().files.iter().map(AsRef::as_ref);
        let mut old: Vec<&DataFile> = files.filter(|file| is_old(file) && !current.contains(&file.path)).collect();
        if old.is_empty() {
            return Ok(Vacuumed::default());
        }
        let Some(needed) = needed(&state, (&source, &folder), &lake.pinned(), since).await? else {
            tracing::info!(table = %name, "nothing is deleted: the log does not tell of all the time that files are kept");
            return Ok(Vacuumed::default());
        };
        old.retain(|file| !needed.contains(&file.path));
        let paths: Vec<Path> = old.iter().map(|file| file.path.clone()).collect();
        dropped::delete(&source, paths.clone()).await?;
        self.look_after(place, paths).await;
        Ok(Vacuumed { files: old.len(), bytes: old.iter().map(|file| file.bytes).sum() })
    }
}

/// Whether it is a file of rows: not of the log, and not in a hidden folder, which other engines have for themselves.
fn is_data(of_table: &str, key: &str) -> bool {
    let below = key.strip_prefix(of_table).unwrap_or(key).trim_start_matches('/');
    let is_hidden = |segment: &str| segment.starts_with('.') || (segment.starts_with('_') && !segment.contains('='));
    key.ends_with(".parquet") && !below.split('/').any(is_hidden) && !key.starts_with(&folder::log(of_table))
}

/// How long files are kept that are of the table no more.
pub(super) fn kept(metadata: &Metadata) -> Duration {
    said(metadata, PROPERTY).unwrap_or(KEPT).max(KEPT_MIN)
}

/// The time that a property of a table says, as `interval 7 days`.
pub(super) fn said(metadata: &Metadata, property: &str) -> Option<Duration> {
    let said = metadata.property(property)?.trim();
    interval(said.strip_prefix("interval").unwrap_or(said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rows_are_data() {
        for key in ["s/t/a.parquet", "s/t/day=1/a.zstd.parquet", "s/t/_p=1/a.parquet"] {
            assert!(is_data("s/t", key), "{key}");
        }
        for key in [
            "s/t/_delta_log/00000000000000000010.checkpoint.parquet",
            "s/t/_change_data/a.parquet",
            "s/t/.a.parquet",
            "s/t/a.bin",
        ] {
            assert!(!is_data("s/t", key), "{key}");
        }
        assert!(!is_data("", "_delta_log/00000000000000000010.checkpoint.parquet"));
        assert!(is_data("", "a.parquet"));
    }

    #[test]
    fn a_table_says_how_long_its_files_are_kept() {
        let seconds = |said: Option<&str>| {
            let configuration = said.map(|said| (PROPERTY.to_owned(), Some(said.to_owned()))).into_iter().collect();
            let metadata = Metadata {
                format: None,
                schema_string: String::new(),
                partition_columns: Vec::new(),
                configuration,
                others: Default::default(),
            };
            kept(&metadata).as_secs()
        };
        assert_eq!(seconds(None), 604_800);
        assert_eq!(seconds(Some("interval 1 day")), 86_400);
        assert_eq!(seconds(Some("interval 2 weeks")), 1_209_600);
        assert_eq!(seconds(Some("interval 0 hours")), 3_600);
        assert_eq!(seconds(Some("for ever")), 604_800);
    }
}
