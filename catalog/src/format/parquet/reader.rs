//! How DataFusion's Parquet source reads: pinned, with the remembered footer, near ranges at once.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{ParquetFileMetrics, ParquetFileReaderFactory};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt;
use futures::future::BoxFuture;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;

use super::Footers;
use crate::Error;
use crate::pinned::Pinned;

/// A remote file up to this size is read as a whole: a second request for it costs more than its other columns.
const WHOLE_BYTES_MAX: u64 = 1 << 20;

/// Makes readers of the files that a scan lists; each file carries its pin.
#[derive(Debug)]
pub(crate) struct PinnedReaders {
    pub(crate) footers: Arc<Footers>,
}

impl ParquetFileReaderFactory for PinnedReaders {
    fn create_reader(
        &self,
        partition_index: usize,
        file: PartitionedFile,
        _metadata_size_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let pinned = file.extension::<Arc<Pinned>>().map(Arc::clone);
        let pinned = pinned.ok_or_else(|| DataFusionError::Internal("a file of a scan has no pin".into()))?;
        let metrics = ParquetFileMetrics::new(partition_index, pinned.key(), metrics);
        Ok(Box::new(Reader { pinned, footers: Arc::clone(&self.footers), metrics, whole: None }))
    }
}

struct Reader {
    pinned: Arc<Pinned>,
    footers: Arc<Footers>,
    metrics: ParquetFileMetrics,
    /// A small remote file, once any of it was asked for.
    whole: Option<Bytes>,
}

impl Reader {
    async fn read(&mut self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, Error> {
        self.admit(ranges)?;
        if self.pinned.source().folder.is_some() || self.pinned.file.bytes > WHOLE_BYTES_MAX {
            return self.pinned.ranges(ranges).await;
        }
        let whole = match &self.whole {
            Some(whole) => whole,
            None => self.whole.insert(self.pinned.bytes(0..self.pinned.file.bytes).await?),
        };
        // The ranges are inside the file, and so are their ends inside what was read.
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(whole.len());
        Ok(ranges.iter().map(|range| whole.slice(place(range.start)..place(range.end))).collect())
    }

    /// Counts a read, and refuses one outside the file: a damaged footer can ask for anything.
    fn admit(&self, ranges: &[Range<u64>]) -> Result<(), Error> {
        for range in ranges {
            if range.start > range.end || range.end > self.pinned.file.bytes {
                return Err(self.pinned.unreadable("the footer names a place outside the file"));
            }
            self.metrics.bytes_scanned.add(usize::try_from(range.end - range.start).unwrap_or(usize::MAX));
        }
        Ok(())
    }
}

fn external(error: Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

impl AsyncFileReader for Reader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, parquet::errors::Result<Bytes>> {
        async move {
            let mut bytes = self.read(std::slice::from_ref(&range)).await.map_err(external)?;
            Ok(bytes.pop().unwrap_or_default())
        }
        .boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, parquet::errors::Result<Vec<Bytes>>> {
        async move { self.read(&ranges).await.map_err(external) }.boxed()
    }

    /// With the page index at once: what the scan would load by itself it would load again each time.
    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, parquet::errors::Result<Arc<ParquetMetaData>>> {
        async move { self.footers.footer_and_index(&self.pinned).await.map_err(external) }.boxed()
    }
}
