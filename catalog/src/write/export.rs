//! One object that COPY TO makes, at a place that the statement names.
//!
//! Owns: where such an object may be, that none is overwritten, and that it is seen when it is whole. Must never know: how a
//! row becomes bytes, but in Parquet.

use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::errors::ParquetError;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::execution::memory_pool::MemoryReservation;
use futures::StreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode};

use super::commit::{self, Put};
use super::leftovers::Held;
use super::upload::Upload;
use super::{Fault, Probe, file};
use crate::Error;
use crate::definition::Location;
use crate::layout::is_hidden;
use crate::publish::Lake;
use crate::store::Source;

/// An object that is not there yet. Dropped before its end it never is.
pub struct Export {
    /// As the statement has it.
    location: String,
    place: usize,
    source: Arc<Source>,
    path: Path,
    /// Until it is complete.
    upload: Option<Upload>,
    held: Held,
    parquet: Option<ArrowWriter<Vec<u8>>>,
    memory: MemoryReservation,
}

impl Lake {
    /// Begins an object at a URL or path inside a source that may be written.
    ///
    /// 42501 if it is elsewhere or belongs to a table's own files, 25006 if the source is read-only, 58P02 if it is there.
    pub async fn export(&self, location: &str, memory: MemoryReservation) -> Result<Export, Error> {
        let outside = |reason: &str| Fault::Place { location: location.to_owned(), reason: reason.to_owned() };
        let found = Location::resolve(location, &self.sources).filter(|_| !location.ends_with('/'));
        let found = found.ok_or_else(|| outside("It is in no source of the lake."))?;
        let place = match found.source() {
            Some(place) => place,
            // A path from no root is one of where new tables are.
            None => self.sources.iter().position(|source| source.probe.is_writable()).unwrap_or_default(),
        };
        let Some(source) = self.sources.get(place) else { return Err(outside("The lake has no source.").into()) };
        if !source.probe.is_writable() {
            return Err(Fault::ReadOnlyPlace { location: location.to_owned() }.into());
        }
        let key = found.prefix();
        let path = Path::parse(key).ok().filter(|path| path.as_ref() == key && !key.chars().any(char::is_control));
        let path = path.ok_or_else(|| outside("It is no name of an object."))?;
        if key.split('/').any(is_hidden) {
            return Err(outside("Objects there are hidden: they belong to Lakegate, or to the log of a table.").into());
        }
        Probe::pass(source).await?;
        let folders: Vec<&str> = key.match_indices('/').filter_map(|(at, _)| key.get(..at)).collect();
        for folder in folders {
            let log = Path::from(format!("{folder}/_delta_log"));
            if source.store.list(Some(&log)).next().await.transpose().map_err(Fault::store)?.is_some() {
                return Err(outside("It is in the folder of a Delta table.").into());
            }
        }
        refuse_taken(source, &path, location).await?;
        let export = Export {
            location: location.to_owned(),
            place,
            held: Held::new(source, &self.leftovers),
            source: Arc::clone(source),
            upload: Some(Upload::new(path.clone())),
            path,
            parquet: None,
            memory,
        };
        Ok(export)
    }

    /// Completes an object, and looks at it.
    pub async fn exported(&self, export: Export) -> Result<(), Error> {
        let (place, path) = (export.place, export.path.clone());
        export.finish().await?;
        self.look_after(place, vec![path]).await;
        Ok(())
    }
}

impl Export {
    /// From now on rows are taken, of these columns.
    pub fn as_parquet(mut self, columns: SchemaRef) -> Result<Self, Error> {
        let properties = file::properties().map_err(failed)?;
        self.parquet = Some(ArrowWriter::try_new(Vec::new(), columns, Some(properties)).map_err(failed)?);
        Ok(self)
    }

    /// Takes rows of a Parquet file.
    pub async fn write(&mut self, rows: &RecordBatch) -> Result<(), Error> {
        if let Some(parquet) = &mut self.parquet {
            parquet.write(rows).map_err(failed)?;
        }
        self.send().await?;
        if self.memory.try_resize(self.memory_bytes()).is_ok() {
            return Ok(());
        }
        if let Some(parquet) = &mut self.parquet {
            parquet.flush().map_err(failed)?;
        }
        self.send().await?;
        self.account()
    }

    /// Takes bytes of any other file.
    pub async fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if let Some(upload) = &mut self.upload {
            upload.take(&mut bytes.to_vec());
        }
        self.send().await?;
        self.account()
    }

    fn account(&mut self) -> Result<(), Error> {
        let resized = self.memory.try_resize(self.memory_bytes());
        resized.map_err(|error| Fault::Memory { reason: error.strip_backtrace() }.into())
    }

    fn memory_bytes(&self) -> usize {
        let uploading = self.upload.as_ref().map_or(0, Upload::memory_bytes);
        self.parquet.as_ref().map_or(0, ArrowWriter::memory_size) + uploading
    }

    async fn send(&mut self) -> Result<(), Error> {
        let Some(upload) = &mut self.upload else { return Ok(()) };
        if let Some(parquet) = &mut self.parquet {
            upload.take(parquet.inner_mut());
        }
        upload.send(&self.source).await
    }

    /// What is less than a part is put where nothing is. No store completes an upload of parts on a condition, so that of two large
    /// objects which are made at one place at the very same time the last one stays.
    async fn finish(mut self) -> Result<(), Error> {
        if let Some(parquet) = &mut self.parquet {
            parquet.finish().map_err(failed)?;
        }
        self.send().await?;
        if self.upload.as_ref().is_some_and(Upload::is_in_parts) {
            refuse_taken(&self.source, &self.path, &self.location).await?;
        }
        let Some(upload) = self.upload.take() else { return Ok(()) };
        if upload.is_in_parts() {
            return upload.finish(&self.source, PutMode::Overwrite).await.map_err(Fault::store);
        }
        match commit::put(&self.source, &self.path, upload.into_bytes(), &self.location).await? {
            Put::Done => Ok(()),
            Put::Taken => Err(taken(&self.location)),
        }
    }
}

/// What is there already stays as it is.
async fn refuse_taken(source: &Source, path: &Path, location: &str) -> Result<(), Error> {
    match source.store.head(path).await {
        Ok(_) => Err(taken(location)),
        Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(Fault::store(error)),
    }
}

fn taken(location: &str) -> Error {
    Fault::Taken { location: location.to_owned() }.into()
}

impl Drop for Export {
    fn drop(&mut self) {
        if let Some(upload) = self.upload.take() {
            upload.abort(&self.held);
        }
    }
}

fn failed(error: ParquetError) -> Error {
    Fault::Rows { table: String::new(), reason: error.to_string() }.into()
}
