//! COPY ... TO 'location': the rows of a query as one object of the lake. <https://www.postgresql.org/docs/16/sql-copy.html>
//!
//! Owns: which forms there are, and that the object is seen when it is whole. Must never know: how a text is written; the
//! protocol does.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parking_lot::Mutex;
use sqlparser::ast::{CopyLegacyOption, CopyOption, CopySource};
use tokio_util::task::AbortOnDropHandle;

use super::rows::Shape;
use super::{Asked, Write, create};
use crate::engine::plan::{Plan, Planned};
use crate::engine::run::Run;
use crate::engine::{Copy, CopyFormat, Core, Outcome, Prepared, QueryStream, Tag, copy};
use crate::error::{Error, Result};

pub(in crate::engine) struct CopyTo {
    pub(super) planned: Planned,
    location: String,
    how: How,
}

enum How {
    Text(Copy),
    Parquet(Shape),
}

pub(super) async fn prepare(
    asked: Asked,
    (source, location): (&CopySource, &str),
    (options, legacy): (&[CopyOption], &[CopyLegacyOption]),
) -> Result<Prepared> {
    let planned = asked.query(copy::query(source)).await?;
    let is_parquet =
        |option: &CopyOption| matches!(option, CopyOption::Format(name) if name.value.eq_ignore_ascii_case("parquet"));
    let how = if options.iter().any(is_parquet) {
        if options.len() + legacy.len() > 1 {
            return Err(Error::unsupported("COPY options other than FORMAT are not supported with PARQUET"));
        }
        How::Parquet(Shape::whole(&create::of_query(&planned, &[])?))
    } else {
        let how = copy::how(options, legacy, &planned.columns)?;
        if how.format == CopyFormat::Binary {
            return Err(Error::unsupported("COPY TO an object is not supported in BINARY mode"));
        }
        How::Text(how)
    };
    let copy = CopyTo { planned, location: location.to_owned(), how };
    Ok(Prepared::write(asked.statement, Write::CopyTo(Box::new(copy))))
}

pub(super) async fn run(run: Run<'_>, copy: &CopyTo) -> Result<Outcome> {
    let memory = run.core.base.reservation("rows to copy");
    let object = run.core.lake.export(&copy.location, memory).await?;
    let mut stream = run.stream(&copy.planned, Vec::new()).await?;
    // A file that was replaced may be read anew only as long as nothing is written.
    stream.begin().await?;
    let core = Arc::clone(run.core);
    match &copy.how {
        How::Text(how) => {
            let how = how.clone();
            Ok(Outcome::CopyTo(Box::new(Outgoing { stream, how, object: Object { core, object: Mutex::new(object) } })))
        }
        How::Parquet(shape) => {
            let rows = rows_of(stream, shape.clone(), object.as_parquet(shape.schema())?);
            let (object, count) = AbortOnDropHandle::new(core.cpu.spawn(rows)?).await.map_err(Error::internal)??;
            Object { core, object: Mutex::new(object) }.finish(count).await.map(Outcome::Done)
        }
    }
}

async fn rows_of(mut stream: QueryStream, shape: Shape, mut object: catalog::Export) -> Result<(catalog::Export, u64)> {
    let mut count = 0;
    while let Some(batch) = stream.next().await {
        let rows = shape.of(&batch?)?;
        object.write(&rows).await?;
        count += rows.num_rows() as u64;
    }
    Ok((object, count))
}

/// The columns of a Parquet file with the rows of a query.
#[derive(Debug, Clone)]
pub struct FileColumns(Shape);

impl FileColumns {
    pub fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    /// The rows as the file has them.
    pub fn rows(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        self.0.of(batch)
    }
}

impl Prepared {
    /// The columns of a file of its rows, as COPY TO has them.
    pub fn file_columns(&self) -> Result<FileColumns> {
        match &self.plan {
            Plan::Query(planned) => Ok(FileColumns(Shape::whole(&create::of_query(planned, &[])?))),
            _ => Err(Error::unsupported("only the rows of a query can be written as Parquet")),
        }
    }
}

/// The rows of one COPY as text, and the object that they go to.
pub struct Outgoing {
    pub stream: QueryStream,
    pub how: Copy,
    pub object: Object,
}

impl Outgoing {
    pub fn columns(&self) -> &SchemaRef {
        self.stream.schema()
    }
}

/// An object on its way. Dropped before its end it is none.
pub struct Object {
    core: Arc<Core>,
    /// Never locked: an outcome must be one that threads could share.
    object: Mutex<catalog::Export>,
}

impl Object {
    pub async fn put(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.object.get_mut().put(bytes).await?)
    }

    /// All rows were put, and so many.
    pub async fn finish(self, count: u64) -> Result<Tag> {
        self.core.lake.exported(self.object.into_inner()).await?;
        Ok(Tag::counted("COPY", count))
    }
}
