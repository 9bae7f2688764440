//! All tables of the lake at one moment. A query sees one snapshot from its first word to its last row.
//!
//! Owns: the types that other rooms see. A table that did not change is the same value in the next snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{FieldRef, SchemaRef};
use chrono::{DateTime, Utc};
use datafusion::catalog::TableProvider;
use parking_lot::Mutex;
use tokio::sync::OnceCell;

use crate::Error;
use crate::definition::{Comments, FOLDER, Name, Script};
use crate::format::delta::{self, AsOf, State, States};
use crate::format::parquet::Footers;
use crate::format::{Failure, Opened, open};
use crate::layout::Format;
use crate::manifest::{DataFile, Manifest};
use crate::matview::Matview;
use crate::pinned::Pinned;
use crate::provider::LakeProvider;
use crate::remembered::{self, facts::Facts};
use crate::shadow;
use crate::store::Source;
use crate::stream::Stream;

/// Earlier versions of a table that are kept open.
const VERSIONS_MAX: usize = 4;

/// Tables by schema and name. Never changes.
#[derive(Debug)]
pub struct Snapshot {
    pub version: u64,
    pub taken_at: DateTime<Utc>,
    pub schemas: BTreeMap<String, BTreeMap<String, Arc<Table>>>,
    pub comments: Arc<Comments>,
    /// What SQL defined of it.
    pub script: Arc<Script>,
    pub streams: Vec<Arc<Stream>>,
    pub(crate) sources: Arc<[Arc<Source>]>,
    /// What the listing alone shows; files that fail to open are known to their tables.
    pub(crate) skipped: Vec<SkippedFile>,
    /// What turned out to be no table when it was opened, by schema and name.
    pub(crate) prose: BTreeMap<(String, String), Arc<Table>>,
}

/// A file that is in no table, or in its table but not read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SkippedFile {
    /// The source's root, or the folder of definitions.
    pub source: String,
    pub key: String,
    /// Schema and name.
    pub table: Option<(String, String)>,
    pub reason: String,
}

#[derive(Debug)]
pub struct Table {
    pub schema: String,
    pub name: String,
    pub kind: Kind,
    /// What it is declared as, if its rows are those of a materialized view. Until it has any, it is its query.
    pub matview: Option<Arc<Matview>>,
}

/// Who says that a table or a view is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin<'a> {
    /// The names of its files.
    Lake,
    /// A file of `sql/`, which alone can change it.
    File(&'a str),
    /// A statement over SQL.
    Sql,
}

#[derive(Debug)]
pub enum Kind {
    Lake(LakeTable),
    View(View),
}

/// A table of files.
#[derive(Debug)]
pub struct LakeTable {
    /// `schema.name`.
    label: String,
    manifest: Manifest,
    source: Arc<Source>,
    footers: Arc<Footers>,
    /// What its log told before this snapshot.
    last: Option<Arc<State>>,
    /// Earlier versions of it: what their logs told, and those that queries of this snapshot have opened.
    states: Arc<States>,
    versions: Mutex<Vec<Arc<Opened>>>,
    /// What the files turned out to hold, or why none of them can be read.
    opened: OnceCell<Result<Arc<Opened>, Failure>>,
}

/// A query with a name; the engine plans it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    pub sql: String,
    /// How it finds what it names; `None` is as whoever asks.
    pub search_path: Option<Vec<String>>,
    /// The file that defines it.
    pub(crate) file: String,
}

impl Snapshot {
    pub fn table(&self, schema: &str, name: &str) -> Option<&Arc<Table>> {
        self.schemas.get(schema)?.get(name)
    }

    pub fn tables(&self) -> impl Iterator<Item = &Arc<Table>> {
        self.schemas.values().flat_map(BTreeMap::values)
    }

    pub fn stream(&self, name: &Name) -> Option<&Arc<Stream>> {
        self.streams.iter().find(|stream| stream.name == *name)
    }

    /// Every file that is not read, with the reason; complete once all tables have been opened.
    pub fn skipped_files(&self) -> Vec<SkippedFile> {
        let mut skipped = self.skipped.clone();
        for table in self.tables().chain(self.prose.values()) {
            if let Kind::Lake(lake) = &table.kind {
                let files = lake.skipped().into_iter().map(|(key, reason)| SkippedFile {
                    source: lake.source.root.clone(),
                    key,
                    table: (!table.is_prose()).then(|| (table.schema.clone(), table.name.clone())),
                    reason,
                });
                skipped.extend(files);
            }
        }
        skipped.sort_unstable();
        skipped.dedup();
        skipped
    }
}

impl Table {
    pub fn origin(&self) -> Origin<'_> {
        let file = match (&self.matview, &self.kind) {
            (Some(matview), _) => Some(matview.view.file.as_str()),
            (None, Kind::View(view)) => Some(view.file.as_str()),
            (None, Kind::Lake(lake)) => lake.manifest.definition.as_ref().map(|definition| definition.file.as_str()),
        };
        match file {
            None => Origin::Lake,
            Some(FOLDER) => Origin::Sql,
            Some(file) => Origin::File(file),
        }
    }

    /// Whether a file of `sql/` says that it is there.
    pub fn is_defined_by_file(&self) -> bool {
        matches!(self.origin(), Origin::File(_))
    }

    /// The query that its rows are those of, kept or not.
    pub fn query(&self) -> Option<&View> {
        match (&self.matview, &self.kind) {
            (Some(matview), _) => Some(&matview.view),
            (None, Kind::View(view)) => Some(view),
            (None, Kind::Lake(_)) => None,
        }
    }

    /// Whether its files turned out to be text that nobody has called a table.
    pub(crate) fn is_prose(&self) -> bool {
        match &self.kind {
            Kind::Lake(lake) => {
                let failure = lake.opened.get().and_then(|opened| opened.as_ref().err());
                failure.is_some_and(|failure| matches!(failure.error, Error::NoColumns { .. }))
                    && lake.manifest.definition.is_none()
            }
            Kind::View(_) => false,
        }
    }

    /// The columns of a table of files as they are declared; they are found out at the first call. A view has none of its own.
    pub async fn columns(&self) -> Result<SchemaRef, Error> {
        match &self.kind {
            Kind::Lake(lake) => {
                let opened = lake.open().await?;
                let declared = opened.delta.as_ref().map_or(&opened.schema, |delta| &delta.declared);
                Ok(Arc::clone(declared))
            }
            Kind::View(_) => Err(self.is_view()),
        }
    }

    /// The table as DataFusion reads it.
    pub async fn provider(&self) -> Result<Arc<dyn TableProvider>, Error> {
        match &self.kind {
            Kind::Lake(lake) => Ok(Arc::new(lake.provider().await?)),
            Kind::View(_) => Err(self.is_view()),
        }
    }

    /// The table as it was in an earlier version.
    pub async fn provider_as_of(&self, as_of: AsOf) -> Result<Arc<dyn TableProvider>, Error> {
        match &self.kind {
            Kind::Lake(lake) => {
                let opened = lake.open_as_of(as_of).await?;
                // A statement can read it beside the newest version.
                let table = format!("{}@{as_of:?}", lake.label);
                Ok(Arc::new(LakeProvider { table, ..lake.provider_of(opened) }))
            }
            Kind::View(_) => Err(self.is_view()),
        }
    }

    /// The table as another process opens it.
    #[cfg(test)]
    pub(crate) fn reopened(&self) -> Self {
        let Kind::Lake(LakeTable { label, manifest, source, footers, .. }) = &self.kind else { panic!("a view") };
        let lake = LakeTable::new(label.clone(), manifest.clone(), Arc::clone(source), Arc::clone(footers));
        Self { schema: self.schema.clone(), name: self.name.clone(), kind: Kind::Lake(lake), matview: None }
    }

    fn is_view(&self) -> Error {
        Error::IsView { view: self.name.clone() }
    }
}

impl LakeTable {
    pub(crate) fn new(label: String, manifest: Manifest, source: Arc<Source>, footers: Arc<Footers>) -> Self {
        let (states, versions) = Default::default();
        Self { label, manifest, source, footers, last: None, states, versions, opened: OnceCell::new() }
    }

    /// With what its log told when it was the table of an earlier snapshot, so that it is read on from there.
    pub(crate) fn after(self, last: &Self) -> Self {
        let is_same = last.source.root == self.source.root && last.manifest.folder == self.manifest.folder;
        let known = last.opened().and_then(|opened| opened.delta.as_ref()).map(|delta| Arc::clone(&delta.state));
        let states = if is_same { Arc::clone(&last.states) } else { self.states };
        Self { last: known.or_else(|| last.last.clone()).filter(|_| is_same), states, ..self }
    }

    /// The format of its files: `csv`, `delta`, `parquet` ...
    pub fn format(&self) -> &'static str {
        self.manifest.format.name()
    }

    /// The root of the source that holds its files.
    pub fn root(&self) -> &str {
        &self.source.root
    }

    pub(crate) fn listed_at(&self) -> Option<DateTime<Utc>> {
        self.source.listed_at()
    }

    pub(crate) fn source(&self) -> &Arc<Source> {
        &self.source
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The files that have its rows; before a log was read, all that are in its folder.
    pub(crate) fn files(&self) -> Vec<&DataFile> {
        match self.opened().filter(|opened| opened.delta.is_some()) {
            Some(opened) => opened.content.files().map(|file| file.file.as_ref()).collect(),
            None => self.manifest.files.iter().map(AsRef::as_ref).collect(),
        }
    }

    /// The columns of which each file has one value.
    pub(crate) fn partitions(&self) -> &[FieldRef] {
        self.opened().map_or(&self.manifest.partitions, |opened| &opened.partitions.fields)
    }

    /// All objects of the table.
    pub(crate) fn pinned(&self) -> Vec<Arc<Pinned>> {
        let pin = |file: &Arc<DataFile>| {
            Arc::new(Pinned::new(self.label.clone(), Arc::clone(file), Arc::clone(&self.source)))
        };
        self.manifest.files.iter().map(pin).collect()
    }

    /// Its log among its objects, if it is a Delta table.
    pub(crate) fn log<'a>(&'a self, files: &'a [Arc<Pinned>]) -> delta::Log<'a> {
        delta::Log { table: &self.label, manifest: &self.manifest, files, footers: &self.footers }
    }

    /// Opens the files, once. A failure that their content causes is remembered; others may pass.
    pub(crate) async fn open(&self) -> Result<Arc<Opened>, Error> {
        let opening = || async {
            let files = self.pinned();
            let place = remembered::place(&self.label);
            let options = self.manifest.definition.as_ref().map(|definition| format!("{:?}", definition.options));
            let shelf = &self.source.shelf;
            let mut memory = shelf.recall(self.source.store.as_ref(), &place, options.unwrap_or_default()).await;
            let last = self.last.as_ref();
            let opened = open(&self.label, &self.manifest, files, (&self.footers, &mut memory, last)).await;
            if let Some(learned) = memory.into_learned() {
                shelf.keep(place, learned);
            }
            if let Ok(opened) = &opened
                && !opened.ids.is_empty()
            {
                let facts = shelf.text(self.source.store.as_ref(), &remembered::facts::place(&self.label)).await;
                shadow::recall(opened, &Facts::of(facts));
            }
            match opened {
                Err(failure) if !failure.error.is_lasting() => Err(failure.error),
                lasting => {
                    let lasting = lasting.map(Arc::new);
                    lasting.iter().for_each(|opened| self.source.shadows.tidy(opened));
                    Ok(lasting)
                }
            }
        };
        self.opened.get_or_try_init(opening).await?.clone().map_err(|failure| failure.error)
    }

    /// Opens an earlier version. The files of the snapshot are those that it can have.
    async fn open_as_of(&self, as_of: AsOf) -> Result<Arc<Opened>, Error> {
        if self.manifest.format != Format::Delta {
            return Err(Error::Unversioned { table: self.label.clone(), format: self.format() });
        }
        let version = |opened: &Opened| opened.delta.as_ref().map(|delta| delta.version());
        if let AsOf::Version(asked) = as_of
            && let Some(known) = self.versions.lock().iter().find(|known| version(known) == Some(asked))
        {
            return Ok(Arc::clone(known));
        }
        let files = self.pinned();
        let known = self.opened().and_then(|opened| opened.delta.as_ref()).map(|delta| &delta.state);
        let last = (&self.footers, known.or(self.last.as_ref()));
        let how = (Some((as_of, self.states.as_ref())), false);
        let opened = delta::open(&self.label, &self.manifest, &files, last, how).await;
        let opened = Arc::new(opened.map_err(|failure| failure.error)?);
        let mut versions = self.versions.lock();
        versions.retain(|known| version(known) != version(&opened));
        versions.insert(0, Arc::clone(&opened));
        versions.truncate(VERSIONS_MAX);
        Ok(opened)
    }

    /// Opens it with the place of each row's file in its state, and of each row in its file, as its last columns.
    pub(crate) async fn open_numbered(&self) -> Result<LakeProvider, Error> {
        let files = self.pinned();
        let known = self.opened().and_then(|opened| opened.delta.as_ref()).map(|delta| &delta.state);
        let last = (&self.footers, known.or(self.last.as_ref()));
        let opened = delta::open(&self.label, &self.manifest, &files, last, (None, true)).await;
        let opened = Arc::new(opened.map_err(|failure| failure.error)?);
        Ok(self.provider_of(opened))
    }

    async fn provider(&self) -> Result<LakeProvider, Error> {
        Ok(self.provider_of(self.open().await?))
    }

    fn provider_of(&self, opened: Arc<Opened>) -> LakeProvider {
        let (source, table) = (Arc::clone(&self.source), self.label.clone());
        LakeProvider { opened, source, table, definition: self.manifest.definition.clone(), only: None }
    }

    /// What the files hold, if they were opened.
    pub(crate) fn opened(&self) -> Option<&Arc<Opened>> {
        self.opened.get()?.as_ref().ok()
    }

    /// Files that turned out to be unreadable: key and reason.
    fn skipped(&self) -> Vec<(String, String)> {
        match self.opened.get() {
            None => Vec::new(),
            Some(Ok(opened)) => opened.skipped.clone(),
            Some(Err(failure)) => failure.skipped.clone(),
        }
    }
}
