//! What a query must know of the files that it reads: which cannot be read, and which of their rows are deleted.
//!
//! Owns: that a file of the log is read whole or is an error. Must never know: filters.

use std::sync::Arc;

use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetRowSelection;
use parquet::arrow::arrow_reader::RowSelection;
use tokio::sync::OnceCell;

use super::Delta;
use super::action::Vector;
use super::vector::{Deleted, Place};
use crate::Error;
use crate::format::parquet::Footers;
use crate::pinned::Pinned;

/// The rows that are deleted from a file.
#[derive(Debug)]
pub(super) struct Deletions {
    pub(super) vector: Vector,
    /// The file that holds them, if it is not the log.
    pub(super) file: Option<Arc<Pinned>>,
    pub(super) rows: OnceCell<Arc<Deleted>>,
}

impl Delta {
    /// Fails if one of the files cannot be read.
    pub(crate) fn check(&self, files: &[usize]) -> Result<()> {
        match files.iter().find_map(|at| self.faults.get(at)) {
            Some(fault) => Err(DataFusionError::External(Box::new(fault.clone()))),
            None => Ok(()),
        }
    }

    /// The columns of a projection of the table as it is shown, by their places with the partitions last.
    pub(crate) fn projection(&self, shown: Option<&Vec<usize>>) -> Vec<usize> {
        match shown {
            Some(shown) => shown.iter().filter_map(|column| self.order.get(*column).copied()).collect(),
            None => self.order.clone(),
        }
    }

    /// Leaves the deleted rows out of the scan of a file with so many others.
    pub(crate) async fn without_deleted(
        &self,
        (at, file, left): (usize, &Arc<Pinned>, usize),
        footers: &Footers,
        scan: PartitionedFile,
    ) -> Result<PartitionedFile> {
        let Some(deletions) = self.vectors.get(&at) else { return Ok(scan) };
        let selection = deletions.selection((file, left), footers).await;
        let selection = selection.map_err(|error| DataFusionError::External(Box::new(error)))?;
        Ok(scan.with_extension(ParquetRowSelection::new(selection)))
    }
}

impl Deletions {
    /// The rows that are left. The log must say the same of their number as the file does.
    async fn selection(&self, (file, left): (&Arc<Pinned>, usize), footers: &Footers) -> Result<RowSelection, Error> {
        let deleted = self.rows(file).await?;
        let footer = footers.footer(file).await?;
        let rows = usize::try_from(footer.file_metadata().num_rows()).unwrap_or_default();
        let is_told = usize::try_from(deleted.count()).is_ok_and(|deleted| left.checked_add(deleted) == Some(rows));
        let selection = deleted.selection(rows).filter(|_| is_told);
        selection.ok_or_else(|| self.fault(file, &format!("the file has {rows} rows and other rows in the log")))
    }

    async fn rows(&self, of: &Arc<Pinned>) -> Result<Arc<Deleted>, Error> {
        let read = || async {
            let fault = |reason| self.fault(of, reason);
            let deleted = match (self.vector.place().map_err(fault)?, &self.file) {
                (Place::Inline(bytes), _) => self.vector.decode(&bytes),
                (Place::File { range, .. }, Some(file)) => {
                    if range.end > file.file.bytes {
                        return Err(fault("it is behind the end of its file"));
                    }
                    self.vector.framed(file.bytes(range).await?).and_then(|bytes| self.vector.decode(&bytes))
                }
                (Place::File { .. }, None) => Err("its file is not known"),
            };
            deleted.map(Arc::new).map_err(fault)
        };
        self.rows.get_or_try_init(read).await.cloned()
    }

    /// What is wrong with the deletions of a file is an error of it.
    fn fault(&self, of: &Pinned, reason: &str) -> Error {
        let place = self.file.as_ref().map(|file| format!(" in \"{}\"", file.key())).unwrap_or_default();
        of.unreadable(format!("its deletion vector{place} cannot be used: {reason}"))
    }
}
