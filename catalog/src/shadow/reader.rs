//! How DataFusion's Parquet source reads a shadow in place of its file.
//!
//! Owns: that a damaged shadow costs another try and no answer. The store is not asked: a shadow is the version that the
//! snapshot lists.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{ParquetFileMetrics, ParquetFileReaderFactory};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::{ChunkReader, Length};

use super::Shadow;
use crate::Error;
use crate::pinned::Pinned;

/// A file of a scan and the shadow that is read for it, and perhaps for others.
#[derive(Debug)]
pub(crate) struct Shadowed {
    pub(crate) file: Arc<Pinned>,
    pub(crate) shadow: Arc<Shadow>,
}

/// Makes readers of the shadows that a scan lists.
#[derive(Debug)]
pub(crate) struct ShadowReaders;

impl ParquetFileReaderFactory for ShadowReaders {
    fn create_reader(
        &self,
        partition_index: usize,
        file: PartitionedFile,
        _metadata_size_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let of = file.extension::<Arc<Shadowed>>().map(Arc::clone);
        let of = of.ok_or_else(|| DataFusionError::Internal("a file of a scan has no shadow".into()))?;
        let metrics = ParquetFileMetrics::new(partition_index, file.object_meta.location.as_ref(), metrics);
        Ok(Box::new(Reader { of, metrics, disk: None }))
    }
}

struct Reader {
    of: Arc<Shadowed>,
    metrics: ParquetFileMetrics,
    disk: Option<File>,
}

impl Reader {
    /// Does something with the file on the disk, on a thread that may wait.
    async fn on_disk<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Shadow, &mut File) -> io::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let (disk, shadow) = (self.disk.take(), Arc::clone(&self.of.shadow));
        let working = tokio::task::spawn_blocking(move || {
            let mut disk = match disk {
                Some(disk) => disk,
                None => opened(&shadow)?,
            };
            let done = work(&shadow, &mut disk)?;
            Ok::<_, io::Error>((disk, done))
        });
        match working.await.map_err(io::Error::other).flatten() {
            Ok((disk, done)) => {
                self.disk = Some(disk);
                Ok(done)
            }
            Err(error) => {
                self.of.file.source().shadows.discard(&self.of.shadow, &error);
                // The query begins anew, without the shadow.
                Err(self.of.file.replaced())
            }
        }
    }

    async fn ranges(&mut self, ranges: Vec<Range<u64>>) -> Result<Vec<Bytes>, Error> {
        let bytes: u64 = ranges.iter().map(|range| range.end.saturating_sub(range.start)).sum();
        self.metrics.bytes_scanned.add(usize::try_from(bytes).unwrap_or(usize::MAX));
        self.on_disk(move |shadow, disk| shadow.checked.ranges(disk, &ranges)).await
    }

    async fn metadata(&mut self) -> Result<Arc<ParquetMetaData>, Error> {
        let shadows = Arc::clone(&self.of.file.source().shadows);
        let name = self.of.shadow.path.display().to_string();
        let reading = self.on_disk(|shadow, disk| {
            let chunks = Chunks(shadow, Mutex::new(disk.try_clone()?));
            let mut reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Optional);
            reader.try_parse(&chunks).and_then(|()| reader.finish()).map_err(io::Error::other)
        });
        shadows.footers.of_shadow(name, reading).await
    }
}

/// The time of its last change is that of its last use, so that the next process knows it.
fn opened(shadow: &Shadow) -> io::Result<File> {
    let disk = File::open(&shadow.path)?;
    if let Err(error) = disk.set_modified(SystemTime::now()) {
        tracing::debug!(%error, "the use of a shadow is not noted");
    }
    Ok(disk)
}

fn external(error: Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

impl AsyncFileReader for Reader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, parquet::errors::Result<Bytes>> {
        async move {
            let mut bytes = self.ranges(vec![range]).await.map_err(external)?;
            Ok(bytes.pop().unwrap_or_default())
        }
        .boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, parquet::errors::Result<Vec<Bytes>>> {
        async move { self.ranges(ranges).await.map_err(external) }.boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, parquet::errors::Result<Arc<ParquetMetaData>>> {
        async move { self.metadata().await.map_err(external) }.boxed()
    }
}

/// The checked bytes, for the decoder of the footer.
struct Chunks<'a>(&'a Shadow, Mutex<File>);

impl Length for Chunks<'_> {
    fn len(&self) -> u64 {
        self.0.checked.bytes
    }
}

impl ChunkReader for Chunks<'_> {
    type T = io::Cursor<Bytes>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        let length = usize::try_from(self.len().saturating_sub(start)).unwrap_or(usize::MAX);
        Ok(io::Cursor::new(self.get_bytes(start, length)?))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let range = start..start + length as u64;
        let mut ranges = self.0.checked.ranges(&mut self.1.lock(), std::slice::from_ref(&range))?;
        Ok(ranges.pop().unwrap_or_default())
    }
}
