//! Footers and page indexes of Parquet files, read once per version of a file and remembered within a limit.
//!
//! Owns: what a hostile footer may cost. A panic while one is decoded is an error of the file.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use parquet::arrow::async_reader::MetadataFetch;
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};

use super::levels::Looked;
use super::{claims, guard};
use crate::Error;
use crate::pinned::Pinned;

/// What is read of a file's end at once: most footers fit, and the page index stands before them.
const TAIL_BYTES: u64 = 64 << 10;

/// Length and magic number.
const END_BYTES: u64 = 8;
const MAGIC: &[u8] = b"PAR1";
const ENCRYPTED_MAGIC: &[u8] = b"PARE";

const FOOTER_BYTES_MAX: u64 = 64 << 20;

/// Memory of all footers together.
const CACHE_BYTES_MAX: usize = 128 << 20;

/// Of it, what a look may take that nobody's query has asked for: a lake of many files is looked at as a whole, and not read.
const LOOKED_BYTES_MAX: usize = 16 << 20;

/// One version of one file.
type Key = (String, String, Option<String>);

/// A file, and all of its bytes if somebody has them.
pub(crate) struct Part<'a> {
    pub(crate) file: &'a Pinned,
    pub(crate) whole: Option<&'a Bytes>,
}

impl Part<'_> {
    /// A range inside the file.
    async fn bytes(&self, range: Range<u64>) -> Result<Bytes, Error> {
        let place = |at: u64| usize::try_from(at).ok();
        match (self.whole, place(range.start), place(range.end)) {
            (Some(whole), Some(start), Some(end)) if start <= end && end <= whole.len() => Ok(whole.slice(start..end)),
            _ => self.file.bytes(range).await,
        }
    }
}

/// The footers that were read last.
#[derive(Debug, Default)]
pub(crate) struct Footers(Mutex<Cache>);

#[derive(Debug, Default)]
struct Cache {
    entries: HashMap<Key, Entry>,
    /// When an entry was last used, so that the first is the oldest.
    uses: BTreeMap<u64, Key>,
    clock: u64,
    bytes: usize,
    /// Footers that were asked of a store.
    reads: u64,
}

#[derive(Debug)]
struct Entry {
    metadata: Arc<ParquetMetaData>,
    looked: Arc<Looked>,
    /// Whether the page index was asked for, and is in `metadata` if the file has one.
    with_index: bool,
    bytes: usize,
    used: u64,
}

impl Footers {
    /// The footer of a file, perhaps without its page index.
    pub(crate) async fn footer(&self, file: &Pinned) -> Result<Arc<ParquetMetaData>, Error> {
        let key = key(file);
        if let Some((metadata, _)) = self.0.lock().get(&key) {
            return Ok(metadata);
        }
        let metadata = Arc::new(self.read(&Part { file, whole: None }).await?);
        self.0.lock().put_looked(key, Arc::clone(&metadata));
        Ok(metadata)
    }

    /// The footer of a file with its page index, if it has one; `None` if they would have to be read.
    pub(crate) fn known(&self, file: &Pinned) -> Option<Arc<ParquetMetaData>> {
        let (metadata, with_index) = self.0.lock().get(&key(file))?;
        with_index.then_some(metadata)
    }

    /// The footer of a file with its page index, if it has one.
    pub(crate) async fn footer_and_index(&self, part: &Part<'_>) -> Result<Arc<ParquetMetaData>, Error> {
        let key = key(part.file);
        let known = self.0.lock().get(&key);
        let footer = match known {
            Some((metadata, true)) => return Ok(metadata),
            Some((metadata, false)) => metadata,
            None => Arc::new(self.read(part).await?),
        };
        let metadata = Arc::new(index(part, Arc::unwrap_or_clone(footer)).await?);
        self.0.lock().put(key, Arc::clone(&metadata), true);
        Ok(metadata)
    }

    /// The footer of a shadow, which has its page index, by the name of the shadow.
    pub(crate) async fn of_shadow(
        &self,
        name: String,
        reading: impl Future<Output = Result<ParquetMetaData, Error>>,
    ) -> Result<Arc<ParquetMetaData>, Error> {
        let key = (String::new(), name, None);
        if let Some((metadata, _)) = self.0.lock().get(&key) {
            return Ok(metadata);
        }
        let metadata = Arc::new(reading.await?);
        self.0.lock().put(key, Arc::clone(&metadata), true);
        Ok(metadata)
    }

    /// Which columns of a file were looked at; none, if its footer is not remembered.
    pub(super) fn looked(&self, file: &Pinned) -> Arc<Looked> {
        self.0.lock().entries.get(&key(file)).map(|entry| Arc::clone(&entry.looked)).unwrap_or_default()
    }

    /// How many footers were asked of a store.
    pub(crate) fn reads(&self) -> u64 {
        self.0.lock().reads
    }

    async fn read(&self, part: &Part<'_>) -> Result<ParquetMetaData, Error> {
        self.0.lock().reads += 1;
        read(part).await
    }
}

impl Cache {
    fn get(&mut self, key: &Key) -> Option<(Arc<ParquetMetaData>, bool)> {
        let entry = self.entries.get_mut(key)?;
        self.clock += 1;
        if let Some(key) = self.uses.remove(&entry.used) {
            self.uses.insert(self.clock, key);
        }
        entry.used = self.clock;
        Some((Arc::clone(&entry.metadata), entry.with_index))
    }

    /// Keeps what a look has read, while there is little else.
    fn put_looked(&mut self, key: Key, metadata: Arc<ParquetMetaData>) {
        if self.bytes < LOOKED_BYTES_MAX {
            self.put(key, metadata, false);
        }
    }

    fn put(&mut self, key: Key, metadata: Arc<ParquetMetaData>, with_index: bool) {
        self.remove(&key);
        self.clock += 1;
        let (root, path, version) = &key;
        let text_bytes = root.len() + path.len() + version.as_ref().map_or(0, String::len);
        let looked = Arc::new(Looked::of(&metadata));
        // The key is in both maps.
        let bytes = metadata.memory_size() + looked.bytes() + size_of::<Entry>() + 2 * (size_of::<Key>() + text_bytes);
        self.bytes += bytes;
        self.uses.insert(self.clock, key.clone());
        self.entries.insert(key, Entry { metadata, looked, with_index, bytes, used: self.clock });
        while self.bytes > CACHE_BYTES_MAX {
            let Some((_, oldest)) = self.uses.first_key_value() else { break };
            let oldest = oldest.clone();
            self.remove(&oldest);
        }
    }

    fn remove(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key) {
            self.uses.remove(&entry.used);
            self.bytes -= entry.bytes;
        }
    }
}

/// A store without ETags is told apart by time and size.
fn key(file: &Pinned) -> Key {
    let version = file.file.etag.clone().or_else(|| Some(format!("{}-{}", file.file.modified_at, file.file.bytes)));
    // Under other names a footer is another.
    let version = match file.names() {
        Some(names) => Some(format!("{} {}", version.unwrap_or_default(), names.label)),
        None => version,
    };
    (file.source().root.clone(), file.key().to_owned(), version)
}

/// Reads and decodes a footer.
async fn read(part: &Part<'_>) -> Result<ParquetMetaData, Error> {
    let file = part.file;
    let size = file.file.bytes;
    if size < END_BYTES + MAGIC.len() as u64 {
        return Err(file.unreadable("the file is too short for Parquet"));
    }
    let tail_start = size.saturating_sub(TAIL_BYTES);
    let tail = part.bytes(tail_start..size).await?;
    let length = footer_length(&tail).map_err(|reason| file.unreadable(reason))?;
    let footer_end = size - END_BYTES;
    let footer_start = footer_end
        .checked_sub(length)
        .filter(|start| *start >= MAGIC.len() as u64 && length > 0)
        .ok_or_else(|| file.unreadable(format!("the footer cannot be {length} bytes long")))?;
    if length > FOOTER_BYTES_MAX {
        return Err(file.too_large(format!("the footer of {length} bytes is larger than {FOOTER_BYTES_MAX}")));
    }
    let footer = if footer_start >= tail_start {
        let place = |at: u64| usize::try_from(at - tail_start).unwrap_or(usize::MAX);
        tail.slice(place(footer_start)..place(footer_end))
    } else {
        part.bytes(footer_start..footer_end).await?
    };
    claims::footer(&footer).map_err(|fault| fault.of(file))?;
    // Thrift of unknown origin: some of it makes the decoder panic.
    let decode = || {
        let metadata = ParquetMetaDataReader::decode_metadata(&footer)?;
        match file.names() {
            Some(names) => names.rename(&metadata),
            None => Ok(metadata),
        }
    };
    match std::panic::catch_unwind(AssertUnwindSafe(decode)) {
        Ok(Ok(metadata)) => Ok(metadata),
        Ok(Err(error)) => Err(file.unreadable(format!("the footer is damaged: {}", reason(&error)))),
        Err(_) => Err(file.unreadable("the footer is damaged")),
    }
}

fn footer_length(tail: &[u8]) -> Result<u64, &'static str> {
    match tail.last_chunk::<8>() {
        Some([a, b, c, d, magic @ ..]) if magic == MAGIC => Ok(u64::from(u32::from_le_bytes([*a, *b, *c, *d]))),
        Some([_, _, _, _, magic @ ..]) if magic == ENCRYPTED_MAGIC => Err("the file is encrypted"),
        _ => Err("the file does not end as Parquet does"),
    }
}

/// Adds the page index to a footer.
async fn index(part: &Part<'_>, footer: ParquetMetaData) -> Result<ParquetMetaData, Error> {
    let file = part.file;
    let fetch = Fetch { part, indexes: claims::indexes(&footer) };
    let mut reader = ParquetMetaDataReader::new_with_metadata(footer).with_page_index_policy(PageIndexPolicy::Optional);
    let loading = async {
        reader.load_page_index(fetch).await?;
        reader.finish()
    };
    match AssertUnwindSafe(loading).catch_unwind().await {
        Ok(Ok(metadata)) => Ok(metadata),
        Ok(Err(ParquetError::External(error))) => match error.downcast::<Error>() {
            Ok(ours) => Err(*ours),
            Err(other) => Err(file.unreadable(format!("the page index is damaged: {other}"))),
        },
        Ok(Err(error)) => Err(file.unreadable(format!("the page index is damaged: {}", reason(&error)))),
        Err(_) => Err(file.unreadable("the page index is damaged")),
    }
}

/// What the decoder did not like.
fn reason(error: &ParquetError) -> String {
    guard::of_parquet(error).unwrap_or_else(|| error.to_string())
}

/// Reads the indexes of pages, from places that the footer names.
struct Fetch<'a> {
    part: &'a Part<'a>,
    indexes: Vec<Range<u64>>,
}

impl MetadataFetch for Fetch<'_> {
    fn fetch(&mut self, range: Range<u64>) -> BoxFuture<'_, parquet::errors::Result<Bytes>> {
        let Self { part, indexes } = self;
        if range.end > part.file.file.bytes || range.start > range.end {
            let error = ParquetError::General("a range lies outside the file".into());
            return async { Err(error) }.boxed();
        }
        async move {
            let bytes = part.bytes(range.clone()).await.map_err(|error| ParquetError::External(Box::new(error)))?;
            claims::index(indexes, &range, &bytes)
                .map_err(|fault| ParquetError::External(Box::new(fault.of(part.file))))?;
            Ok(bytes)
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use parquet::file::metadata::FileMetaData;
    use parquet::schema::parser::parse_message_type;
    use parquet::schema::types::SchemaDescriptor;

    use super::*;

    #[test]
    fn looks_fill_a_part_of_the_memory_and_queries_all_of_it() {
        let schema = parse_message_type("message t { required int64 x; }").unwrap();
        let schema = Arc::new(SchemaDescriptor::new(Arc::new(schema)));
        let footer =
            || Arc::new(ParquetMetaData::new(FileMetaData::new(1, 0, None, None, Arc::clone(&schema), None), vec![]));
        let key = |at: usize| ("lake".to_owned(), format!("s/t/{at}.parquet"), Some("etag".to_owned()));
        let mut cache = Cache::default();
        (0..100_000).for_each(|at| cache.put_looked(key(at), footer()));
        let looked = cache.entries.len();
        assert!(looked > 100 && looked < 100_000 && cache.bytes < LOOKED_BYTES_MAX + 4096, "{looked}, {}", cache.bytes);
        cache.put(key(100_000), footer(), true);
        cache.put_looked(key(100_001), footer());
        assert!(cache.get(&key(100_000)).is_some() && cache.get(&key(100_001)).is_none());
        (0..250_000).for_each(|at| cache.put(key(at), footer(), true));
        assert!(cache.bytes <= CACHE_BYTES_MAX && cache.entries.len() > looked);
    }
}
