//! What is told of the rows of files of text: their number by who has read them, their bounds by their shadows.
//!
//! Owns: that it is of exactly these rows. Must never do: read.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};

use crate::format::bounds::FileBounds;
use crate::format::csv::Layout;
use crate::format::{Content, Opened, parquet};
use crate::remembered::facts::{self, Facts};

/// What a reader tells: only how many rows there are.
pub(super) fn counted(rows: u64, schema: &Schema) -> FileBounds {
    let unknown: HashSet<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
    FileBounds { rows, deleted: 0, columns: HashMap::new(), unknown }
}

/// Tells a table what was known before: by the shadows of its files, or by its page.
pub(crate) fn recall(opened: &Opened, facts: &Facts) {
    for ((at, id), schema) in opened.ids.iter().enumerate().zip(columns(&opened.content, &opened.file_schema)) {
        let Some((id, file)) = id.zip(opened.content.file(at)) else { continue };
        let shadow = file.source().shadows.peek(id);
        let told = shadow.as_ref().map(|shadow| shadow.told()).or_else(|| facts.get(id));
        if let Some((_, bounds)) = told.and_then(|told| parquet::from_told(&schema, told)) {
            opened.tell(at, bounds);
        }
    }
}

/// The page of a table; `None` if nothing is known.
pub(super) fn page(opened: &Opened) -> Option<String> {
    let schemas = columns(&opened.content, &opened.file_schema);
    let told = opened.told().into_iter().zip(&opened.ids).zip(schemas);
    let lines = told.filter_map(|((told, id), schema)| {
        let told = told?;
        let rows = usize::try_from(told.rows).ok()?;
        Some(((*id)?, parquet::told(&schema, rows, &told)?))
    });
    facts::page(lines)
}

/// The columns of each file. Those that only other files have are NULL in all of its rows, and need no room.
pub(super) fn columns<'a>(content: &'a Content, schema: &'a SchemaRef) -> Box<dyn Iterator<Item = SchemaRef> + 'a> {
    match content {
        Content::Csv { plan, files, .. } => {
            let mut known: Option<(&Arc<Layout>, SchemaRef)> = None;
            Box::new(files.iter().map(move |(_, layout)| {
                let (_, columns) = match known.take().filter(|(known, _)| Arc::ptr_eq(known, layout)) {
                    Some(same) => known.insert(same),
                    None => {
                        let fields = plan.columns_of(layout, schema).map(Arc::clone).collect::<Vec<_>>();
                        known.insert((layout, Arc::new(Schema::new(fields))))
                    }
                };
                Arc::clone(columns)
            }))
        }
        Content::Json { files, .. } => Box::new(files.iter().map(|_| Arc::clone(schema))),
        Content::Parquet { .. } => Box::new(std::iter::empty()),
    }
}
