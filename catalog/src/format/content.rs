//! The files of a table by their format, each with what its reader needs.
//!
//! Owns: what the formats have in common for those who do not read. Must never do: read.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use encoding_rs::Encoding;

use super::blocks::Decoder;
use super::csv::{Facts, Layout, Plan, Seen};
use super::parquet::Footers;
use crate::pinned::Pinned;

#[derive(Debug)]
pub(crate) enum Content {
    Csv {
        plan: Arc<Plan>,
        files: Vec<(Arc<Pinned>, Arc<Layout>)>,
        /// Of each file.
        facts: Vec<Facts>,
        /// What the files showed, by column.
        columns: Vec<(String, Seen)>,
    },
    Json {
        encoding: &'static Encoding,
        files: Vec<Arc<Pinned>>,
    },
    /// With the columns of each file.
    Blocks {
        decoder: &'static dyn Decoder,
        files: Vec<(Arc<Pinned>, SchemaRef)>,
    },
    /// With the number of rows of each file.
    Parquet {
        footers: Arc<Footers>,
        files: Vec<(Arc<Pinned>, usize)>,
    },
}

impl Content {
    /// The files, in their order.
    pub(crate) fn files(&self) -> Box<dyn Iterator<Item = &Arc<Pinned>> + '_> {
        match self {
            Self::Csv { files, .. } => Box::new(files.iter().map(|(file, _)| file)),
            Self::Json { files, .. } => Box::new(files.iter()),
            Self::Blocks { files, .. } => Box::new(files.iter().map(|(file, _)| file)),
            Self::Parquet { files, .. } => Box::new(files.iter().map(|(file, _)| file)),
        }
    }

    pub(crate) fn file(&self, at: usize) -> Option<&Arc<Pinned>> {
        match self {
            Self::Csv { files, .. } => files.get(at).map(|(file, _)| file),
            Self::Json { files, .. } => files.get(at),
            Self::Blocks { files, .. } => files.get(at).map(|(file, _)| file),
            Self::Parquet { files, .. } => files.get(at).map(|(file, _)| file),
        }
    }

    /// Whether a file has records that are left out, as far as they were met.
    pub(crate) fn has_rejects(&self, at: usize) -> bool {
        let Self::Csv { plan, files, .. } = self else { return false };
        let rejects = files.get(at).and_then(|(file, _)| plan.rejects(file.key()));
        rejects.is_some_and(|rejects| rejects.found().0 > 0)
    }

    /// The files with their numbers of rows, of a format that tells them.
    pub(crate) fn counted(&self) -> Option<&[(Arc<Pinned>, usize)]> {
        match self {
            Self::Parquet { files, .. } => Some(files),
            Self::Csv { .. } | Self::Json { .. } | Self::Blocks { .. } => None,
        }
    }
}
