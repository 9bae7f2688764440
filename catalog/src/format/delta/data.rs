//! The files of a table as the store has them, each with what is known of its values.
//!
//! Owns: that a file which is missing or is another is an error of the queries that need it. Must never know: a query.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::StringArray;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema};
use chrono::DateTime;
use datafusion::common::ScalarValue;
use futures::{StreamExt, stream};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};

use super::action::Add;
use super::schema::{Columned, FILE_NUMBER};
use super::{Files, folder, stats};
use crate::Error;
use crate::format::bounds::{Bounds, FileBounds};
use crate::format::{AT_ONCE, parquet};
use crate::layout::Compression;
use crate::manifest::DataFile;
use crate::pinned::Pinned;

/// Files that are looked at before other work gets its turn.
const CHUNK: usize = 4_096;

/// Bounds that are kept of one table: of so many files times columns, the first ones.
const BOUNDS_MAX: usize = 8 << 20;

/// What is found of the files of a table.
#[derive(Debug)]
pub(super) struct Data {
    /// With the number of rows that are of the table.
    pub(super) files: Vec<(Arc<Pinned>, usize)>,
    /// Files that cannot be read, by their places.
    pub(super) faults: HashMap<usize, Error>,
    /// Of some files after the other.
    pub(super) bounds: Vec<Bounds>,
    /// The columns that have bounds.
    pub(super) bounded: Schema,
}

/// What is found of a file.
struct Look {
    file: Arc<Pinned>,
    bounds: FileBounds,
    fault: Option<Error>,
}

/// Columns of files, each with its name in the log.
type Told<'a> = [&'a (Field, String)];

impl Files<'_> {
    pub(super) async fn data(&self, adds: &[&Arc<Add>], columned: &Columned) -> Result<Data, Error> {
        let mut values = Vec::with_capacity(columned.partitions.len());
        for (field, name) in columned.partitions.iter().filter_map(|place| columned.columns.get(*place)) {
            let of_files = match name.as_str() {
                FILE_NUMBER => (0..adds.len()).map(|at| ScalarValue::Int64(i64::try_from(at).ok())).collect(),
                _ => self.partition(adds, field.data_type(), name)?,
            };
            values.push(of_files.into_iter());
        }
        let told: Vec<_> = columned.of_files().take(BOUNDS_MAX / adds.len().max(1)).collect();
        let mut data = Data {
            files: Vec::with_capacity(adds.len()),
            bounded: Schema::new(told.iter().map(|(field, _)| field.clone()).collect::<Vec<_>>()),
            faults: HashMap::new(),
            bounds: Vec::new(),
        };
        for chunk in adds.chunks(CHUNK) {
            let mut looks = Vec::with_capacity(chunk.len());
            for add in chunk {
                let partitions = values.iter_mut().filter_map(Iterator::next).collect();
                looks.push(self.look((add, partitions), columned, &told));
            }
            let mut looks = stream::iter(looks).buffered(AT_ONCE);
            let mut hints = Vec::with_capacity(chunk.len());
            while let Some(look) = looks.next().await {
                let Look { file, bounds, fault } = look?;
                data.faults.extend(fault.map(|fault| (data.files.len(), fault)));
                let rows = bounds.rows.saturating_sub(bounds.deleted);
                data.files.push((file, usize::try_from(rows).unwrap_or(usize::MAX)));
                hints.push(bounds);
            }
            let mut bounds = Bounds::of_partitions(hints.len(), &[]);
            bounds.add_hints(&data.bounded, &hints);
            data.bounds.push(bounds);
            tokio::task::yield_now().await;
        }
        Ok(data)
    }

    /// Finds a file, and what the log or else its footer says of it.
    async fn look(
        &self,
        (add, partitions): (&Add, Vec<ScalarValue>),
        columned: &Columned,
        told: &Told<'_>,
    ) -> Result<Look, Error> {
        let key = self.named(self.folder, &add.path, &folder::log(self.folder))?;
        let (mut file, mut fault) = self.object(&key).await?;
        if fault.is_none() && file.bytes != add.size {
            let reason = format!("it has {} bytes, and {} in the log of its table", file.bytes, add.size);
            fault = Some(self.unreadable(key.to_string(), reason));
        }
        file.partitions = partitions;
        let file = Pinned::new(self.table.to_owned(), Arc::new(file), Arc::clone(self.source));
        let file = Arc::new(file.with_names(columned.names.clone()));
        let stats = add.stats.as_ref();
        let mut bounds =
            stats.and_then(|stats| stats::bounds(stats, told.iter().map(|(field, name)| (field, &**name))));
        if bounds.is_none() && fault.is_none() {
            match parquet::look(&file, self.footers).await {
                Ok(look) => bounds = Some(look.bounds),
                Err(error) if error.is_of_content() => fault = Some(error),
                Err(error) => return Err(error),
            }
        }
        // A query that does not need a missing file is answered; nothing is known of one that is another.
        let is_as_told = fault.as_ref().is_none_or(|fault| matches!(fault, Error::MissingFile { .. }));
        let mut bounds = match bounds.filter(|_| is_as_told) {
            Some(bounds) => bounds,
            None => {
                let unknown = told.iter().map(|(field, _)| field.name().clone()).collect();
                FileBounds { rows: 1, unknown, ..FileBounds::default() }
            }
        };
        bounds.deleted = add.deletion_vector.as_ref().map_or(0, |vector| vector.cardinality);
        Ok(Look { file, bounds, fault })
    }

    /// A file as the store has it. The listing may be older than the log in it.
    pub(super) async fn object(&self, key: &Path) -> Result<(DataFile, Option<Error>), Error> {
        if let Some(listed) = self.listed(key) {
            return Ok((DataFile::clone(&listed.file), None));
        }
        match self.source.store.head(key).await {
            Ok(object) => Ok((DataFile::new(&object, Compression::None, Vec::new()), None)),
            Err(object_store::Error::NotFound { .. }) => {
                let fault = Error::MissingFile { table: self.table.to_owned(), file: key.to_string() };
                let (location, last_modified) = (key.clone(), DateTime::default());
                let missing = ObjectMeta { location, last_modified, size: 0, e_tag: None, version: None };
                Ok((DataFile::new(&missing, Compression::None, Vec::new()), Some(fault)))
            }
            Err(cause) => Err(self.source.failed(cause)),
        }
    }

    /// The values of a partition in all files.
    fn partition(&self, adds: &[&Arc<Add>], data_type: &DataType, name: &str) -> Result<Vec<ScalarValue>, Error> {
        // The protocol writes a value that is missing as no text.
        let texts = adds.iter().map(|add| {
            let text = add.partition_values.get(name).and_then(Option::as_deref);
            text.filter(|text| !text.is_empty())
        });
        let texts: StringArray = texts.collect();
        let options = CastOptions { safe: false, ..Default::default() };
        let damaged = |reason: String| {
            let reason = format!("a value of partition column \"{name}\" is damaged: {reason}");
            self.unreadable(folder::log(self.folder), reason)
        };
        let values = cast_with_options(&texts, data_type, &options).map_err(|error| damaged(error.to_string()))?;
        let values = (0..adds.len()).map(|at| ScalarValue::try_from_array(&values, at));
        values.collect::<Result<_, _>>().map_err(|error| damaged(error.to_string()))
    }
}
