//! How DataFusion's Parquet source reads: pinned, with the remembered footer, near ranges at once.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Weak};

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
use parquet::file::metadata::ParquetMetaData;
use tokio::sync::OnceCell;

use super::Footers;
use super::claims::Pages;
use super::footer::Part;
use crate::Error;
use crate::pinned::{Local, Pinned};

/// A remote file up to this size is read as a whole: a second request for it costs more than its other columns.
const WHOLE_BYTES_MAX: u64 = 1 << 20;

/// Makes readers of the files that a scan lists; each file carries its pin.
#[derive(Debug)]
pub(crate) struct PinnedReaders {
    footers: Arc<Footers>,
    /// What the readers of one file share: there are two at once, where one looks at Bloom filters.
    wholes: Mutex<HashMap<String, Weak<Whole>>>,
}

/// A small remote file, once any of it was asked for.
type Whole = OnceCell<Bytes>;

impl PinnedReaders {
    pub(crate) fn new(footers: Arc<Footers>) -> Self {
        Self { footers, wholes: Mutex::default() }
    }

    fn whole(&self, pinned: &Pinned) -> Arc<Whole> {
        let mut wholes = self.wholes.lock();
        if let Some(known) = wholes.get(pinned.key()).and_then(Weak::upgrade) {
            return known;
        }
        wholes.retain(|_, whole| whole.strong_count() > 0);
        let whole = Arc::default();
        wholes.insert(pinned.key().to_owned(), Arc::downgrade(&whole));
        whole
    }
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
        let whole = self.whole(&pinned);
        Ok(Box::new(Reader { pinned, footers: Arc::clone(&self.footers), metrics, whole, local: None, pages: None }))
    }
}

/// A reader of a file that is in no scan.
pub(crate) fn reader(file: &Arc<Pinned>, footers: &Arc<Footers>) -> impl AsyncFileReader + Unpin + 'static {
    let metrics = ParquetFileMetrics::new(0, file.key(), &ExecutionPlanMetricsSet::new());
    Reader {
        pinned: Arc::clone(file),
        footers: Arc::clone(footers),
        metrics,
        whole: Arc::default(),
        local: None,
        pages: None,
    }
}

struct Reader {
    pinned: Arc<Pinned>,
    footers: Arc<Footers>,
    metrics: ParquetFileMetrics,
    whole: Arc<Whole>,
    /// The open file, of a folder.
    local: Option<Arc<Local>>,
    /// Where its pages are, once any of it was read.
    pages: Option<Pages>,
}

impl Reader {
    /// Some ranges, with the headers of the pages in them looked at.
    async fn read(&mut self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, Error> {
        let parts = self.parts(ranges).await?;
        if self.pages.is_none() {
            let metadata = self.metadata().await?;
            self.pages = Some(Pages::of(metadata, self.footers.looked(&self.pinned)));
        }
        let pages = self.pages.iter().flat_map(|pages| ranges.iter().zip(&parts).map(move |part| (pages, part)));
        for (pages, (range, bytes)) in pages {
            pages.check(range, bytes).map_err(|fault| fault.of(&self.pinned))?;
        }
        Ok(parts)
    }

    async fn parts(&mut self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, Error> {
        self.admit(ranges)?;
        if self.pinned.is_local() {
            let local = match self.local.take() {
                Some(open) => open,
                None => Local::open(&self.pinned).await?,
            };
            return self.local.insert(local).ranges(&self.pinned, ranges).await;
        }
        let Some(whole) = self.whole().await? else { return self.pinned.ranges(ranges).await };
        // The ranges are inside the file, and so are their ends inside what was read.
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(whole.len());
        Ok(ranges.iter().map(|range| whole.slice(place(range.start)..place(range.end))).collect())
    }

    /// All of a small remote file: one request for its footer and its columns together.
    async fn whole(&self) -> Result<Option<&Bytes>, Error> {
        if self.pinned.is_local() || self.pinned.file.bytes > WHOLE_BYTES_MAX {
            return Ok(None);
        }
        let all = 0..self.pinned.file.bytes;
        let read = || async { Ok(self.pinned.ranges(std::slice::from_ref(&all)).await?.pop().unwrap_or_default()) };
        self.whole.get_or_try_init(read).await.map(Some)
    }

    async fn metadata(&self) -> Result<Arc<ParquetMetaData>, Error> {
        if let Some(known) = self.footers.known(&self.pinned) {
            return Ok(known);
        }
        self.footers.footer_and_index(&Part { file: &self.pinned, whole: self.whole().await? }).await
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
        async move { self.metadata().await.map_err(external) }.boxed()
    }
}
