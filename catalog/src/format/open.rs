//! Opens the files of a table: finds out what each looks like, and makes one schema of them.
//!
//! Owns: how much is looked at, and that a bad file does not hide its neighbours. Must never know: queries.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use encoding_rs::UTF_8;
use futures::{StreamExt, stream};

use super::avro::Avro;
use super::blocks::{self, Decoder};
use super::bounds::{Bounds, FileBounds};
use super::csv::{self, Layout, Plan, Seen};
use super::delta::{self, Delta, State, States};
use super::drift::{self, Drift};
use super::ipc::Ipc;
use super::known::Knowledge;
use super::parquet::Footers;
use super::scan::TextFile;
use super::union::{Conflict, Union};
use super::{AT_ONCE, Budget, COLUMNS_MAX, Content, ROWS_BETWEEN_YIELDS, json, parquet};
use crate::Error;
use crate::layout::Format;
use crate::manifest::{DataFile, Manifest};
use crate::pinned::Pinned;
use crate::prune::Partitions;
use crate::remembered::{Kept, Memory};
use crate::shadow::{self, Id, Named};

/// A file of text up to this size is looked at as a whole, while the whole files of the table are not too many.
const WHOLE_FILE_BYTES_MAX: u64 = 16 << 20;
const WHOLE_FILES_BYTES_MAX: u64 = 64 << 20;
const UNPACKED_BYTES_MAX: u64 = 64 << 20;

/// What is looked at of other files, and how many of them are looked at so well.
const SAMPLE: Budget = Budget { rows: 20_000, bytes: 4 << 20, ends: true };
const SAMPLES_MAX: usize = 16;
const GLANCE: Budget = Budget { rows: 200, bytes: 64 << 10, ends: false };

/// The header is enough when a definition has the types, with some text behind it for the encoding.
const HEADER: Budget = Budget { rows: 0, bytes: 64 << 10, ends: false };

/// A table that is ready to be read.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The columns of the files, then those of the folder names.
    pub(crate) schema: SchemaRef,
    pub(crate) file_schema: SchemaRef,
    pub(crate) content: Content,
    /// The folders of each file of the content, in their order, and what is known of its rows.
    pub(crate) partitions: Partitions,
    pub(super) knowledge: Knowledge,
    /// The names of the rows of each file of text, and its columns.
    pub(crate) ids: Vec<Option<Id>>,
    pub(crate) columns: Vec<SchemaRef>,
    /// Files that are left out: key and reason.
    pub(crate) skipped: Vec<(String, String)>,
    /// How the columns of the files differ.
    pub(crate) drift: Drift,
    /// What a log says beside, if the table has one.
    pub(crate) delta: Option<Box<Delta>>,
}

/// Why no file of a table can be read, and what is wrong with each.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) error: Error,
    pub(crate) skipped: Vec<(String, String)>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, skipped: Vec::new() }
    }
}

/// Opens a table; fails if none of its files can be opened. `last` is what its log told before.
pub(crate) async fn open(
    table: &str,
    manifest: &Manifest,
    files: Vec<Arc<Pinned>>,
    (footers, memory, last): (&Arc<Footers>, &mut Memory, Option<&Arc<State>>),
) -> Result<Opened, Failure> {
    let Parts { fields, content, bounds, has_rows, drift, skipped } = match manifest.format {
        Format::Csv => open_csv(table, manifest, files, memory).await?,
        Format::Json => open_json(manifest, files, memory).await?,
        Format::Parquet => open_parquet(files, footers, memory).await?,
        Format::Arrow => open_blocks(&Ipc, files, memory).await?,
        Format::Avro => open_blocks(&Avro, files, memory).await?,
        Format::Delta => {
            let states = States::default();
            let as_of = manifest.definition.as_ref().and_then(|definition| definition.as_of);
            let as_of = as_of.map(|as_of| (as_of, &states));
            return Box::pin(delta::open(table, manifest, &files, (footers, last), (as_of, false))).await;
        }
    };
    let is_partition = |field: &Field| manifest.partitions.iter().any(|partition| partition.name() == field.name());
    let file_schema = Schema::new(fields.into_iter().filter(|field| !is_partition(field)).collect::<Vec<_>>());
    let all = file_schema.fields().iter().chain(&manifest.partitions).map(Arc::clone);
    let schema = Schema::new(all.collect::<Vec<_>>());
    if schema.fields().len() > COLUMNS_MAX {
        let columns = schema.fields().len();
        return Err(Error::TooManyColumns { table: table.to_owned(), columns, columns_max: COLUMNS_MAX }.into());
    }
    let (schema, file_schema) = (Arc::new(schema), Arc::new(file_schema));
    let files: Vec<&DataFile> = content.files().map(|file| file.file.as_ref()).collect();
    let partitions = Partitions::new(&manifest.partitions, &files).map_err(|error| Error::Rows {
        table: table.to_owned(),
        file: files.first().map_or_else(String::new, |file| file.path.to_string()),
        reason: error.to_string(),
    })?;
    let mut known = Bounds::of_partitions(files.len(), &partitions.columns());
    if !bounds.is_empty() {
        known.add_files(&file_schema, &bounds);
    }
    let Named { ids, columns } = shadow::named(&content, &file_schema, &partitions.fields);
    let knowledge = match &content {
        Content::Parquet { .. } => known.into(),
        Content::Csv { .. } | Content::Json { .. } | Content::Blocks { .. } => Knowledge::of_text(known, has_rows),
    };
    Ok(Opened { schema, file_schema, content, partitions, knowledge, ids, columns, skipped, drift, delta: None })
}

impl Opened {
    /// A file of text and how to read it.
    pub(crate) fn text(&self, at: usize) -> Option<TextFile> {
        match &self.content {
            Content::Csv { plan, files, .. } => {
                let (file, layout) = files.get(at)?;
                let (file, plan, layout) = (Arc::clone(file), Arc::clone(plan), Arc::clone(layout));
                Some(TextFile::Csv { file, plan, layout })
            }
            Content::Json { encoding, files } => Some(TextFile::Json { file: Arc::clone(files.get(at)?), encoding }),
            Content::Blocks { .. } | Content::Parquet { .. } => None,
        }
    }
}

/// What the files of a table turned out to be.
struct Parts {
    fields: Vec<Field>,
    content: Content,
    /// Of every file of Parquet.
    bounds: Vec<FileBounds>,
    /// Of every file of text: whether the look has met a row.
    has_rows: Vec<bool>,
    drift: Drift,
    skipped: Vec<(String, String)>,
}

async fn open_csv(
    table: &str,
    manifest: &Manifest,
    files: Vec<Arc<Pinned>>,
    memory: &mut Memory,
) -> Result<Parts, Failure> {
    let options = manifest.definition.as_ref().map(|definition| Arc::clone(&definition.options)).unwrap_or_default();
    let budgets = if options.columns.is_some() { vec![HEADER; files.len()] } else { budgets(&files) };
    let read = |file: Arc<Pinned>, budget| {
        let options = Arc::clone(&options);
        async move { csv::sample(&file, &options, budget).await }
    };
    let (samples, skipped) = each(files, budgets, memory, read).await?;
    let mut layouts: Vec<Arc<Layout>> = Vec::new();
    let mut columns: Vec<(String, Seen)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    let (mut opened, mut facts) = (Vec::with_capacity(samples.len()), Vec::with_capacity(samples.len()));
    let (mut has_rows, mut drift) = (Vec::with_capacity(samples.len()), Drift::default());
    for (file, sample) in samples {
        facts.push(sample.facts);
        // A record that is left out is no row.
        has_rows.push(!options.skip_bad && sample.seen.iter().any(|seen| seen.values() > 0));
        let names = sample.layout.names.iter().zip(&sample.seen);
        drift.see(&file, &names.map(|(name, seen)| (name.as_str(), seen.data_type(name))).collect::<Vec<_>>());
        for (name, seen) in sample.layout.names.iter().zip(sample.seen) {
            let place = *places.entry(name.clone()).or_insert_with(|| {
                columns.push((name.clone(), Seen::default()));
                columns.len() - 1
            });
            if let Some((_, known)) = columns.get_mut(place) {
                known.merge(seen);
            }
        }
        // Mostly the last one: a thousand files share one header.
        let layout = match layouts.iter().rev().find(|known| ***known == sample.layout) {
            Some(known) => Arc::clone(known),
            None => {
                let layout = Arc::new(sample.layout);
                layouts.push(Arc::clone(&layout));
                layout
            }
        };
        opened.push((file, layout));
    }
    let (plan, fields) = match &options.columns {
        None => Plan::found(Arc::clone(&options), &columns),
        Some(declared) => {
            let is_there = |name: &str| columns.iter().any(|(known, _)| known.to_lowercase() == name.to_lowercase());
            if let Some((column, _)) = declared.iter().find(|(name, _)| !is_there(name)) {
                return Err(Error::MissingColumn { table: table.to_owned(), column: column.clone() }.into());
            }
            Plan::declared(Arc::clone(&options), declared)
        }
    };
    let plan = Arc::new(plan.checking(&fields, opened.iter().map(|(file, _)| file.key())));
    let content = Content::Csv { plan, files: opened, facts, columns };
    Ok(Parts { fields, content, bounds: Vec::new(), has_rows, drift, skipped })
}

async fn open_json(manifest: &Manifest, files: Vec<Arc<Pinned>>, memory: &mut Memory) -> Result<Parts, Failure> {
    let options = manifest.definition.as_ref().map(|definition| Arc::clone(&definition.options));
    let encoding = options.as_ref().and_then(|options| options.encoding).unwrap_or(UTF_8);
    if let Some(declared) = options.as_ref().and_then(|options| options.columns.as_ref()) {
        let fields = declared.iter().map(|(name, data_type)| Field::new(name, data_type.clone(), true)).collect();
        let has_rows = vec![false; files.len()];
        let content = Content::Json { encoding, files };
        let (bounds, drift, skipped) = Default::default();
        return Ok(Parts { fields, content, bounds, has_rows, drift, skipped });
    }
    let budgets = budgets(&files);
    let (shapes, skipped) =
        each(files, budgets, memory, |file, budget| async move { json::sample(&file, budget).await }).await?;
    let (mut union, mut drift) = (json::Shape::default(), Drift::default());
    let (mut opened, mut has_rows) = (Vec::with_capacity(shapes.len()), Vec::with_capacity(shapes.len()));
    for (file, shape) in shapes {
        has_rows.push(shape.has_rows());
        drift.see(&file, &columns(&shape.fields()));
        union.merge(shape);
        opened.push(file);
    }
    let content = Content::Json { encoding, files: opened };
    Ok(Parts { fields: union.fields(), content, bounds: Vec::new(), has_rows, drift, skipped })
}

async fn open_parquet(files: Vec<Arc<Pinned>>, footers: &Arc<Footers>, memory: &mut Memory) -> Result<Parts, Failure> {
    let budgets = vec![HEADER; files.len()];
    let read = |file: Arc<Pinned>, _| {
        let footers = Arc::clone(footers);
        async move { parquet::look(&file, &footers).await }
    };
    let (looks, mut skipped) = each(files, budgets, memory, read).await?;
    let looks = looks.into_iter().map(|(file, look)| (file, look.schema, (look.rows, look.bounds)));
    let (fields, drift, opened) = united(looks, &mut skipped);
    let (mut files, mut bounds) = (Vec::with_capacity(opened.len()), Vec::with_capacity(opened.len()));
    for (file, _, (rows, of_file)) in opened {
        files.push((file, rows));
        bounds.push(of_file);
    }
    let content = Content::Parquet { footers: Arc::clone(footers), files };
    Ok(Parts { fields, content, bounds, has_rows: Vec::new(), drift, skipped })
}

async fn open_blocks(
    decoder: &'static dyn Decoder,
    files: Vec<Arc<Pinned>>,
    memory: &mut Memory,
) -> Result<Parts, Failure> {
    let budgets = vec![HEADER; files.len()];
    let (looks, mut skipped) = each(files, budgets, memory, |file, _| blocks::look(decoder, file)).await?;
    let looks = looks.into_iter().map(|(file, look)| (file, look.schema, ()));
    let (fields, drift, opened) = united(looks, &mut skipped);
    let mut files: Vec<(Arc<Pinned>, SchemaRef)> = Vec::with_capacity(opened.len());
    for (file, schema, ()) in opened {
        // Mostly the last one: a thousand files share their columns.
        let known = files.last().map(|(_, known)| known).filter(|known| ***known == schema);
        let schema = known.map_or_else(|| Arc::new(schema), Arc::clone);
        files.push((file, schema));
    }
    let has_rows = vec![false; files.len()];
    let content = Content::Blocks { decoder, files };
    Ok(Parts { fields, content, bounds: Vec::new(), has_rows, drift, skipped })
}

/// One schema of files that tell theirs; a file whose columns have no type in common with the ones before is left out.
#[expect(clippy::type_complexity, reason = "the columns, how they differ, and the files with theirs")]
fn united<T>(
    looks: impl Iterator<Item = (Arc<Pinned>, Schema, T)>,
    skipped: &mut Vec<(String, String)>,
) -> (Vec<Field>, Drift, Vec<(Arc<Pinned>, Schema, T)>) {
    let (mut union, mut drift, mut opened) = (Union::default(), Drift::default(), Vec::new());
    for (file, schema, rest) in looks {
        match union.add(&schema) {
            Ok(()) => {
                drift.see(&file, &columns(schema.fields().iter().map(AsRef::as_ref)));
                opened.push((file, schema, rest));
            }
            Err(Conflict { column, known, other }) => {
                let reason = format!("column \"{column}\" is {other} here and {known} in the files before");
                skipped.push((file.key().to_owned(), reason));
            }
        }
    }
    (union.finish(), drift, opened)
}

fn columns<'a>(fields: impl IntoIterator<Item = &'a Field>) -> Vec<drift::Column<'a>> {
    fields.into_iter().map(|field| (field.name().as_str(), Some(field.data_type().clone()))).collect()
}

/// How much to look at each file. It depends on the listing alone, so that the types of a snapshot do too.
fn budgets(files: &[Arc<Pinned>]) -> Vec<Budget> {
    let (mut whole_bytes, mut samples) = (0, 0);
    let budget = |file: &Arc<Pinned>| {
        let bytes = file.file.bytes;
        if bytes <= WHOLE_FILE_BYTES_MAX && whole_bytes + bytes <= WHOLE_FILES_BYTES_MAX {
            whole_bytes += bytes;
            return Budget { rows: usize::MAX, bytes: UNPACKED_BYTES_MAX, ends: false };
        }
        samples += 1;
        if samples <= SAMPLES_MAX { SAMPLE } else { GLANCE }
    };
    files.iter().map(budget).collect()
}

/// Looks at every file that is not remembered; those whose content is bad are left out, unless all are.
async fn each<T: Kept, F: Future<Output = Result<T, Error>>>(
    files: Vec<Arc<Pinned>>,
    budgets: Vec<Budget>,
    memory: &mut Memory,
    read: impl Fn(Arc<Pinned>, Budget) -> F,
) -> Result<(Vec<(Arc<Pinned>, T)>, Vec<(String, String)>), Failure> {
    let (known, shared) = (&*memory, memory.shared::<T>());
    let reads = files.into_iter().zip(budgets).map(|(file, budget)| {
        let (read, shared) = (&read, &shared);
        async move {
            if file.file.bytes == 0 {
                let error = Error::EmptyFile { table: file.table.clone(), file: file.key().to_owned() };
                return (file, budget, Err(error));
            }
            match known.recall(shared, &file, budget) {
                Some(look) => (file, budget, Ok((look, false))),
                None => {
                    let look = read(Arc::clone(&file), budget).await;
                    (file, budget, look.map(|look| (look, true)))
                }
            }
        }
    });
    let (mut opened, mut opened_by, mut skipped, mut first) = (Vec::new(), Vec::new(), Vec::new(), None);
    let mut is_new = false;
    let mut results = stream::iter(reads).buffered(AT_ONCE);
    while let Some((file, budget, result)) = results.next().await {
        match result {
            Ok((look, was_read)) => {
                is_new |= was_read;
                opened_by.push(budget);
                opened.push((file, look));
                if opened.len().is_multiple_of(ROWS_BETWEEN_YIELDS) {
                    tokio::task::yield_now().await;
                }
            }
            Err(error) if error.is_of_content() => {
                skipped.push((file.key().to_owned(), error.reason()));
                // What is wrong with a table comes before what is none.
                if first.as_ref().is_none_or(|first| matches!(first, Error::NoColumns { .. })) {
                    first = Some(error);
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    drop(results);
    if is_new {
        let looks = opened.iter().zip(opened_by);
        memory.learn(looks.map(|((file, look), budget)| (file, budget, look)));
    }
    match first {
        Some(error) if opened.is_empty() => Err(Failure { error, skipped }),
        _ => Ok((opened, skipped)),
    }
}
