//! What one table is made of: its files at one moment, as the store lists them.
//!
//! Owns: when two listings of a table are the same. Must never do: open a file.

use std::sync::Arc;

use arrow::datatypes::FieldRef;
use chrono::{DateTime, Utc};
use datafusion::common::ScalarValue;
use object_store::ObjectMeta;
use object_store::path::Path;

use crate::definition::TableDefinition;
use crate::layout::{Compression, Format};

/// The files of a table. Equal manifests have equal rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Manifest {
    /// Which source holds all of its files.
    pub(crate) source: usize,
    pub(crate) format: Format,
    /// Of a table with a log. Its files are all that is below; which of them have its rows says the log.
    pub(crate) folder: Option<String>,
    pub(crate) definition: Option<Arc<TableDefinition>>,
    /// The columns that folder names hold.
    pub(crate) partitions: Vec<FieldRef>,
    /// By key.
    pub(crate) files: Vec<Arc<DataFile>>,
}

/// An object of a table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DataFile {
    pub(crate) path: Path,
    pub(crate) bytes: u64,
    pub(crate) etag: Option<String>,
    pub(crate) modified_at: DateTime<Utc>,
    pub(crate) compression: Compression,
    /// One value per column of `Manifest::partitions`.
    pub(crate) partitions: Vec<ScalarValue>,
}

impl DataFile {
    pub(crate) fn new(object: &ObjectMeta, compression: Compression, partitions: Vec<ScalarValue>) -> Self {
        Self {
            path: object.location.clone(),
            bytes: object.size,
            etag: object.e_tag.clone(),
            modified_at: object.last_modified,
            compression,
            partitions,
        }
    }
}
