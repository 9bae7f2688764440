//! Delta tables: which files are of the table says its log. How a file is read is Parquet's.
//!
//! Owns: from a log to a table that is ready to be read. Must never do: write; the room `write` does, in the same terms.

pub(crate) mod action;
mod checkpoint;
mod data;
mod deletions;
pub(crate) mod folder;
mod listed;
mod log;
mod needed;
mod path;
mod rest;
pub(crate) mod schema;
mod stats;
mod vector;
mod version;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use futures::FutureExt;
use object_store::path::Path;
use tokio::sync::OnceCell;

use self::action::{Add, Vector};
use self::data::Data;
use self::deletions::Deletions;
use self::schema::{Columned, Fault};
use self::vector::Place;
use super::COLUMNS_MAX;
use super::bounds::Bounds;
use super::content::Content;
use super::drift::Drift;
use super::open::{Failure, Opened};
use super::parquet::Footers;
use crate::Error;
use crate::manifest::{DataFile, Manifest};
use crate::pinned::Pinned;
use crate::prune::Partitions;
use crate::store::Source;

pub(crate) use self::listed::{checkpoint_key, commit as commit_key, is_version};
pub(crate) use self::log::{State, WRITER};
pub(crate) use self::needed::needed;
pub(crate) use self::rest::{Log, Rest, expired, is_due};
pub use self::version::AsOf;
pub(crate) use self::version::States;

/// What a Delta table has beside its files.
#[derive(Debug)]
pub(crate) struct Delta {
    pub(crate) state: Arc<State>,
    /// The columns as its log declares them. Those of the scan are nullable all: files of other writers prove nothing.
    pub(crate) declared: SchemaRef,
    /// For each column as the table shows it, its place with the partitions behind those of files.
    pub(crate) order: Vec<usize>,
    /// The last column, if it is one that the decoder counts.
    pub(crate) row_number: Option<FieldRef>,
    /// Files that cannot be read: they are missing or damaged. By their places.
    faults: HashMap<usize, Error>,
    /// Of files with deleted rows.
    vectors: HashMap<usize, Deletions>,
}

impl Delta {
    /// The version that it is.
    pub(crate) fn version(&self) -> u64 {
        self.state.version
    }

    /// Whether the rows of its files are its rows, all of them.
    pub(crate) fn is_plain(&self) -> bool {
        self.is_whole() && self.vectors.is_empty()
    }

    /// What the log says is deleted of each file, as a name that no other set of rows has.
    pub(crate) fn vectors(&self) -> Vec<Option<String>> {
        self.state.files.keys().map(|(_, vector)| vector.clone()).collect()
    }

    /// Whether the number of its rows is known.
    pub(crate) fn is_whole(&self) -> bool {
        self.faults.is_empty()
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

/// The columns of a table, with those that writers must not leave NULL.
fn declared(schema: &Schema, required: &[usize]) -> SchemaRef {
    let field = |(place, field): (usize, &FieldRef)| {
        let is_nullable = field.is_nullable() && !required.contains(&place);
        Arc::new(field.as_ref().clone().with_nullable(is_nullable))
    };
    Arc::new(Schema::new(schema.fields().iter().enumerate().map(field).collect::<Vec<_>>()))
}

/// Opens a table at its newest version, or at the one that is asked for; `last` is its state when it was opened before.
pub(crate) async fn open(
    table: &str,
    manifest: &Manifest,
    all: &[Arc<Pinned>],
    (footers, last): (&Arc<Footers>, Option<&Arc<State>>),
    (as_of, is_numbered): (Option<(AsOf, &States)>, bool),
) -> Result<Opened, Failure> {
    let (Some(folder), Some(first)) = (&manifest.folder, all.first()) else {
        return Err(Error::MissingFile { table: table.to_owned(), file: folder::log("") }.into());
    };
    let source = first.source();
    let by_key = all.iter().map(|file| (file.key(), file)).collect();
    let files = Files { table, folder, source, footers, all, by_key };
    // A log is of unknown origin: no line of it may end the process. Boxed: the types of who asks grow no further.
    let opening = AssertUnwindSafe(files.open(last, as_of, is_numbered).boxed()).catch_unwind();
    let damaged = |_| files.unreadable(folder::log(folder), "the log is damaged");
    opening.await.map_err(damaged).flatten().map_err(|error| {
        let skipped = if error.is_lasting() { vec![(folder::log(folder), error.reason())] } else { Vec::new() };
        Failure { error, skipped }
    })
}

impl Files<'_> {
    async fn open(
        &self,
        last: Option<&Arc<State>>,
        as_of: Option<(AsOf, &States)>,
        is_numbered: bool,
    ) -> Result<Opened, Error> {
        let state = match as_of {
            None => log::read(self, last).await?,
            Some((as_of, states)) => log::read_as_of(self, (as_of, last), states).await?,
        };
        let unsupported = |feature| Error::Unsupported { table: self.table.to_owned(), feature };
        if let Some(unknown) = state.protocol.unknown() {
            return Err(unsupported(unknown));
        }
        let mut columned = schema::parse(&state.metadata).map_err(|fault| match fault {
            Fault::Unsupported(feature) => unsupported(feature),
            Fault::Damaged(reason) => self.unreadable(folder::log(self.folder), reason),
        })?;
        if is_numbered {
            columned.number_rows();
        }
        let columns = columned.columns.len();
        if columns > COLUMNS_MAX {
            return Err(Error::TooManyColumns { table: self.table.to_owned(), columns, columns_max: COLUMNS_MAX });
        }
        let adds: Vec<&Arc<Add>> = state.files.values().collect();
        let mut data = self.data(&adds, &columned).await?;
        let mut vectors = HashMap::new();
        for (at, add) in adds.iter().enumerate() {
            let (Some(vector), Some((file, _))) = (&add.deletion_vector, data.files.get(at)) else { continue };
            match self.deletions(vector, file).await? {
                Ok(deletions) => drop(vectors.insert(at, deletions)),
                Err(fault) => drop(data.faults.insert(at, fault)),
            }
        }
        self.opened(&columned, data, (state, vectors))
    }

    /// Puts together what was found.
    fn opened(
        &self,
        columned: &Columned,
        Data { files, faults, bounds, bounded }: Data,
        (state, vectors): (Arc<State>, HashMap<usize, Deletions>),
    ) -> Result<Opened, Error> {
        let owned = |(field, _): &(Field, String)| Arc::new(field.clone());
        let row_number = columned.row_number.clone();
        let columns = columned.columns.iter().map(owned).chain(row_number.clone());
        let schema = Arc::new(Schema::new(columns.collect::<Vec<_>>()));
        let file_schema = Arc::new(Schema::new(columned.of_files().map(owned).collect::<Vec<_>>()));
        let partitions = columned.partitions.iter().filter_map(|place| columned.columns.get(*place));
        let partitions: Vec<FieldRef> = partitions.map(owned).collect();
        let data: Vec<&DataFile> = files.iter().map(|(file, _)| file.file.as_ref()).collect();
        let partitions = Partitions::new(&partitions, &data).map_err(|error| Error::Rows {
            table: self.table.to_owned(),
            file: folder::log(self.folder),
            reason: error.to_string(),
        })?;
        let mut known = Bounds::of_partitions(files.len(), &partitions.columns());
        if let Err(error) = known.add_parts(&bounded, &bounds) {
            tracing::warn!(table = self.table, %error, "a table has no bounds");
        }
        let faulty = faults.iter().filter_map(|(at, fault)| Some((data.get(*at)?.path.to_string(), fault.reason())));
        let skipped = faulty.collect();
        let content = Content::Parquet { footers: Arc::clone(self.footers), files };
        let declared = declared(&schema, &columned.required);
        let delta = Some(Box::new(Delta { state, declared, order: order(columned), row_number, faults, vectors }));
        Ok(Opened {
            schema,
            file_schema,
            content,
            partitions,
            knowledge: known.into(),
            ids: Vec::new(),
            columns: Vec::new(),
            skipped,
            drift: Drift::default(),
            delta,
        })
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
                Some(Arc::new(Pinned::new(self.table.to_owned(), Arc::new(file), Arc::clone(self.source))))
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

/// For each column its place when those of the files are first, the partitions next, and one that is counted last.
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
    let counted = columned.row_number.as_ref().map(|_| columned.columns.len());
    (0..columned.columns.len()).map(place).chain(counted).collect()
}
