//! A table as a statement is about to write it.
//!
//! Owns: which tables can be written, and what a new one is. Must never know: rows.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use chrono::Utc;
use datafusion::catalog::TableProvider;
use datafusion::execution::memory_pool::MemoryReservation;
use serde_json::{Value, json};

use super::leftovers::{Held, Leftovers};
use super::probe::Probe;
use super::{Column, Fault, Writer, name, protocol};
use crate::Error;
use crate::definition::Name;
use crate::format::delta::action::{FileFormat, Metadata, Protocol};
use crate::format::delta::{State, schema};
use crate::layout::Format;
use crate::publish::Lake;
use crate::snapshot::{Kind, LakeTable, Table};
use crate::store::Source;

/// A table that is written, at the version that the statement has seen.
#[derive(Debug, Clone)]
pub struct Target {
    pub name: Name,
    /// In the order of the table.
    pub columns: Arc<[Column]>,
    pub(super) place: usize,
    pub(super) source: Arc<Source>,
    pub(super) folder: String,
    pub(super) leftovers: Arc<Leftovers>,
    /// Of one that is there.
    pub(super) state: Option<Arc<State>>,
    /// Of one that is made.
    pub(super) made: Option<(Protocol, Metadata)>,
    /// When the statement has seen it.
    pub(super) seen_at: Instant,
    /// Whether it is made in the place of one that is there until then.
    pub(super) replaces: bool,
}

/// What CREATE TABLE asks for.
#[derive(Debug)]
pub struct NewTable {
    pub name: Name,
    pub columns: Vec<Column>,
    pub partition_by: Vec<String>,
    /// By their names.
    pub properties: BTreeMap<String, String>,
}

impl Target {
    /// Whether it is made by the statement.
    pub fn is_new(&self) -> bool {
        self.made.is_some()
    }

    /// How many files have its rows.
    pub fn files(&self) -> usize {
        self.state.as_ref().map_or(0, |state| state.files.len())
    }

    /// Begins to write rows; `memory` accounts for the files that are open.
    pub fn writer(&self, memory: MemoryReservation) -> Writer {
        let held = Held::new(&self.source, &self.leftovers);
        let mut writer = Writer::new(&self.name.name, (&self.source, &self.folder), &self.columns, (held, memory));
        if self.state.is_none() {
            writer.hide();
        }
        writer
    }
}

impl Table {
    /// The table with two more columns: [`FILE_NUMBER`] has the place of each row's file among those of [`Target::files`],
    /// [`ROW_NUMBER`] the row's own in that.
    pub async fn numbered(&self) -> Result<Arc<dyn TableProvider>, Error> {
        match &self.kind {
            Kind::Lake(lake) => Ok(Arc::new(lake.open_numbered().await?)),
            Kind::View(_) => Err(Error::IsView { view: self.name.clone() }),
        }
    }

    /// Whether it could be written, if its log asks for nothing unknown: it is a Delta table in a source for that.
    pub fn is_writable(&self) -> bool {
        matches!(&self.kind, Kind::Lake(lake) if lake.manifest().format == Format::Delta && lake.source().probe.is_writable())
    }
}

impl Lake {
    /// Whether SQL may write anywhere.
    pub fn is_writable(&self) -> bool {
        self.sources.iter().any(|source| source.probe.is_writable())
    }

    /// Tests every source that may be written; what fails is told when it is written, and in `system.sources`.
    pub(crate) async fn probe(&self) {
        for source in self.sources.iter().filter(|source| source.probe.is_writable()) {
            if let Err(error) = Probe::pass(source).await {
                tracing::warn!(source = source.root, %error, detail = error.detail(), "a source cannot be written");
            }
        }
    }

    /// The table of files that a statement writes.
    ///
    /// 42809 if it is no Delta table, 25006 if its source is read-only, 0A000 if its log asks for what this writer does not
    /// do.
    pub async fn target(&self, table: &Table) -> Result<Target, Error> {
        let lake = self.fit(table).await?;
        let state = lake.state().await?;
        let unsupported = |feature| Error::Write(Fault::Feature { table: table.name.clone(), feature });
        let declared = schema::declared(&state.metadata).map_err(|fault| match fault {
            schema::Fault::Unsupported(feature) => unsupported(feature),
            schema::Fault::Damaged(reason) => unsupported(reason),
        })?;
        if let Some(feature) = protocol::unknown(&state.protocol, &state.metadata, &declared) {
            return Err(unsupported(feature));
        }
        let columns: Vec<Column> = declared.into_iter().map(Column::of).collect();
        Ok(Target {
            name: Name { schema: table.schema.clone(), name: table.name.clone() },
            columns: columns.into(),
            place: lake.manifest().source,
            source: Arc::clone(lake.source()),
            folder: lake.manifest().folder.clone().unwrap_or_default(),
            leftovers: Arc::clone(&self.leftovers),
            state: Some(state),
            made: None,
            seen_at: Instant::now(),
            replaces: false,
        })
    }

    /// The Delta table of a source that can be written.
    pub(super) async fn fit<'a>(&self, table: &'a Table) -> Result<&'a LakeTable, Error> {
        let Kind::Lake(lake) = &table.kind else { return Err(Error::IsView { view: table.name.clone() }) };
        if lake.manifest().format != Format::Delta {
            return Err(Fault::Format { table: table.name.clone(), format: lake.format() }.into());
        }
        if !lake.source().probe.is_writable() {
            return Err(Fault::ReadOnly { table: table.name.clone() }.into());
        }
        if lake.manifest().definition.as_ref().is_some_and(|definition| definition.as_of.is_some()) {
            let feature = "an earlier version as its definition".to_owned();
            return Err(Fault::Feature { table: table.name.clone(), feature }.into());
        }
        Probe::pass(lake.source()).await?;
        Ok(lake)
    }

    /// Whether a table of this name could be made. What is in its folder is not looked at.
    pub fn may_make(&self, table: &Name) -> Result<(), Error> {
        self.first_writable(table)?;
        name::folder(table)?;
        Ok(())
    }

    /// Where new tables are made.
    pub(crate) fn first_writable(&self, table: &Name) -> Result<(usize, &Arc<Source>), Error> {
        let mut sources = self.sources.iter().enumerate().filter(|(_, source)| source.probe.is_writable());
        sources.next().ok_or_else(|| Fault::NoSource { table: table.name.clone() }.into())
    }

    /// A table that is not there yet, in the first source that may be written. Nothing is written by this.
    ///
    /// 42P07 if its folder has objects, but those that a dropped table has left.
    pub async fn new_table(&self, new: NewTable) -> Result<Target, Error> {
        let (place, source) = self.first_writable(&new.name)?;
        let folder = name::folder(&new.name)?;
        let (protocol, metadata, columns) = declare(&new)?;
        Probe::pass(source).await?;
        let state = self.left(place, source, &new.name).await?;
        let protocol = protocol::at_least(protocol, state.as_ref().map(|state| &state.protocol));
        Ok(Target {
            name: new.name,
            columns: columns.into(),
            place,
            source: Arc::clone(source),
            folder,
            leftovers: Arc::clone(&self.leftovers),
            state,
            made: Some((protocol, metadata)),
            seen_at: Instant::now(),
            replaces: false,
        })
    }

    /// A table in the place of another, whose rows and columns go with the commit that makes it.
    pub async fn replacement(&self, table: &Table, new: NewTable) -> Result<Target, Error> {
        let target = self.target(table).await?;
        let (protocol, metadata, columns) = declare(&new)?;
        let protocol = protocol::at_least(protocol, target.state.as_ref().map(|state| &state.protocol));
        Ok(Target { columns: columns.into(), made: Some((protocol, metadata)), replaces: true, ..target })
    }
}

/// What the first commit says of a table.
fn declare(new: &NewTable) -> Result<(Protocol, Metadata, Vec<Column>), Error> {
    let mut columns = new.columns.clone();
    let mut names = HashSet::new();
    if let Some(twice) = columns.iter().find(|column| !names.insert(column.name().to_lowercase())) {
        // Other engines do not tell names apart by their case.
        let reason = format!("column \"{}\" specified more than once, if case does not count", twice.name());
        return Err(Fault::Name { reason }.into());
    }
    if let Some(column) =
        columns.iter().find(|column| column.name().contains([' ', ',', ';', '{', '}', '(', ')', '\n', '\t', '=']))
    {
        let reason = format!("the name of column \"{}\" has a character that a Delta table cannot have", column.name());
        return Err(Fault::Name { reason }.into());
    }
    for column in columns.iter_mut().filter(|column| new.partition_by.iter().any(|name| name == column.name())) {
        if !column.can_partition() {
            let feature = format!("partition column \"{}\" of its type", column.name());
            return Err(Fault::Feature { table: new.name.name.clone(), feature }.into());
        }
        column.is_partition = true;
    }
    let schema_string = schema_string(&columns).ok_or_else(|| Fault::Rows {
        table: new.name.name.clone(),
        reason: "a column has no type of Delta's".to_owned(),
    })?;
    let id = uuid::Uuid::new_v4().to_string();
    let others = [("id", json!(id)), ("createdTime", json!(Utc::now().timestamp_millis()))];
    let metadata = Metadata {
        format: Some(FileFormat {
            provider: "parquet".to_owned(),
            others: BTreeMap::from([("options".to_owned(), json!({}))]),
        }),
        schema_string,
        partition_columns: new.partition_by.clone(),
        configuration: new.properties.iter().map(|(name, value)| (name.clone(), Some(value.clone()))).collect(),
        others: others.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
    };
    Ok((protocol::least(columns.iter().any(Column::has_local_times)), metadata, columns))
}

/// The columns as the metadata of a log has them.
fn schema_string(columns: &[Column]) -> Option<String> {
    let fields: Vec<Value> = columns.iter().map(Column::declaration).collect::<Option<_>>()?;
    Some(json!({"type": "struct", "fields": fields}).to_string())
}
