//! An object as a snapshot lists it: every read asks for that version of it and no other.
//!
//! Owns: `If-Match`, and which answers of a store mean that the object was replaced. Must never know: what a file holds.

mod local;

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::{GetOptions, GetResult, coalesce_ranges};

use crate::Error;
use crate::format::COLUMNS_MAX;
use crate::format::parquet::names::Names;
use crate::manifest::DataFile;
use crate::reads::Reads;
use crate::store::Source;

pub(crate) use local::Local;

/// Each block of a local file costs a change of the thread.
const LOCAL_BLOCK_BYTES: u64 = 1 << 20;

/// The next one is read while a block is worked on.
const LOCAL_BLOCKS_AHEAD: usize = 2;

/// Ranges that are this near are read at once.
const GAP_BYTES_MAX: u64 = 256 << 10;

/// One version of one object.
#[derive(Debug, Clone)]
pub(crate) struct Pinned {
    pub(crate) table: String,
    pub(crate) file: Arc<DataFile>,
    source: Arc<Source>,
    /// How its table names its columns, if not as it does itself.
    names: Option<Arc<Names>>,
    /// Where a statement counts what it reads.
    reads: Option<Arc<Reads>>,
}

impl Pinned {
    pub(crate) fn new(table: String, file: Arc<DataFile>, source: Arc<Source>) -> Self {
        Self { table, file, source, names: None, reads: None }
    }

    pub(crate) fn with_names(self, names: Option<Arc<Names>>) -> Self {
        Self { names, ..self }
    }

    /// The same object for a statement that counts what it reads.
    pub(crate) fn counted(self: &Arc<Self>, reads: Option<&Arc<Reads>>) -> Arc<Self> {
        match reads {
            Some(reads) => Arc::new(Self { reads: Some(Arc::clone(reads)), ..Self::clone(self) }),
            None => Arc::clone(self),
        }
    }

    pub(crate) fn names(&self) -> Option<&Names> {
        self.names.as_deref()
    }

    pub(crate) fn key(&self) -> &str {
        self.file.path.as_ref()
    }

    /// Whether the name says no more than that it is text.
    pub(crate) fn is_plain_text(&self) -> bool {
        self.key().split('.').skip(1).any(|ending| ending.eq_ignore_ascii_case("txt"))
    }

    pub(crate) fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// One range of the object.
    pub(crate) async fn bytes(&self, range: Range<u64>) -> Result<Bytes, Error> {
        // Stores refuse a range without a byte, which a forged footer can name.
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        if self.is_local() {
            let mut read = Local::open(self).await?.ranges(self, std::slice::from_ref(&range)).await?;
            return Ok(read.pop().unwrap_or_default());
        }
        let expected = range.end - range.start;
        let result = self.get(Some(range)).await?;
        let bytes = result.bytes().await.map_err(|cause| self.failed(cause))?;
        self.took(&bytes);
        if bytes.len() as u64 != expected {
            return Err(self.replaced());
        }
        Ok(bytes)
    }

    /// Some ranges of the object; near ones in one request, and none for those that were read before.
    pub(crate) async fn ranges(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, Error> {
        let cache = &self.source.ranges;
        let Some(version) = self.version().filter(|_| cache.are_on()) else { return self.unkept(ranges).await };
        let mut kept = cache.get(&version, ranges).await;
        let missing: Vec<Range<u64>> =
            ranges.iter().zip(&kept).filter(|(_, kept)| kept.is_none()).map(|(range, _)| range.clone()).collect();
        if let Some(reads) = &self.reads {
            reads.hit(ranges.len() - missing.len());
        }
        if !missing.is_empty() {
            let read = self.unkept(&missing).await?;
            missing.iter().zip(&read).for_each(|(range, bytes)| cache.put(&version, range, bytes));
            let places = kept.iter_mut().filter(|kept| kept.is_none());
            places.zip(read).for_each(|(place, bytes)| *place = Some(bytes));
        }
        Ok(kept.into_iter().flatten().collect())
    }

    fn took(&self, bytes: &Bytes) {
        if let Some(reads) = &self.reads {
            reads.took(bytes.len());
        }
    }

    async fn unkept(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, Error> {
        if self.is_local() {
            return Local::open(self).await?.ranges(self, ranges).await;
        }
        coalesce_ranges(ranges, |range| self.bytes(range), GAP_BYTES_MAX).await
    }

    pub(crate) fn is_local(&self) -> bool {
        self.source.folder.is_some()
    }

    /// What names this version of the object and no other; `None` of a local file, which the system keeps in memory itself.
    fn version(&self) -> Option<Arc<str>> {
        let etag = self.file.etag.as_ref().filter(|_| !self.is_local())?;
        Some(format!("{}\n{}\n{}\n{etag}", self.source.url, self.key(), self.file.bytes).into())
    }

    /// The whole object, in its order.
    pub(crate) fn stream(self: &Arc<Self>) -> BoxStream<'static, Result<Bytes, Error>> {
        if self.is_local() {
            return self.blocks();
        }
        let pinned = Arc::clone(self);
        let open = async move {
            let result = pinned.get(None).await?;
            let chunks = result.into_stream().map_err({
                let pinned = Arc::clone(&pinned);
                move |cause| pinned.failed(cause)
            });
            Ok::<_, Error>(whole(chunks.boxed(), pinned))
        };
        stream::once(open).try_flatten().boxed()
    }

    /// A local file, the next blocks read while one is worked on.
    fn blocks(self: &Arc<Self>) -> BoxStream<'static, Result<Bytes, Error>> {
        let pinned = Arc::clone(self);
        let open = async move {
            let (local, size) = (Local::open(&pinned).await?, pinned.file.bytes);
            let starts = (0..size.div_ceil(LOCAL_BLOCK_BYTES)).map(|block| block * LOCAL_BLOCK_BYTES);
            let read = move |start: u64| {
                let (pinned, local) = (Arc::clone(&pinned), Arc::clone(&local));
                async move {
                    let block = start..size.min(start + LOCAL_BLOCK_BYTES);
                    Ok(local.ranges(&pinned, &[block]).await?.pop().unwrap_or_default())
                }
            };
            Ok::<_, Error>(stream::iter(starts).map(read).buffered(LOCAL_BLOCKS_AHEAD))
        };
        stream::once(open).try_flatten().boxed()
    }

    async fn get(&self, range: Option<Range<u64>>) -> Result<GetResult, Error> {
        let result = self.source.store.get_opts(&self.file.path, self.options(range)).await;
        let result = result.map_err(|cause| self.failed(cause))?;
        if result.meta.size == self.file.bytes { Ok(result) } else { Err(self.replaced()) }
    }

    /// A store without ETags has at least the time of the last change.
    fn options(&self, range: Option<Range<u64>>) -> GetOptions {
        GetOptions {
            if_match: self.file.etag.clone(),
            if_unmodified_since: self.file.etag.is_none().then_some(self.file.modified_at),
            range: range.map(Into::into),
            ..Default::default()
        }
    }

    fn failed(&self, cause: object_store::Error) -> Error {
        match cause {
            object_store::Error::Precondition { .. }
            | object_store::Error::NotFound { .. }
            | object_store::Error::NotModified { .. } => self.replaced(),
            other => self.source.failed(other),
        }
    }

    pub(crate) fn replaced(&self) -> Error {
        Error::Replaced { table: self.table.clone(), file: self.key().to_owned() }
    }

    pub(crate) fn unreadable(&self, reason: impl Into<String>) -> Error {
        Error::UnreadableFile { table: self.table.clone(), file: self.key().to_owned(), reason: reason.into() }
    }

    /// `feature` is what the file has, with its article.
    pub(crate) fn unsupported(&self, feature: impl Into<String>) -> Error {
        Error::UnsupportedFile { table: self.table.clone(), file: self.key().to_owned(), feature: feature.into() }
    }

    pub(crate) fn too_wide(&self, columns: usize) -> Error {
        let (table, file) = (self.table.clone(), self.key().to_owned());
        Error::WideFile { table, file, columns, columns_max: COLUMNS_MAX }
    }

    pub(crate) fn too_large(&self, reason: impl Into<String>) -> Error {
        Error::TooLarge { table: self.table.clone(), file: self.key().to_owned(), reason: reason.into() }
    }
}

/// Fails a body that ends early or late: a proxy that answers a resumed read from the start must not splice.
fn whole(
    chunks: BoxStream<'static, Result<Bytes, Error>>,
    pinned: Arc<Pinned>,
) -> BoxStream<'static, Result<Bytes, Error>> {
    stream::try_unfold((chunks, 0_u64), move |(mut chunks, read)| {
        let pinned = Arc::clone(&pinned);
        async move {
            match chunks.try_next().await? {
                Some(chunk) => {
                    let read = read + chunk.len() as u64;
                    pinned.took(&chunk);
                    if read > pinned.file.bytes { Err(pinned.replaced()) } else { Ok(Some((chunk, (chunks, read)))) }
                }
                None if read == pinned.file.bytes => Ok(None),
                None => Err(pinned.replaced()),
            }
        }
    })
    .boxed()
}
