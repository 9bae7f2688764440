//! The scan of Parquet files, in which every failure of the decoder names its file.
//!
//! Owns: that a panic in the decoder is an error of one file, and in which order conditions are asked. Must never know: what is
//! read.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileOpener, FileScanConfig, FileSource, ParquetSource};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::filter_pushdown::FilterPushdownPropagation;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::{DisplayFormatType, SortOrderPushdownResult};
use datafusion_datasource::morsel::{Morsel, MorselPlan, MorselPlanner, Morselizer};
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use object_store::ObjectStore;
use parquet::errors::ParquetError;

use super::condition::Failure;
use super::selectivity::Table;
use super::together::together;
use crate::Error;
use crate::pinned::Pinned;

/// A source whose errors name their files, of a table of which so much is known.
pub(crate) fn guarded(source: ParquetSource, statistics: Arc<Statistics>) -> Arc<dyn FileSource> {
    Arc::new(Guarded { inner: Arc::new(source), statistics, failure: Failure::default() })
}

/// Another source, which does all of the work.
struct Guarded {
    inner: Arc<dyn FileSource>,
    statistics: Arc<Statistics>,
    failure: Failure,
}

impl Guarded {
    fn around(&self, inner: Arc<dyn FileSource>) -> Arc<dyn FileSource> {
        Arc::new(Self { inner, statistics: Arc::clone(&self.statistics), failure: self.failure.clone() })
    }
}

impl FileSource for Guarded {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        config: &FileScanConfig,
        partition: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        self.inner.create_file_opener(store, config, partition)
    }

    fn create_morselizer(
        &self,
        store: Arc<dyn ObjectStore>,
        config: &FileScanConfig,
        partition: usize,
    ) -> Result<Box<dyn Morselizer>> {
        let inner = self.inner.create_morselizer(store, config, partition)?;
        Ok(Box::new(Files { inner, failure: self.failure.clone() }))
    }

    fn table_schema(&self) -> &TableSchema {
        self.inner.table_schema()
    }

    fn with_batch_size(&self, rows: usize) -> Arc<dyn FileSource> {
        self.around(self.inner.with_batch_size(rows))
    }

    fn filter(&self) -> Option<Arc<dyn PhysicalExpr>> {
        self.inner.filter()
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        self.inner.projection()
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        self.inner.metrics()
    }

    fn file_type(&self) -> &str {
        self.inner.file_type()
    }

    fn fmt_extra(&self, format: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt_extra(format, formatter)
    }

    fn supports_repartitioning(&self) -> bool {
        self.inner.supports_repartitioning()
    }

    fn repartitioned(
        &self,
        partitions: usize,
        file_bytes_min: usize,
        order: Option<LexOrdering>,
        config: &FileScanConfig,
    ) -> Result<Option<FileScanConfig>> {
        self.inner.repartitioned(partitions, file_bytes_min, order, config)
    }

    fn try_pushdown_filters(
        &self,
        filters: Vec<Arc<dyn PhysicalExpr>>,
        config: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn FileSource>>> {
        let table = Table { schema: self.table_schema().table_schema(), statistics: &self.statistics };
        let order = table.order(&filters);
        let ordered = order.iter().filter_map(|place| filters.get(*place));
        let ordered = ordered.map(|filter| table.ordered(filter, &self.failure)).collect();
        let FilterPushdownPropagation { filters, updated_node } = self.inner.try_pushdown_filters(ordered, config)?;
        // The answers are in the order of the questions.
        let mut answers: Vec<_> = order.into_iter().zip(filters).collect();
        answers.sort_by_key(|(place, _)| *place);
        let filters = answers.into_iter().map(|(_, answer)| answer).collect();
        let updated_node = updated_node.map(|source| self.around(together(source)));
        Ok(FilterPushdownPropagation { filters, updated_node })
    }

    fn try_pushdown_sort(
        &self,
        order: &[PhysicalSortExpr],
        properties: &EquivalenceProperties,
    ) -> Result<SortOrderPushdownResult<Arc<dyn FileSource>>> {
        Ok(self.inner.try_pushdown_sort(order, properties)?.map(|source| self.around(source)))
    }

    fn reorder_files(&self, files: Vec<PartitionedFile>) -> Vec<PartitionedFile> {
        self.inner.reorder_files(files)
    }

    fn try_pushdown_projection(&self, projection: &ProjectionExprs) -> Result<Option<Arc<dyn FileSource>>> {
        Ok(self.inner.try_pushdown_projection(projection)?.map(|source| self.around(source)))
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.inner.apply_expressions(visit)
    }
}

/// What plans the reading of files.
#[derive(Debug)]
struct Files {
    inner: Box<dyn Morselizer>,
    failure: Failure,
}

impl Morselizer for Files {
    fn plan_file(&self, file: PartitionedFile) -> Result<Box<dyn MorselPlanner>> {
        let pinned = file.extension::<Arc<Pinned>>().map(Arc::clone);
        let of = Of { file: pinned, failure: self.failure.clone() };
        of.caught(|| self.inner.plan_file(file)).map(|planner| of.planning(planner))
    }
}

/// What plans the reading of a file, or reads a part of it.
#[derive(Debug)]
struct Part<T> {
    inner: T,
    of: Of,
}

impl MorselPlanner for Part<Box<dyn MorselPlanner>> {
    fn plan(self: Box<Self>) -> Result<Option<MorselPlan>> {
        let Self { inner, of } = *self;
        let Some(mut plan) = of.caught(|| inner.plan())? else { return Ok(None) };
        let morsels = plan.take_morsels().into_iter();
        let morsels = morsels.map(|inner| -> Box<dyn Morsel> { Box::new(Part { inner, of: of.clone() }) });
        let planners = plan.take_ready_planners().into_iter().map(|inner| of.planning(inner));
        let mut named = MorselPlan::new().with_morsels(morsels.collect()).with_planners(planners.collect());
        if let Some(pending) = plan.take_pending_planner() {
            named.set_pending_planner(async move {
                let done = AssertUnwindSafe(pending.into_future()).catch_unwind().await;
                of.flattened(done).map(|planner| of.planning(planner))
            });
        }
        Ok(Some(named))
    }
}

impl Morsel for Part<Box<dyn Morsel>> {
    fn into_stream(self: Box<Self>) -> BoxStream<'static, Result<RecordBatch>> {
        let Self { inner, of } = *self;
        AssertUnwindSafe(inner.into_stream()).catch_unwind().map(move |batch| of.flattened(batch)).boxed()
    }
}

/// Whose errors they are: the file's, or those of the conditions that are asked of its rows.
#[derive(Debug, Clone)]
struct Of {
    /// `None` of a shadow, whose reader tells of its damages.
    file: Option<Arc<Pinned>>,
    failure: Failure,
}

impl Of {
    fn planning(&self, inner: Box<dyn MorselPlanner>) -> Box<dyn MorselPlanner> {
        Box::new(Part { inner, of: self.clone() })
    }

    fn caught<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.flattened(catch_unwind(AssertUnwindSafe(work)))
    }

    fn flattened<T>(&self, done: std::thread::Result<Result<T>>) -> Result<T> {
        let (done, file) = match (done, &self.file) {
            (Ok(done), file) => (done, file),
            (Err(panic), None) => resume_unwind(panic),
            (Err(panic), Some(file)) => {
                tracing::warn!(file = file.key(), panic = said(panic.as_ref()), "a file made its decoder panic");
                return Err(external(file.unreadable("its data is damaged")));
            }
        };
        done.map_err(|error| {
            self.failure.or(match file {
                Some(file) => named(file, error),
                None => error,
            })
        })
    }
}

fn said(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref().copied()).unwrap_or_default()
}

fn external(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// An error of the decoder, or of a value, with the name of the file; any other as it is.
fn named(file: &Pinned, error: DataFusionError) -> DataFusionError {
    if let Some(reason) = of_decoder(&error) {
        return external(file.unreadable(format!("its data is damaged: {reason}")));
    }
    match of_value(&error) {
        Some(of) => external(Error::OutOfRange { table: file.table.clone(), file: file.key().to_owned(), of }),
        None => error,
    }
}

/// Which type the value of a file is beyond.
fn of_value(error: &DataFusionError) -> Option<&'static str> {
    match error {
        DataFusionError::External(inner) => match inner.downcast_ref() {
            Some(udfs::Error::FileValue(of)) => Some(of),
            _ => None,
        },
        // Of the conditions whose errors are not kept, only the casts of values can fail.
        DataFusionError::ParquetError(error) => match error.as_ref() {
            ParquetError::External(inner) => {
                matches!(inner.downcast_ref(), Some(ArrowError::ComputeError(_))).then_some("value")
            }
            _ => None,
        },
        DataFusionError::Context(_, inner) => of_value(inner),
        DataFusionError::Shared(inner) => of_value(inner),
        _ => None,
    }
}

/// What the decoder did not like. Errors of stores are our own, and those of expressions keep their kinds.
fn of_decoder(error: &DataFusionError) -> Option<String> {
    match error {
        DataFusionError::ParquetError(error) => of_parquet(error),
        DataFusionError::ArrowError(error, _) => of_arrow(error),
        DataFusionError::Context(_, inner) => of_decoder(inner),
        DataFusionError::Shared(inner) => of_decoder(inner),
        _ => None,
    }
}

/// The same of an error of Parquet alone.
pub(super) fn of_parquet(error: &ParquetError) -> Option<String> {
    match error {
        ParquetError::General(message)
        | ParquetError::NYI(message)
        | ParquetError::EOF(message)
        | ParquetError::ArrowError(message) => Some(sentence(message)),
        ParquetError::External(inner) => match inner.downcast_ref::<ArrowError>() {
            Some(error) => of_arrow(error),
            None if inner.is::<Error>() || inner.is::<DataFusionError>() => None,
            None => Some(sentence(&inner.to_string())),
        },
        other => Some(sentence(&other.to_string())),
    }
}

fn of_arrow(error: &ArrowError) -> Option<String> {
    match error {
        ArrowError::ParquetError(message) => {
            let known = ["Parquet error: ", "External: ", "EOF: ", "NYI: ", "Arrow: "];
            Some(sentence(known.iter().find_map(|known| message.strip_prefix(known)).unwrap_or(message)))
        }
        _ => None,
    }
}

/// A message of a library in PostgreSQL's form.
fn sentence(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default().trim().trim_end_matches('.');
    let mut chars = line.chars();
    match (chars.next(), chars.next()) {
        (Some(first), second) if !second.is_some_and(char::is_uppercase) => {
            first.to_lowercase().chain(line.chars().skip(1)).collect()
        }
        _ => line.to_owned(),
    }
}
