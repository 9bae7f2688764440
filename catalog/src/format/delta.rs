//! Delta tables: which files are of the table says its log. How a file is read is Parquet's.
//!
//! Owns: from a log to a table that is ready to be read. Must never do: write.

mod action;
mod checkpoint;
mod deletions;
pub(crate) mod folder;
mod listed;
mod log;
mod path;
mod schema;
mod stats;
mod vector;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::array::StringArray;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, FieldRef, Schema};
use chrono::DateTime;
use datafusion::common::ScalarValue;
use futures::{FutureExt, StreamExt, stream};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};
use tokio::sync::OnceCell;

use self::action::{Add, Vector};
use self::deletions::Deletions;
use self::schema::{Columned, Fault};
use self::vector::Place;
use super::bounds::{Bounds, FileBounds};
use super::open::{Content, Failure, Opened};
use super::parquet::{self, Footers};
use super::{AT_ONCE, COLUMNS_MAX};
use crate::Error;
use crate::layout::Compression;
use crate::manifest::{DataFile, Manifest};
use crate::pinned::Pinned;
use crate::prune::Partitions;
use crate::store::Source;

pub(crate) use self::log::State;

/// What a Delta table has beside its files.
#[derive(Debug)]
pub(crate) struct Delta {
    pub(crate) state: Arc<State>,
    /// For each column as the table shows it, its place with the partitions last.
    pub(crate) order: Vec<usize>,
    /// Files that cannot be read: they are missing or damaged. By their places.
    faults: HashMap<usize, Error>,
    /// Of files with deleted rows.
    vectors: HashMap<usize, Deletions>,
}

impl Delta {
    /// Whether the rows of its files are its rows, all of them.
    pub(crate) fn is_plain(&self) -> bool {
        self.faults.is_empty() && self.vectors.is_empty()
    }
}

/// The objects of a table's folder, and how to name them.
struct Files<'a> {
    table: &'a str,
    folder: &'a str,
    source: &'a Arc<Source>,
    footers: &'a Arc<Footers>,
    all: &'a [Arc<Pinned>],
    by_key: HashMap<&'a str, &'a Arc<Pinned>>,
}

/// Opens a table; `last` is its state when it was opened before.
pub(crate) async fn open(
    table: &str,
    manifest: &Manifest,
    all: &[Arc<Pinned>],
    (footers, last): (&Arc<Footers>, Option<&Arc<State>>),
) -> Result<Opened, Failure> {
    let (Some(folder), Some(first)) = (&manifest.folder, all.first()) else {
        return Err(Error::MissingFile { table: table.to_owned(), file: folder::log("") }.into());
    };
    let source = first.source();
    let by_key = all.iter().map(|file| (file.key(), file)).collect();
    let files = Files { table, folder, source, footers, all, by_key };
    // A log is of unknown origin: no line of it may end the process.
    let opening = AssertUnwindSafe(files.open(last)).catch_unwind();
    let damaged = |_| files.unreadable(folder::log(folder), "the log is damaged");
    Ok(opening.await.map_err(damaged)??)
}

impl Files<'_> {
    async fn open(&self, last: Option<&Arc<State>>) -> Result<Opened, Error> {
        let state = log::read(self, last).await?;
        let unsupported = |feature| Error::Unsupported { table: self.table.to_owned(), feature };
        if let Some(unknown) = state.protocol.unknown() {
            return Err(unsupported(unknown));
        }
        let columned = schema::parse(&state.metadata).map_err(|fault| match fault {
            Fault::Unsupported(feature) => unsupported(feature),
            Fault::Damaged(reason) => self.unreadable(folder::log(self.folder), reason),
        })?;
        let columns = columned.columns.len();
        if columns > COLUMNS_MAX {
            return Err(Error::TooManyColumns { table: self.table.to_owned(), columns, columns_max: COLUMNS_MAX });
        }
        let adds: Vec<&Arc<Add>> = state.files.values().collect();
        let (pinned, mut faults) = self.pin(&adds, &columned).await?;
        let bounds = self.bounds(&adds, &pinned, &columned, &mut faults).await?;
        let mut vectors = HashMap::new();
        for (at, add) in adds.iter().enumerate() {
            let (Some(vector), Some(file)) = (&add.deletion_vector, pinned.get(at)) else { continue };
            match self.deletions(vector, file).await? {
                Ok(deletions) => drop(vectors.insert(at, deletions)),
                Err(fault) => drop(faults.insert(at, fault)),
            }
        }
        let order = order(&columned);
        let delta = Delta { state: Arc::clone(&state), order, faults, vectors };
        self.opened(&columned, (pinned, bounds), delta)
    }

    /// Puts together what was found.
    fn opened(
        &self,
        columned: &Columned,
        (pinned, bounds): (Vec<Arc<Pinned>>, Vec<FileBounds>),
        delta: Delta,
    ) -> Result<Opened, Error> {
        let field = |place: usize| columned.columns.get(place).map(|(field, _)| Arc::new(field.clone()));
        let is_partition = |place: &usize| columned.partitions.contains(place);
        let partition_fields: Vec<FieldRef> = columned.partitions.iter().filter_map(|place| field(*place)).collect();
        let of_files = (0..columned.columns.len()).filter(|place| !is_partition(place)).filter_map(field);
        let file_schema = Arc::new(Schema::new(of_files.collect::<Vec<_>>()));
        let schema = Arc::new(Schema::new((0..columned.columns.len()).filter_map(field).collect::<Vec<_>>()));
        let data: Vec<&DataFile> = pinned.iter().map(|file| &file.file).collect();
        let partitions = Partitions::new(&partition_fields, &data).map_err(|error| Error::Rows {
            table: self.table.to_owned(),
            file: folder::log(self.folder),
            reason: error.to_string(),
        })?;
        let mut known = Bounds::of_partitions(pinned.len(), &partitions.columns());
        if !bounds.is_empty() {
            known.add_hints(&file_schema, &bounds);
        }
        let rows =
            |bounds: &FileBounds| usize::try_from(bounds.rows.saturating_sub(bounds.deleted)).unwrap_or(usize::MAX);
        let files = pinned.into_iter().zip(&bounds).map(|(file, bounds)| (file, rows(bounds))).collect();
        let content = Content::Parquet { footers: Arc::clone(self.footers), files };
        let delta = Some(Box::new(delta));
        Ok(Opened { schema, file_schema, content, partitions, bounds: known, skipped: Vec::new(), delta })
    }

    /// The files of the table, each with the values of its partitions, and those that are not there.
    async fn pin(
        &self,
        adds: &[&Arc<Add>],
        columned: &Columned,
    ) -> Result<(Vec<Arc<Pinned>>, HashMap<usize, Error>), Error> {
        let mut values: Vec<Vec<ScalarValue>> = Vec::with_capacity(columned.partitions.len());
        for (field, name) in columned.partitions.iter().filter_map(|place| columned.columns.get(*place)) {
            values.push(self.partition(adds, field.data_type(), name)?);
        }
        let mut keys = Vec::with_capacity(adds.len());
        for add in adds {
            keys.push(self.named(self.folder, &add.path, &folder::log(self.folder))?);
        }
        let looks = keys.into_iter().zip(adds).map(|(key, add)| self.data(key, add.size));
        let mut looks = stream::iter(looks.collect::<Vec<_>>()).buffered(AT_ONCE);
        let (mut pinned, mut faults) = (Vec::with_capacity(adds.len()), HashMap::new());
        while let Some(look) = looks.next().await {
            let (mut file, fault) = look?;
            file.partitions = values.iter().filter_map(|values| values.get(pinned.len()).cloned()).collect();
            faults.extend(fault.map(|fault| (pinned.len(), fault)));
            let file = Pinned::new(self.table.to_owned(), file, Arc::clone(self.source));
            pinned.push(Arc::new(file.with_names(columned.names.clone())));
        }
        Ok((pinned, faults))
    }

    /// A data file as the store has it, or why it cannot be read.
    async fn data(&self, key: Path, size: u64) -> Result<(DataFile, Option<Error>), Error> {
        let (file, fault) = self.object(&key).await?;
        let other = || {
            let reason = format!("it has {} bytes, and {size} in the log of its table", file.bytes);
            self.unreadable(key.to_string(), reason)
        };
        let fault = fault.or_else(|| (file.bytes != size).then(other));
        Ok((file, fault))
    }

    /// A file as the store has it. The listing may be older than the log in it.
    async fn object(&self, key: &Path) -> Result<(DataFile, Option<Error>), Error> {
        if let Some(listed) = self.listed(key) {
            return Ok((listed.file.clone(), None));
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
            self.unreadable(
                folder::log(self.folder),
                format!("a value of partition column \"{name}\" is damaged: {reason}"),
            )
        };
        let values = cast_with_options(&texts, data_type, &options).map_err(|error| damaged(error.to_string()))?;
        let values = (0..adds.len()).map(|at| ScalarValue::try_from_array(&values, at));
        values.collect::<Result<_, _>>().map_err(|error| damaged(error.to_string()))
    }

    /// What is known of the values in each file: what the log says, or else the file's footer.
    async fn bounds(
        &self,
        adds: &[&Arc<Add>],
        pinned: &[Arc<Pinned>],
        columned: &Columned,
        faults: &mut HashMap<usize, Error>,
    ) -> Result<Vec<FileBounds>, Error> {
        let columns: Vec<_> = (0..columned.columns.len())
            .filter(|place| !columned.partitions.contains(place))
            .filter_map(|place| columned.columns.get(place))
            .collect();
        let looks = adds.iter().zip(pinned).enumerate().map(|(at, (add, file))| {
            let told = add
                .stats
                .as_ref()
                .and_then(|stats| stats::bounds(stats, columns.iter().map(|(field, name)| (field, name.as_str()))));
            let is_there = !faults.contains_key(&at);
            async move {
                match told {
                    Some(told) => Ok(told),
                    None if is_there => parquet::look(file, self.footers).await.map(|look| look.bounds),
                    None => Ok(FileBounds::default()),
                }
            }
        });
        let mut looks = stream::iter(looks.collect::<Vec<_>>()).buffered(AT_ONCE);
        let mut all = Vec::with_capacity(adds.len());
        while let Some(look) = looks.next().await {
            let mut bounds = match look {
                Ok(bounds) => bounds,
                Err(error) if error.is_of_content() => {
                    faults.insert(all.len(), error);
                    FileBounds::default()
                }
                Err(error) => return Err(error),
            };
            if faults.contains_key(&all.len()) {
                // Nothing rules out a file that must be an error.
                bounds = FileBounds { rows: 1, ..FileBounds::default() };
                bounds.unknown.extend(columns.iter().map(|(field, _)| field.name().clone()));
            } else if let Some(vector) = adds.get(all.len()).and_then(|add| add.deletion_vector.as_ref()) {
                bounds.deleted = vector.cardinality;
            }
            all.push(bounds);
        }
        Ok(all)
    }

    /// Where the rows are that are deleted from a file, or why they are not known.
    async fn deletions(&self, vector: &Vector, of: &Pinned) -> Result<Result<Deletions, Error>, Error> {
        let file = match vector.place() {
            Err(reason) => return Ok(Err(of.unreadable(format!("its deletion vector cannot be used: {reason}")))),
            Ok(Place::Inline(_)) => None,
            Ok(Place::File { path, .. }) => {
                let key = self.named(self.folder, &path, &folder::log(self.folder))?;
                let (file, fault) = self.object(&key).await?;
                if let Some(fault) = fault {
                    return Ok(Err(fault));
                }
                Some(Arc::new(Pinned::new(self.table.to_owned(), file, Arc::clone(self.source))))
            }
        };
        Ok(Ok(Deletions { vector: vector.clone(), file, rows: OnceCell::new() }))
    }

    /// The key of a file that the log names.
    fn named(&self, folder: &str, path: &str, by: &str) -> Result<Path, Error> {
        path::resolve(self.source, folder, path).ok_or_else(|| Error::Outside {
            table: self.table.to_owned(),
            file: by.to_owned(),
            path: path.to_owned(),
        })
    }

    fn listed(&self, key: &Path) -> Option<&Arc<Pinned>> {
        self.by_key.get(key.as_ref()).copied()
    }

    fn unreadable(&self, file: String, reason: impl Into<String>) -> Error {
        Error::UnreadableFile { table: self.table.to_owned(), file, reason: reason.into() }
    }
}

/// For each column its place when those of the files are first and the partitions last.
fn order(columned: &Columned) -> Vec<usize> {
    let of_files = columned.columns.len() - columned.partitions.len();
    let mut next = 0;
    let place = |column: usize| match columned.partitions.iter().position(|partition| *partition == column) {
        Some(partition) => of_files + partition,
        None => {
            next += 1;
            next - 1
        }
    };
    (0..columned.columns.len()).map(place).collect()
}
