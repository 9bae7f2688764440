//! Which tables the lake has, and how to open them.
//!
//! Owns: sources, snapshots, manifests, formats. Must never know: a session or a wire protocol.

mod access;
mod define;
mod definition;
mod discover;
mod disk;
mod error;
mod format;
mod interval;
mod layout;
mod lazy;
mod left_out;
mod manifest;
mod matview;
mod notify;
pub mod pg_catalog;
mod pinned;
mod provider;
mod prune;
mod publish;
mod random;
mod ranges;
mod reads;
mod remembered;
mod secret;
mod shadow;
mod snapshot;
mod store;
mod stream;
mod system;
mod unread;
mod write;

use std::path::PathBuf;
use std::time::Duration;

pub use access::{
    Access, ColumnMask, Grant, Granted, Grantee, Held, Member, Privilege, Privileges, RowClauses, RowCommand,
    RowPolicy, RowRules, RowSecurity, RowSwitch, Secured, WrittenMask, WrittenPolicy, is_of_mask, read_mask,
    read_policy,
};
pub use definition::{Commented, Comments, Defined, Name, OptionChange, OptionFault, RowRule, Script, row_rule};
pub use error::Error;
pub use format::Adapted;
pub use format::delta::AsOf;
pub use lazy::lazy;
pub use left_out::LeftOut;
pub use matview::{
    Attempt, Bucket, Class, Difference, Extent, Lease, Lineage, Matview, Object, OnStale, Options, Outcome, Phase,
    Policy, Progress, Refresh, Scanned, Schedule, SourceLineage, ValueRange,
};
pub use publish::Lake;
pub use reads::Reads;
pub use secret::Secret;
pub use shadow::ShadowTotals;
pub use snapshot::{Kind, LakeTable, Origin, SkippedFile, Snapshot, Table, View};
pub use stream::{
    Decoded, Decoder, Format, OnError, OnLost, PartitionFact, Records, Reject, Start, Stream, StreamFact, StreamFault,
    StreamOptions, StreamState,
};
pub use unread::optimizer_rules;
pub use write::{
    Advance, Change, Column, Compacted, Export, FILE_NUMBER, Fault, NewTable, ROW_NUMBER, Refreshed, Small, Target,
    Vacuumed, Writer,
};

/// The embedded default: a folder beside the process.
pub const DEFAULT_LAKE: &str = "./lake";

use serde::Deserialize;

/// Where the lake is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub sources: Vec<SourceConfig>,
    /// How often the lake is listed again. A random tenth is added, so that replicas do not list at once.
    pub poll_interval_ms: u64,
    /// Whether what was seen of files is kept in their source, below `_lakegate/manifest`, for the next start.
    pub manifest: bool,
    /// Where files of text that are read again are kept as Parquet; unset is a folder in the system's temporary directory, which
    /// goes with the process.
    pub cache_dir: Option<PathBuf>,
    /// All of them together; 0 is none.
    pub cache_bytes_max: u64,
    /// What was read of Parquet in buckets, kept on the disk in the same place; 0 is nothing.
    pub range_cache_bytes_max: u64,
}

/// One root: a local folder or `s3://bucket/prefix`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourceConfig {
    pub url: String,
    pub endpoint: Option<String>,
    pub region: Option<String>,
    pub path_style: bool,
    pub allow_http: bool,
    pub access_key_id: Option<String>,
    pub secret_access_key: Option<Secret>,
    /// Whether SQL may make and change tables here; the store is tested at the start.
    pub writable: bool,
}

impl Default for Config {
    fn default() -> Self {
        // A folder of one's own, where tables and views can be tried out.
        let sources = vec![SourceConfig { url: DEFAULT_LAKE.into(), writable: true, ..Default::default() }];
        Self {
            sources,
            poll_interval_ms: 5000,
            manifest: true,
            cache_dir: None,
            cache_bytes_max: 4 << 30,
            range_cache_bytes_max: 1 << 30,
        }
    }
}

impl Config {
    pub fn poll_interval(&self) -> Duration {
        Duration::from_millis(self.poll_interval_ms)
    }
}
