//! The schema `system`: what the server knows of its lake, as relations.
//!
//! Owns: their names, OIDs and columns (`relations.tsv`, `columns.tsv`). Must never do: open a file.

pub(crate) mod csv_dialect;
pub(crate) mod freshness;
pub(crate) mod manifest;
pub(crate) mod masks;
pub(crate) mod matview_lineage;
pub(crate) mod matview_progress;
pub(crate) mod matview_refreshes;
pub(crate) mod matview_status;
pub(crate) mod objects;
pub(crate) mod queries;
pub(crate) mod rejects;
pub(crate) mod schema_drift;
pub(crate) mod shadows;
pub(crate) mod skipped_files;
pub(crate) mod sources;
pub(crate) mod stream_partitions;
pub(crate) mod streams;
pub(crate) mod tables;

/// The schema's name.
pub(crate) const SCHEMA: &str = "system";
