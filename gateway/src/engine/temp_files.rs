//! The temporary files of one query, inside those of all.
//!
//! Owns: what they may take (53400 for one query, 53100 for all). Must never know: which operator writes them.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use datafusion::common::Result;
use datafusion::execution::disk_manager::{DiskManager, DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::{SpillFile, SpillWriter, TempFileFactory};
use futures::Stream;

use crate::error::{Error, SqlState};

/// The files of a query that may take so many bytes.
pub(super) fn of_query(all: &Arc<DiskManager>, bytes_max: Option<u64>) -> Result<Arc<DiskManager>> {
    let quota = Quota { all: Arc::clone(all), used: AtomicU64::new(0), bytes_max };
    let files = DiskManagerMode::Custom(Arc::new(Files(Arc::new(quota))));
    DiskManagerBuilder::default().with_mode(files).build().map(Arc::new)
}

struct Quota {
    all: Arc<DiskManager>,
    used: AtomicU64,
    bytes_max: Option<u64>,
}

impl Quota {
    fn take(&self, bytes: u64) -> io::Result<()> {
        let used = self.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let over = match self.bytes_max {
            Some(max) if used > max => {
                let message = format!("temporary file size exceeds temp_file_limit ({}kB)", max >> 10);
                Some(Error::new(SqlState::ConfigurationLimitExceeded, message))
            }
            _ if self.all.used_disk_space() + bytes > self.all.max_temp_directory_size() => {
                let message = "could not write a temporary file: those of all statements have reached their limit";
                Some(Error::new(SqlState::DiskFull, message).hint("Try again when fewer statements run."))
            }
            _ => None,
        };
        match over {
            None => Ok(()),
            Some(error) => {
                self.used.fetch_sub(bytes, Ordering::Relaxed);
                Err(io::Error::other(error))
            }
        }
    }
}

struct Files(Arc<Quota>);

impl TempFileFactory for Files {
    fn create_temp_file(&self, description: &str) -> Result<Arc<dyn SpillFile>> {
        let file = self.0.all.create_tmp_file(description)?;
        Ok(Arc::new(File { file, bytes: Arc::default(), quota: Arc::clone(&self.0) }))
    }
}

/// One file, which gives back what it has taken.
struct File {
    file: Arc<dyn SpillFile>,
    bytes: Arc<AtomicU64>,
    quota: Arc<Quota>,
}

impl SpillFile for File {
    fn path(&self) -> Option<&Path> {
        self.file.path()
    }

    fn size(&self) -> Option<u64> {
        self.file.size()
    }

    fn read_stream(&self) -> Result<Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>> {
        self.file.read_stream()
    }

    fn open_writer(&self) -> Result<Box<dyn SpillWriter>> {
        let (writer, bytes) = (self.file.open_writer()?, Arc::clone(&self.bytes));
        Ok(Box::new(Writer { writer, bytes, quota: Arc::clone(&self.quota) }))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.quota.used.fetch_sub(self.bytes.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

struct Writer {
    writer: Box<dyn SpillWriter>,
    bytes: Arc<AtomicU64>,
    quota: Arc<Quota>,
}

impl io::Write for Writer {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.quota.take(buffer.len() as u64)?;
        self.bytes.fetch_add(buffer.len() as u64, Ordering::Relaxed);
        // It writes all of it or fails.
        self.writer.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl SpillWriter for Writer {
    fn finish(&mut self) -> Result<()> {
        self.writer.finish()
    }
}
