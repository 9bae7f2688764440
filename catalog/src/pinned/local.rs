//! A file of a local folder, kept open from one read to the next.
//!
//! Owns: that all which is read of it is of one version. A read changes the thread once, whatever it reads; through the
//! store each range would do so three times, and a scan waits for nothing else as often.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use object_store::GetResultPayload;
use rustix::buffer::spare_capacity;
use rustix::io::pread;

use super::Pinned;
use crate::Error;

#[derive(Debug)]
pub(crate) struct Local {
    file: File,
    /// Of the pinned version.
    modified_at: SystemTime,
}

impl Local {
    /// The store opens the file, and looks at what it has opened.
    pub(crate) async fn open(pinned: &Pinned) -> Result<Arc<Self>, Error> {
        let opened = pinned.get(None).await?;
        match opened.payload {
            GetResultPayload::File(file, _) => {
                Ok(Arc::new(Self { file, modified_at: opened.meta.last_modified.into() }))
            }
            GetResultPayload::Stream(_) => Err(pinned.unreadable("the store of a folder opens no file")),
        }
    }

    /// Some ranges, one after the other.
    pub(crate) async fn ranges(self: &Arc<Self>, pinned: &Pinned, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, Error> {
        let (local, ranges, size) = (Arc::clone(self), ranges.to_vec(), pinned.file.bytes);
        let read = move || {
            let read = ranges.iter().map(|range| local.range(range, size)).collect::<io::Result<Vec<_>>>()?;
            // A file can be written while it is read; a store's object cannot.
            let now = local.file.metadata()?;
            Ok((now.len() == size && now.modified()? == local.modified_at).then_some(read))
        };
        match tokio::task::spawn_blocking(read).await.map_err(io::Error::other).flatten() {
            Ok(Some(read)) => {
                read.iter().for_each(|bytes| pinned.took(bytes));
                Ok(read)
            }
            Ok(None) => Err(pinned.replaced()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(pinned.replaced()),
            Err(error) => Err(pinned.unreadable(error.to_string())),
        }
    }

    /// Memory is asked for what the file has, whatever a forged footer names.
    fn range(&self, range: &Range<u64>, size: u64) -> io::Result<Bytes> {
        if range.end > size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let length = usize::try_from(range.end.saturating_sub(range.start)).map_err(io::Error::other)?;
        let (mut bytes, mut at) = (Vec::with_capacity(length), range.start);
        while bytes.len() < length {
            // The room of a vector can be more than was asked for.
            let read = pread(&self.file, spare_capacity(&mut bytes), at)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            at += read as u64;
        }
        bytes.truncate(length);
        Ok(bytes.into())
    }
}
