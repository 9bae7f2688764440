//! Parquet: DataFusion decodes it; which bytes it may read, and what is remembered of them, is decided here.

mod adapt;
mod bounds;
mod claims;
mod condition;
mod footer;
mod guard;
mod kept;
mod lengths;
mod levels;
mod logical;
pub(crate) mod names;
mod nan;
mod prefix;
mod reader;
mod selectivity;
mod thrift;
mod together;
mod unpacked;

use std::sync::Arc;

use arrow::datatypes::Schema;
use parquet::arrow::parquet_to_arrow_schema;
use parquet::errors::ParquetError;
use parquet::schema::types::Type;

pub(crate) use adapt::Adapters;
pub(crate) use bounds::of as bounds_of;
pub(crate) use footer::Footers;
pub(crate) use guard::guarded;
pub(crate) use kept::{from_told, schema_from, schema_to, told};
pub(crate) use reader::{PinnedReaders, reader};

use super::COLUMNS_MAX;
use super::bounds::FileBounds;
use crate::Error;
use crate::pinned::Pinned;

/// Fewer levels are always read.
const LEVELS_MIN: usize = 20;

/// What the footer of a file shows.
pub(crate) struct Look {
    pub(crate) schema: Schema,
    pub(crate) rows: usize,
    pub(crate) bounds: FileBounds,
}

/// Why the columns of a file are not known: the decoder of Arrow's own schema does not go deep.
fn undecoded(file: &Pinned, root: &Type, error: &ParquetError) -> Error {
    let levels = levels(root);
    if levels > LEVELS_MIN {
        return file.too_large(format!("its columns are nested in {levels} levels"));
    }
    file.unreadable(format!("the schema is damaged: {}", guard::of_parquet(error).unwrap_or_default()))
}

/// How deep a column is nested.
fn levels(root: &Type) -> usize {
    let (mut levels, mut here) = (0, vec![root]);
    while !here.is_empty() {
        let groups = here.into_iter().filter(|of| of.is_group());
        here = groups.flat_map(|group| group.get_fields().iter().map(Arc::as_ref)).collect();
        levels += usize::from(!here.is_empty());
    }
    levels
}

/// Reads the footer of a file.
pub(crate) async fn look(file: &Pinned, footers: &Footers) -> Result<Look, Error> {
    let metadata = footers.footer(file).await?;
    let described = metadata.file_metadata();
    let columns = described.schema_descr().root_schema().get_fields().len();
    if columns > COLUMNS_MAX {
        return Err(file.too_wide(columns));
    }
    // The footer can hold a schema of Arrow beside its own, whose decoder panics at types that it does not know.
    let decode = || parquet_to_arrow_schema(described.schema_descr(), described.key_value_metadata());
    let schema = match std::panic::catch_unwind(std::panic::AssertUnwindSafe(decode)) {
        Ok(Ok(schema)) => logical::tagged(&schema, described.schema_descr().root_schema()),
        Ok(Err(error)) => return Err(undecoded(file, described.schema_descr().root_schema(), &error)),
        Err(_) => return Err(file.unreadable("the schema is damaged")),
    };
    let mut names = std::collections::HashSet::new();
    if let Some(twice) = schema.fields().iter().find(|field| !names.insert(field.name())) {
        let (table, key, column) = (file.table.clone(), file.key().to_owned(), twice.name().clone());
        return Err(Error::DuplicateColumn { table, file: key, column });
    }
    let rows: Option<usize> = metadata.row_groups().iter().map(|group| usize::try_from(group.num_rows()).ok()).sum();
    let rows = rows.ok_or_else(|| file.unreadable("the footer has a negative number of rows"))?;
    // Statistics are bytes of unknown origin too.
    let bounds = || bounds::of(&metadata, &schema, rows);
    let bounds = std::panic::catch_unwind(std::panic::AssertUnwindSafe(bounds));
    let bounds = bounds.map_err(|_| file.unreadable("the statistics are damaged"))?;
    Ok(Look { schema, rows, bounds })
}
