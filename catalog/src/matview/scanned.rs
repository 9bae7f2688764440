//! A table of the lake as a refresh reads it: all of its files, or some.
//!
//! Owns: how files are known in records. Must never know: a query.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, SchemaRef, UInt64Type};
use datafusion::catalog::TableProvider;
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, ScalarValue};

use super::{Object, SourceLineage};
use crate::pinned::Pinned;
use crate::provider::LakeProvider;

/// A table that a plan scans.
#[derive(Debug, Clone)]
pub struct Scanned {
    lake: LakeProvider,
}

/// The least and the greatest value of a column, and whether there may be NULLs.
pub type ValueRange = (Option<(ScalarValue, ScalarValue)>, bool);

impl Scanned {
    /// `None` of a relation that is no table of the lake.
    pub fn of(provider: &dyn TableProvider) -> Option<Self> {
        provider.downcast_ref::<LakeProvider>().map(|lake| Self { lake: lake.clone() })
    }

    /// `schema.name`.
    pub fn table(&self) -> &str {
        &self.lake.table
    }

    pub fn schema(&self) -> &SchemaRef {
        &self.lake.opened.schema
    }

    /// The version of its log, if it has one. A version can name the columns of the same files otherwise.
    pub fn version(&self) -> Option<u64> {
        self.lake.opened.delta.as_ref().map(|delta| delta.version())
    }

    pub fn files(&self) -> usize {
        self.lake.opened.content.files().count()
    }

    /// The files as a record knows them; `None` if the store gives no ETags. `columns` are those that the query names.
    pub fn lineage(&self, columns: &BTreeSet<String>) -> Option<SourceLineage> {
        let opened = &self.lake.opened;
        let vectors: Option<Vec<Option<String>>> = opened.delta.as_ref().map(|delta| delta.vectors());
        let object = |(at, file): (usize, &Arc<Pinned>)| {
            let version = match &vectors {
                // A log names no file twice for other rows.
                Some(vectors) => vectors.get(at).cloned().flatten().unwrap_or_default(),
                None => file.file.etag.clone()?,
            };
            Some(Object { key: file.key().to_owned(), version, bytes: file.file.bytes, extent: None })
        };
        let objects = opened.content.files().enumerate().map(object).collect::<Option<Vec<Object>>>()?;
        let mut described = format!("{:?}", self.lake.definition.as_ref().map(|definition| &definition.options));
        for field in opened.schema.fields().iter().filter(|field| columns.contains(field.name())) {
            let _ = write!(described, ";{}:{:?}", field.name(), field.data_type());
        }
        Some(SourceLineage { table: self.lake.table.clone(), columns: described, objects })
    }

    /// The table with the rows of some files only, by their places.
    pub fn only(&self, files: impl IntoIterator<Item = usize>) -> Arc<dyn TableProvider> {
        let only: HashSet<usize> = files.into_iter().collect();
        Arc::new(LakeProvider { only: Some(Arc::new(only)), ..self.lake.clone() })
    }

    /// What is known now of the values of a column, file by file.
    pub fn ranges(&self, column: &str) -> Vec<Option<ValueRange>> {
        let opened = &self.lake.opened;
        if let Some(place) = opened.partitions.fields.iter().position(|field| field.name() == column) {
            let range = |file: &Arc<Pinned>| match file.file.partitions.get(place) {
                Some(value) if !value.is_null() => Some((Some((value.clone(), value.clone())), false)),
                _ => Some((None, true)),
            };
            return opened.content.files().map(range).collect();
        }
        let files = self.files();
        let known = opened.known();
        let name = Column::from_name(column);
        let bounds = &known.bounds;
        let (Some(least), Some(greatest), Some(nulls)) =
            (bounds.min_values(&name), bounds.max_values(&name), bounds.null_counts(&name))
        else {
            return vec![None; files];
        };
        let rows = bounds.row_counts();
        let nulls = nulls.as_primitive::<UInt64Type>();
        let rows = rows.as_ref().map(|rows| rows.as_primitive::<UInt64Type>());
        let range = |at: usize| {
            let count = nulls.is_valid(at).then(|| nulls.value(at));
            let rows = rows.filter(|rows| rows.is_valid(at)).map(|rows| rows.value(at));
            if count.is_some() && count == rows {
                return Some((None, count != Some(0)));
            }
            let low = ScalarValue::try_from_array(&least, at).ok().filter(|low| !low.is_null())?;
            let high = ScalarValue::try_from_array(&greatest, at).ok().filter(|high| !high.is_null())?;
            Some((Some((low, high)), count != Some(0)))
        };
        (0..files).map(range).collect()
    }

    /// The type of a column.
    pub fn data_type(&self, column: &str) -> Option<&DataType> {
        self.schema().field_with_name(column).ok().map(|field| field.data_type())
    }
}
