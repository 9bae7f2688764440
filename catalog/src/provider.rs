//! A table of the lake as DataFusion sees it: its manifest is the list of files, nothing is listed or asked for again.
//!
//! Owns: in how many streams its files are read. Must never know: names of other tables.

mod files;
mod text;

use std::collections::HashSet;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Result, Statistics};
use datafusion::config::TableParquetOptions;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use object_store::ObjectMeta;

use crate::definition::TableDefinition;
use crate::format::parquet::{Adapters, PinnedReaders, guarded};
use crate::format::{Content, Opened};
use crate::pinned::Pinned;
use crate::prune;
use crate::reads::Reads;
use crate::store::Source;

/// The columns and the rows that are wanted.
type Wanted<'a> = (Option<&'a Vec<usize>>, Option<usize>);

/// A table whose files have been opened.
#[derive(Debug, Clone)]
pub(crate) struct LakeProvider {
    pub(crate) opened: Arc<Opened>,
    pub(crate) source: Arc<Source>,
    /// `schema.name`.
    pub(crate) table: String,
    /// How its definition wants it to be read.
    pub(crate) definition: Option<Arc<TableDefinition>>,
    /// The files whose rows it has, by their places; `None` is all of them.
    pub(crate) only: Option<Arc<HashSet<usize>>>,
}

#[async_trait]
impl TableProvider for LakeProvider {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.opened.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match self.opened.partitions.decide(filter) {
            true => TableProviderFilterPushDown::Exact,
            false => TableProviderFilterPushDown::Inexact,
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Opened { content, partitions, schema, .. } = self.opened.as_ref();
        let known = self.opened.known();
        let bounds = &known.bounds;
        let mut kept = prune::files(filters, (partitions, bounds), schema, state)?;
        if let Some(only) = &self.only {
            kept.retain(|at| only.contains(at));
        }
        let reads = state.config().get_extension::<Reads>();
        if let Some(reads) = &reads {
            let bytes = kept.iter().filter_map(|at| content.file(*at)).map(|file| file.file.bytes).sum();
            reads.chose((kept.len(), bytes), content.files().count());
        }
        // A limit holds for rows that pass every filter, so it is passed on only if none is left to apply.
        let limit = limit.filter(|_| filters.iter().all(|filter| partitions.decide(filter)));
        match content {
            Content::Parquet { footers, files } => {
                let delta = self.opened.delta.as_deref();
                delta.map_or(Ok(()), |delta| delta.check(&kept))?;
                let table = self.table_schema();
                let statistics = bounds.statistics(table.table_schema(), &kept);
                let columns = schema.fields().len();
                let mut scans = Vec::with_capacity(kept.len());
                for (at, (file, rows)) in kept.into_iter().filter_map(|at| Some((at, files.get(at)?))) {
                    let file = &file.counted(reads.as_ref());
                    let scan = partitioned(file, *rows, columns);
                    scans.push(match delta {
                        Some(delta) => delta.without_deleted((at, file, *rows), footers, scan).await?,
                        None => scan,
                    });
                }
                let mapped = delta.map(|delta| delta.projection(projection));
                let readers = Arc::new(PinnedReaders::new(Arc::clone(footers)));
                let (scans, wanted) = ((table, scans, statistics), (mapped.as_ref().or(projection), limit));
                self.scan_parquet(scans, readers, state, wanted)
            }
            Content::Csv { .. } | Content::Json { .. } => {
                self.scan_text_files((&kept, bounds), state, (projection, limit))
            }
            Content::Blocks { .. } => self.scan_files(&kept, state, (projection, limit)),
        }
    }
}

impl LakeProvider {
    /// The columns of files, then those of which each file has one value, and one that counts rows.
    fn table_schema(&self) -> TableSchema {
        let counted = self.opened.delta.as_ref().and_then(|delta| delta.row_number.clone());
        TableSchema::builder(Arc::clone(&self.opened.file_schema))
            .with_table_partition_cols(self.opened.partitions.fields.clone())
            .with_virtual_columns(counted.into_iter().collect::<Vec<_>>())
            .build()
    }

    fn scan_parquet(
        &self,
        (table, files, statistics): (TableSchema, Vec<PartitionedFile>, Statistics),
        readers: Arc<dyn ParquetFileReaderFactory>,
        state: &dyn Session,
        (projection, limit): (Option<&Vec<usize>>, Option<usize>),
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if files.is_empty() {
            // A source of no files has no partition, which plans of GROUP BY ROLLUP do not expect.
            let schema = match projection {
                Some(columns) => Arc::new(table.table_schema().project(columns)?),
                None => Arc::clone(table.table_schema()),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let options =
            TableParquetOptions { global: state.config_options().execution.parquet.clone(), ..Default::default() };
        let source =
            ParquetSource::new(table).with_table_parquet_options(options).with_parquet_file_reader_factory(readers);
        let groups = FileGroup::new(files).split_files(state.config().target_partitions().max(1));
        let source = guarded(source, Arc::new(statistics.clone()));
        let config = FileScanConfigBuilder::new(ObjectStoreUrl::parse(&self.source.url)?, source)
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_limit(limit)
            .with_expr_adapter(Some(Arc::new(Adapters)))
            .with_projection_indices(projection.cloned())?
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

fn partitioned(file: &Arc<Pinned>, rows: usize, columns: usize) -> PartitionedFile {
    described(file, file.file.bytes, (rows, columns)).with_extension(Arc::clone(file))
}

/// A file of so many bytes whose rows are those of an object.
fn described(file: &Pinned, bytes: u64, (rows, columns): (usize, usize)) -> PartitionedFile {
    let meta = ObjectMeta {
        location: file.file.path.clone(),
        last_modified: file.file.modified_at,
        size: bytes,
        e_tag: file.file.etag.clone(),
        version: None,
    };
    with_rows(meta, (rows, columns)).with_partition_values(file.file.partitions.clone())
}

fn with_rows(meta: ObjectMeta, (rows, columns): (usize, usize)) -> PartitionedFile {
    let mut partitioned = PartitionedFile::new_from_meta(meta);
    // Not `with_statistics`: that one claims that no partition is NULL.
    partitioned.statistics = Some(Arc::new(counted(rows, columns)));
    partitioned
}

/// Of one file only the number of rows is told.
fn counted(rows: usize, columns: usize) -> Statistics {
    Statistics {
        num_rows: Precision::Exact(rows),
        total_byte_size: Precision::Absent,
        column_statistics: vec![ColumnStatistics::new_unknown(); columns],
    }
}
