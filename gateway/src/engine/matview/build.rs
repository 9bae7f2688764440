//! Making rows: the query over all files, over some of one table, or for some partitions.
//!
//! Owns: that what is written and what goes are one change. Must never know: why.

use std::collections::HashSet;
use std::sync::Arc;

use catalog::{Bucket, Change, Class, Progress, Scanned, Target, ValueRange};
use datafusion::common::Column;
use datafusion::datasource::provider_as_source;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::functions_aggregate::expr_fn::{count, max, min};
use datafusion::logical_expr::{Expr, Filter, LogicalPlan, LogicalPlanBuilder, cast, ident, lit};
use datafusion::scalar::ScalarValue;

use super::decide::{Decision, Driver, Task};
use super::dirty::Dirty;
use super::look::Look;
use super::made_of::over;
use super::size;
use crate::engine::plan::Planned;
use crate::engine::run::Run;
use crate::engine::write::rows::{self, Shape};
use crate::engine::{Core, QueryStream};
use crate::error::{Error, Result};
use crate::session::StatementGuard;

/// Files that are read together, and made anew together when one of them changes.
const BUCKET_FILES_MAX: usize = 64;
const BUCKET_BYTES_MAX: u64 = 1 << 30;

/// What a refresh has made, before it is committed.
pub(super) struct Built {
    pub(super) change: Change,
    pub(super) buckets: Vec<Bucket>,
    pub(super) rows: u64,
    pub(super) bytes_read: u64,
    pub(super) files_written: usize,
    pub(super) files_removed: usize,
}

pub(super) struct Build<'a> {
    pub(super) core: &'a Arc<Core>,
    pub(super) guard: &'a StatementGuard,
    pub(super) look: &'a Look,
    pub(super) progress: &'a Progress,
}

impl Build<'_> {
    /// Carries a decision out, up to the commit.
    pub(super) async fn carry_out(&self, target: &Target, decision: &Decision) -> Result<Built> {
        let change = Change::new(target.clone(), "REFRESH MATERIALIZED VIEW");
        let mut built =
            Built { change, buckets: Vec::new(), rows: 0, bytes_read: 0, files_written: 0, files_removed: 0 };
        match (&decision.task, &decision.driver) {
            (Task::Nothing, _) => {}
            (Task::All(_), driver) => {
                built.files_removed = if target.is_new() { 0 } else { target.files() };
                built.change.remove_all()?;
                match driver.as_ref().filter(|_| decision.class == Class::Append) {
                    Some(driver) => self.buckets(&mut built, driver, (0..driver.table.files()).collect()).await?,
                    None => {
                        let plan = self.look.planned.plan.as_ref().clone();
                        let files = self.look.made_of.lineage.iter().map(|source| source.objects.len()).sum();
                        self.progress.expect_files(files);
                        drop(self.rows(&mut built, plan, (files, self.look.made_of.bytes())).await?);
                    }
                }
            }
            (Task::Append { files, kept, gone }, Some(driver)) => {
                let gone: Vec<usize> = places(target, gone);
                built.files_removed = gone.len();
                if !gone.is_empty() {
                    built.change.remove(&gone)?;
                }
                built.buckets.clone_from(kept);
                self.buckets(&mut built, driver, files.clone()).await?;
            }
            (Task::Partitions { dirty, files, places }, Some(driver)) => {
                built.files_removed = places.len();
                if !places.is_empty() {
                    built.change.remove(places)?;
                }
                let plan =
                    over(&self.look.planned.plan, driver.table.table(), &driver.table.only(files.iter().copied()))?;
                let plan = self.of_partitions(plan, dirty, driver)?;
                let read = (files.len(), self.bytes(driver, files));
                self.progress.expect_files(files.len());
                if !dirty.is_empty() {
                    drop(self.rows(&mut built, plan, read).await?);
                }
            }
            (_, None) => return Err(Error::internal("a part of a query without a table")),
        }
        Ok(built)
    }

    /// What a decision comes to, in lines.
    pub(super) fn explained(&self, target: &Target, decision: &Decision) -> Vec<String> {
        let Decision { task, class, driver, difference: [added, changed, removed] } = decision;
        let all = self.look.made_of.bytes();
        let of =
            |driver: &Option<Driver>, files: &[usize]| driver.as_ref().map_or(all, |driver| self.bytes(driver, files));
        let (way, bytes, gone) = match task {
            Task::Nothing => ("no change".to_owned(), 0, 0),
            Task::All(reason) => (format!("full ({}; {reason})", class.text()), all, target.files()),
            Task::Append { files, gone, .. } => {
                (format!("incremental ({})", class.text()), of(driver, files), gone.len())
            }
            Task::Partitions { files, places, .. } => {
                (format!("incremental ({})", class.text()), of(driver, files), places.len())
            }
        };
        let mut lines = vec![
            format!("Refresh Materialized View {}: {way}", self.look.name),
            format!("  Objects: +{added} ~{changed} -{removed}"),
            format!("  Read: {} of {}", size(bytes), size(all)),
            format!("  Files Replaced: {gone} of {}", target.files()),
        ];
        lines.push(followed(driver.as_ref(), &self.look.class().2));
        lines
    }

    /// Reads a column of files of which nothing is known, for the range of its values in each.
    pub(super) async fn look_into(&self, table: &Scanned, column: &str, files: &[usize]) -> Result<Vec<ValueRange>> {
        let mut ranges = Vec::with_capacity(files.len());
        for together in files.chunks(BUCKET_FILES_MAX) {
            let of_file = |(at, file): (usize, &usize)| {
                let source = provider_as_source(table.only([*file]));
                let column = || Expr::Column(Column::new_unqualified(column));
                let nulls = count(lit(1)).alias("rows");
                LogicalPlanBuilder::scan("file", source, None)?
                    .aggregate(
                        Vec::<Expr>::new(),
                        vec![
                            min(column()).alias("least"),
                            max(column()).alias("greatest"),
                            count(column()).alias("values"),
                            nulls,
                        ],
                    )?
                    .project(vec![
                        lit(at as u64).alias("at"),
                        ident("least"),
                        ident("greatest"),
                        ident("values"),
                        ident("rows"),
                    ])
            };
            let mut plans = together.iter().enumerate().map(of_file);
            let Some(first) = plans.next() else { break };
            let plan = plans.try_fold(first?, |plan, next| plan.union(next?.build()?))?.build()?;
            let mut found = vec![None; together.len()];
            let mut stream = self.stream(plan).await?;
            while let Some(batch) = stream.next().await {
                let batch = batch?;
                for row in 0..batch.num_rows() {
                    let value = |column: usize| ScalarValue::try_from_array(batch.column(column), row);
                    let (ScalarValue::UInt64(Some(at)), least, greatest) = (value(0)?, value(1)?, value(2)?) else {
                        continue;
                    };
                    let nulls = value(3)? != value(4)?;
                    if let Some(found) = usize::try_from(at).ok().and_then(|at| found.get_mut(at)) {
                        *found = Some(((!least.is_null()).then_some((least, greatest)), nulls));
                    }
                }
            }
            let found: Option<Vec<ValueRange>> = found.into_iter().collect();
            ranges.extend(found.ok_or_else(|| Error::internal("a file has no range"))?);
        }
        Ok(ranges)
    }

    pub(super) fn object_bytes(&self, table: &Scanned, at: usize) -> Option<u64> {
        let source = self.look.made_of.lineage.get(self.look.made_of.place(table.table())?)?;
        source.objects.get(at).map(|object| object.bytes)
    }

    /// Bytes of some files of the driving table, and of all of the others.
    fn bytes(&self, driver: &Driver, files: &[usize]) -> u64 {
        let some: u64 = files.iter().filter_map(|at| self.object_bytes(&driver.table, *at)).sum();
        let others = self.look.made_of.lineage.iter().enumerate().filter(|(at, _)| *at != driver.place);
        some + others.map(|(_, source)| source.bytes()).sum::<u64>()
    }

    /// The rows of files, in new buckets.
    async fn buckets(&self, built: &mut Built, driver: &Driver, files: Vec<usize>) -> Result<()> {
        self.progress.expect_files(files.len());
        let mut files = files.into_iter().peekable();
        while files.peek().is_some() {
            let (mut together, mut bytes) = (Vec::new(), 0);
            while together.len() < BUCKET_FILES_MAX
                && let Some(at) = files.next_if(|at| {
                    let more = self.object_bytes(&driver.table, *at).unwrap_or_default();
                    together.is_empty() || bytes + more <= BUCKET_BYTES_MAX
                })
            {
                bytes += self.object_bytes(&driver.table, at).unwrap_or_default();
                together.push(at);
            }
            let provider = driver.table.only(together.iter().copied());
            let plan = over(&self.look.planned.plan, driver.table.table(), &provider)?;
            let written = self.rows(built, plan, (together.len(), self.bytes(driver, &together))).await?;
            let source = self.look.made_of.lineage.get(driver.place);
            let key = |at: &usize| source.and_then(|source| source.objects.get(*at)).map(|object| object.key.clone());
            built.buckets.push(Bucket { objects: together.iter().filter_map(key).collect(), files: written });
        }
        Ok(())
    }

    /// The rows of a plan that are of some partitions.
    fn of_partitions(&self, plan: LogicalPlan, dirty: &Dirty, driver: &Driver) -> Result<LogicalPlan> {
        let place = driver.key.as_ref().map(|(_, place)| *place);
        let place = place.ok_or_else(|| Error::internal("partitions without a column"))?;
        let of = self.look.partition_type(place).ok_or_else(|| Error::internal("partitions without a type"))?;
        let (qualifier, field) = plan.schema().qualified_field(place);
        let column = Expr::Column(Column::from((qualifier, field)));
        let column = if *field.data_type() == of { column } else { cast(column, of) };
        Ok(LogicalPlan::Filter(Filter::try_new(dirty.filter(column), Arc::new(plan))?))
    }

    /// Writes the rows of a plan, which reads so many files and bytes, and names their files.
    async fn rows(&self, built: &mut Built, plan: LogicalPlan, (files, bytes): (usize, u64)) -> Result<Vec<String>> {
        let target = built.change.target();
        let memory = MemoryConsumer::new("rows to write").register(self.core.base.jobs_memory());
        let (writer, shape) = (target.writer(memory).telling(self.progress.rows()), Shape::whole(&target.columns));
        let stream = self.stream(plan).await?;
        let writer = rows::write(self.core.cpu_of(&self.look.session), stream, shape, writer).await?;
        built.rows += writer.rows();
        built.bytes_read += bytes;
        self.progress.read(files, bytes);
        let written = built.change.add(writer).await?;
        built.files_written += written.len();
        Ok(written)
    }

    async fn stream(&self, plan: LogicalPlan) -> Result<QueryStream> {
        let Look { session, prepared, planned, .. } = self.look;
        let columns = match Arc::ptr_eq(plan.schema(), planned.plan.schema()) {
            true => Arc::clone(&planned.columns),
            false if plan.schema().fields().len() == planned.columns.fields().len() => Arc::clone(&planned.columns),
            false => Arc::clone(plan.schema().inner()),
        };
        let planned = Planned { plan: Arc::new(plan), columns, ..planned.clone() };
        let run = Run { core: self.core, session, guard: self.guard, prepared, params: Vec::new() };
        run.stream(&planned, Vec::new()).await
    }
}

/// How rows follow the files, in a line.
pub(super) fn followed(driver: Option<&Driver>, reason: &str) -> String {
    match driver {
        Some(Driver { table, key: Some((key, _)), .. }) => {
            format!("  Partitions: by {}.{}", table.table(), key.column)
        }
        Some(driver) => format!("  Rows: by files of {}", driver.table.table()),
        None => format!("  Rows: of all files, since {reason}"),
    }
}

fn places(target: &Target, gone: &HashSet<String>) -> Vec<usize> {
    target.file_names().enumerate().filter(|(_, (name, _))| gone.contains(*name)).map(|(at, _)| at).collect()
}
