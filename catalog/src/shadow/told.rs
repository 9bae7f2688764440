//! What is told of the rows of files of text: their number by who has read them, their bounds by their shadows.
//!
//! Owns: that it is of exactly these rows. Must never do: read.

use std::collections::{HashMap, HashSet};

use arrow::datatypes::Schema;

use crate::format::bounds::FileBounds;
use crate::format::{Opened, parquet};
use crate::remembered::facts::{self, Facts};

/// What a reader tells: only how many rows there are.
pub(super) fn counted(rows: u64, schema: &Schema) -> FileBounds {
    let unknown: HashSet<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
    FileBounds { rows, deleted: 0, columns: HashMap::new(), unknown }
}

/// Tells a table what was known before: by the shadows of its files, or by its page.
pub(crate) fn recall(opened: &Opened, facts: &Facts) {
    for (at, (id, columns)) in opened.ids.iter().zip(&opened.columns).enumerate() {
        let Some((id, file)) = id.zip(opened.content.file(at)) else { continue };
        let place = file.source().shadows.peek(id);
        let told = place.as_ref().map(|place| place.told()).or_else(|| facts.get(id));
        if let Some((_, bounds)) = told.and_then(|told| parquet::from_told(columns, told)) {
            opened.tell(at, bounds);
        }
    }
}

/// The page of a table; `None` if nothing is known.
pub(super) fn page(opened: &Opened) -> Option<String> {
    let told = opened.told().into_iter().zip(&opened.ids).zip(&opened.columns);
    let lines = told.filter_map(|((told, id), columns)| {
        let told = told?;
        let rows = usize::try_from(told.rows).ok()?;
        Some(((*id)?, parquet::told(columns, rows, &told)?))
    });
    facts::page(lines)
}
