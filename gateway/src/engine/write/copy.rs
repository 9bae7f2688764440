//! COPY ... FROM STDIN: rows that the client sends. <https://www.postgresql.org/docs/16/sql-copy.html>
//!
//! Owns: where the rows go, and when they are committed. Must never know: how they are written; the protocol reads them.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use catalog::{Target, Writer};
use parking_lot::Mutex;
use sqlparser::ast::{CopyLegacyOption, CopyOption, Ident, ObjectName};
use tokio_util::task::AbortOnDropHandle;

use super::block::Lease;
use super::rows::Shape;
use super::{Asked, Write, insert};
use crate::engine::query_log::Running;
use crate::engine::run::Run;
use crate::engine::{Copy, Core, Prepared, Tag, copy, row_security};
use crate::error::{Error, Result};
use crate::session::StatementGuard;

pub(in crate::engine) struct CopyFrom {
    pub(super) target: Target,
    /// The columns that get values, as the client gives them.
    columns: SchemaRef,
    shape: Shape,
    how: Copy,
}

pub(super) async fn prepare(
    asked: Asked,
    (table, listed): (&ObjectName, &[Ident]),
    (options, legacy): (&[CopyOption], &[CopyLegacyOption]),
) -> Result<Prepared> {
    let target = asked.target(table, "copy to").await?;
    row_security::refuse(&asked.scope(), &target.name, ("COPY FROM", "INSERT"))?;
    let places = insert::places(&asked, &target, listed.iter().map(Ok))?;
    let columns = places.iter().filter_map(|place| target.columns.get(*place)).map(catalog::Column::given);
    let columns = Arc::new(Schema::new(columns.collect::<Vec<_>>()));
    let of_rows = |column: usize| places.iter().position(|place| *place == column);
    let shape = Shape::new(&target.columns, (0..target.columns.len()).map(of_rows).collect());
    let how = copy::how_from(options, legacy, &columns)?;
    Ok(Prepared::write(asked.statement, Write::Copy(CopyFrom { target, columns, shape, how })))
}

/// Takes the rows of one COPY. Dropped before its end it has written nothing.
pub struct Incoming {
    core: Arc<Core>,
    guard: StatementGuard,
    /// Never locked: an outcome must be one that threads could share.
    work: Mutex<Work>,
    before: u64,
    columns: SchemaRef,
    shape: Shape,
    how: Copy,
    table: String,
    running: Option<Running>,
}

struct Work {
    lease: Lease,
    writer: Option<Writer>,
}

pub(super) fn run(run: Run<'_>, copy: &CopyFrom) -> Result<Incoming> {
    // Policies may be others than when it was planned.
    let scope = run.core.scope(run.session, &run.prepared.statement.message);
    row_security::refuse(&scope, &copy.target.name, ("COPY FROM", "INSERT"))?;
    let mut lease = Lease::take(run.session, &copy.target, "WRITE")?;
    let writer = lease.block()?.take_writer(run.core)?;
    Ok(Incoming {
        core: Arc::clone(run.core),
        guard: run.guard.clone(),
        before: writer.rows(),
        work: Mutex::new(Work { lease, writer: Some(writer) }),
        columns: Arc::clone(&copy.columns),
        shape: copy.shape.clone(),
        how: copy.how.clone(),
        table: copy.target.name.name.clone(),
        running: None,
    })
}

impl Incoming {
    pub(in crate::engine) fn running(self, running: Running) -> Self {
        Self { running: Some(running), ..self }
    }

    /// The columns of the rows that are awaited.
    pub fn columns(&self) -> &SchemaRef {
        &self.columns
    }

    pub fn how(&self) -> &Copy {
        &self.how
    }

    /// The table's name in messages.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Writes some rows, on the CPU pool.
    pub async fn write(&mut self, rows: &RecordBatch) -> Result<()> {
        let written = self.take(rows).await;
        if let (Err(error), Some(running)) = (&written, self.running.take_if(|_| written.is_err())) {
            running.finish(Some(error.state));
        }
        written
    }

    async fn take(&mut self, rows: &RecordBatch) -> Result<()> {
        let writer = self.work.get_mut().writer.take();
        let mut writer = writer.ok_or_else(|| Error::internal("a COPY goes on after it failed"))?;
        let rows = self.shape.of(rows)?;
        let work = async move { writer.write(&rows).await.map(|()| writer) };
        let writer = AbortOnDropHandle::new(self.core.cpu.spawn(work)?).await.map_err(Error::internal)??;
        self.work.get_mut().writer = Some(writer);
        Ok(())
    }

    /// All rows were sent: the statement ends.
    pub async fn finish(mut self) -> Result<Tag> {
        let running = self.running.take();
        let done = self.end().await;
        if let Some(running) = running {
            done.iter().for_each(|tag| running.changed(tag));
            running.finish(done.as_ref().err().map(|error| error.state));
        }
        done
    }

    async fn end(self) -> Result<Tag> {
        let Work { mut lease, writer } = self.work.into_inner();
        let writer = writer.ok_or_else(|| Error::internal("a COPY ends after it failed"))?;
        let count = writer.rows() - self.before;
        lease.block()?.give_back(writer);
        lease.end(&self.core, &self.guard).await?;
        Ok(Tag::counted("COPY", count))
    }
}
