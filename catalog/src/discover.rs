//! From listings and definitions to tables.
//!
//! Owns: which table gets a file when several could. Pure: the same listing always gives the same tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::common::ScalarValue;
use object_store::ObjectMeta;

use crate::definition::{Definitions, TableDefinition};
use crate::error::EMPTY;
use crate::format::delta::folder;
use crate::format::value;
use crate::layout::{self, Compression, Format, Partition, Place, Placed};
use crate::manifest::{DataFile, Manifest};
use crate::snapshot::SkippedFile;
use crate::store::Source;
use crate::write::{is_begun, is_dropped};

/// Schema and name.
pub(crate) type TableName = (String, String);

/// What a listing amounts to.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) tables: BTreeMap<TableName, Manifest>,
    pub(crate) skipped: Vec<SkippedFile>,
}

/// A file that could be part of a table.
struct Candidate<'a> {
    source: usize,
    object: &'a ObjectMeta,
    placed: Placed,
    definition: Option<&'a Arc<TableDefinition>>,
}

/// Arranges the objects of all sources, one listing per source, into tables.
pub(crate) fn tables(sources: &[Arc<Source>], listings: &[Arc<Vec<ObjectMeta>>], definitions: &Definitions) -> Found {
    let mut found = Found::default();
    let mut groups: BTreeMap<TableName, Vec<Candidate<'_>>> = BTreeMap::new();
    let mut logged: BTreeMap<TableName, Manifest> = BTreeMap::new();
    for (index, (source, objects)) in sources.iter().zip(listings).enumerate() {
        let (folders, objects) = folder::split(objects);
        for (folder, objects) in folders {
            if is_dropped(folder, &objects) {
                continue;
            }
            if is_begun(folder, &objects) {
                let reason = "the statement that makes the table is at work, or was broken off";
                found.skipped.push(skipped_log(source, folder, folder::name(folder), reason));
                continue;
            }
            if let Some((table, reason)) = add_logged(&mut logged, (index, folder), &objects, definitions) {
                found.skipped.push(skipped_log(source, folder, table, reason));
            }
        }
        for object in objects {
            match candidate(index, object, &definitions.tables) {
                Ok(Some(file)) => {
                    groups.entry((file.placed.schema.clone(), file.placed.table.clone())).or_default().push(file);
                }
                Ok(None) => {}
                Err(reason) => found.skipped.push(skipped(source, object, None, reason)),
            }
        }
    }
    for (name, files) in groups {
        let before = logged.get(&name).filter(|table| files.iter().any(|file| is_before(file, table)));
        let before = before.and_then(|table| Some((sources.get(table.source)?, table.folder.clone()?)));
        if let Some((source, folder)) = before {
            let reason = "the table is in an earlier source or a definition too";
            found.skipped.push(skipped_log(source, &folder, Some(name.clone()), reason));
            logged.remove(&name);
        }
        let mut skip = |file: &Candidate<'_>, reason: String| {
            if let Some(source) = sources.get(file.source) {
                found.skipped.push(skipped(source, file.object, Some(name.clone()), reason));
            }
        };
        if logged.contains_key(&name) {
            files.iter().for_each(|file| skip(file, "a Delta table has the same name".to_owned()));
        } else if let Some(manifest) = manifest(files, &mut skip) {
            found.tables.insert(name, manifest);
        }
    }
    found.tables.extend(logged);
    found
}

/// Adds the table of a folder with a log, unless it is hidden; if another has its name, says so.
fn add_logged(
    tables: &mut BTreeMap<TableName, Manifest>,
    (source, folder): (usize, &str),
    objects: &[&ObjectMeta],
    definitions: &Definitions,
) -> Option<(Option<TableName>, &'static str)> {
    if folder.is_empty() {
        return Some((None, "a Delta table in the root of a source has no name"));
    }
    let mut defined = definitions.tables.iter().filter(|definition| definition.format == Format::Delta);
    let definition = defined.find(|definition| definition.location.inner(source, folder) == Some(""));
    let name = match definition {
        Some(definition) => (definition.name.schema.clone(), definition.name.name.clone()),
        None => folder::name(folder)?,
    };
    let is_free = tables.get(&name).is_none_or(|known| definition.is_some() && known.definition.is_none());
    if !is_free {
        return Some((Some(name), "another Delta table has the same name"));
    }
    let files = objects.iter().map(|object| Arc::new(DataFile::new(object, Compression::None, Vec::new())));
    let manifest = Manifest {
        source,
        format: Format::Delta,
        folder: Some(folder.to_owned()),
        definition: definition.map(Arc::clone),
        partitions: Vec::new(),
        files: files.collect(),
    };
    tables.insert(name, manifest);
    None
}

/// Whether a file is of a table that comes before one with a log and the same name.
fn is_before(file: &Candidate<'_>, logged: &Manifest) -> bool {
    file.definition.is_some() || (logged.definition.is_none() && file.source < logged.source)
}

/// Where an object belongs; `None` if it is hidden. A definition comes before the object's own name.
fn candidate<'a>(
    source: usize,
    object: &'a ObjectMeta,
    definitions: &'a [Arc<TableDefinition>],
) -> Result<Option<Candidate<'a>>, &'static str> {
    let key = object.location.as_ref();
    for definition in definitions {
        let Some(inner) = definition.location.inner(source, key) else { continue };
        let folders: Vec<&str> = inner.split('/').collect();
        if folders.iter().any(|segment| layout::is_hidden(segment)) {
            return Ok(None);
        }
        if definition.format == Format::Delta {
            return Err("the location has no log of a Delta table");
        }
        let name = layout::file_name(key.rsplit('/').next().unwrap_or(key));
        if name.format.is_some_and(|format| format != definition.format) {
            return Err("the name ends in another format than its definition says");
        }
        let placed = Placed {
            schema: definition.name.schema.clone(),
            table: definition.name.name.clone(),
            format: definition.format,
            compression: name.compression,
            partitions: layout::partitions(folders.split_last().map(|(_, folders)| folders).unwrap_or_default()),
            in_folder: true,
        };
        return Ok(Some(Candidate { source, object, placed, definition: Some(definition) }));
    }
    match layout::place(key) {
        Place::Hidden => Ok(None),
        // What some tools leave where a folder is.
        Place::Unknown { .. } if object.size == 0 => Ok(None),
        Place::Unknown { reason } => Err(reason),
        Place::Table(placed) => Ok(Some(Candidate { source, object, placed, definition: None })),
    }
}

/// Chooses the files of one table. Those left over are skipped, each with its reason.
fn manifest(mut files: Vec<Candidate<'_>>, skip: &mut impl FnMut(&Candidate<'_>, String)) -> Option<Manifest> {
    let mut keep = |files: &mut Vec<Candidate<'_>>, is_kept: &dyn Fn(&Candidate<'_>) -> bool, reason: &str| {
        files.retain(|file| {
            let kept = is_kept(file);
            if !kept {
                skip(file, reason.to_owned());
            }
            kept
        });
    };
    if files.iter().any(|file| file.definition.is_some()) {
        keep(&mut files, &|file| file.definition.is_some(), "the table has a definition that does not name this file");
    }
    let source = files.first()?.source;
    keep(&mut files, &|file| file.source == source, "the table is in an earlier source too");
    if files.iter().any(|file| file.placed.in_folder) {
        keep(&mut files, &|file| file.placed.in_folder, "a folder has the same name");
    }
    let format = most_frequent(files.iter().map(|file| file.placed.format))?;
    let reason = format!("the other files of the table are {}", format.name());
    keep(&mut files, &|file| file.placed.format == format, &reason);
    if !files.first()?.placed.in_folder {
        let first = files.first()?.object.location.clone();
        keep(&mut files, &|file| file.object.location == first, "another file has the same name");
    }
    let first = files.first()?.placed.partitions.clone();
    let names = partition_names(&first);
    let reason = format!("the folders do not name the partitions ({})", names.join(", "));
    keep(&mut files, &|file| partition_names(&file.placed.partitions) == names, &reason);
    // A table of empty files only is an error when it is used, and not a table without rows.
    if files.iter().any(|file| file.object.size > 0) {
        keep(&mut files, &|file| file.object.size > 0, EMPTY);
    }
    Some(built(source, format, &files))
}

fn built(source: usize, format: Format, files: &[Candidate<'_>]) -> Manifest {
    let names = files.first().map(|file| partition_names(&file.placed.partitions)).unwrap_or_default();
    let types: Vec<DataType> = (0..names.len()).map(|place| partition_type(files, place)).collect();
    let partitions = names.iter().zip(&types);
    Manifest {
        source,
        format,
        folder: None,
        definition: files.first().and_then(|file| file.definition).map(Arc::clone),
        partitions: partitions.map(|(name, data_type)| Arc::new(Field::new(*name, data_type.clone(), true))).collect(),
        files: files
            .iter()
            .map(|file| {
                let values = file.placed.partitions.iter().zip(&types);
                let values = values.map(|((_, value), data_type)| partition_value(value.as_deref(), data_type));
                Arc::new(DataFile::new(file.object, file.placed.compression, values.collect()))
            })
            .collect(),
    }
}

/// The format of most files; of equals the preferred one.
fn most_frequent(formats: impl Iterator<Item = Format>) -> Option<Format> {
    let mut counts: BTreeMap<Format, usize> = BTreeMap::new();
    formats.for_each(|format| *counts.entry(format).or_default() += 1);
    counts.into_iter().max_by_key(|(format, count)| (*count, std::cmp::Reverse(*format))).map(|(format, _)| format)
}

fn partition_names(partitions: &[Partition]) -> Vec<&str> {
    partitions.iter().map(|(name, _)| name.as_str()).collect()
}

/// The type of a partition column: numbers and dates only if they are written as they would be printed.
fn partition_type(files: &[Candidate<'_>], place: usize) -> DataType {
    let values = || files.iter().filter_map(|file| file.placed.partitions.get(place)?.1.as_deref());
    if values().next().is_none() {
        DataType::Utf8View
    } else if values().all(|value| integer(value).is_some()) {
        DataType::Int64
    } else if values().all(|value| value::date(value).is_some()) {
        DataType::Date32
    } else {
        DataType::Utf8View
    }
}

fn integer(value: &str) -> Option<i64> {
    value.parse::<i64>().ok().filter(|number| number.to_string() == value)
}

fn partition_value(text: Option<&str>, data_type: &DataType) -> ScalarValue {
    match data_type {
        DataType::Int64 => ScalarValue::Int64(text.and_then(integer)),
        DataType::Date32 => ScalarValue::Date32(text.and_then(value::date)),
        _ => ScalarValue::Utf8View(text.map(str::to_owned)),
    }
}

fn skipped_log(source: &Source, folder: &str, table: Option<TableName>, reason: &str) -> SkippedFile {
    SkippedFile { source: source.root.clone(), key: folder::log(folder), table, reason: reason.to_owned() }
}

fn skipped(source: &Source, object: &ObjectMeta, table: Option<TableName>, reason: impl Into<String>) -> SkippedFile {
    SkippedFile { source: source.root.clone(), key: object.location.to_string(), table, reason: reason.into() }
}
