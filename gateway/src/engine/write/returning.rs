//! RETURNING: what a statement has changed, as rows. <https://www.postgresql.org/docs/16/dml-returning.html>
//!
//! Owns: that the list is planned over the rows as they are stored, and what waits for the commit. Must never know: which
//! statement it is.
//!
//! The rows wait in memory that is accounted for, and a statement that changes more of them is 53200. They are not read back
//! from files: inside a block these are not complete, rows of one statement share them with rows of others, and the list may
//! name columns of a FROM list that no file has.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use catalog::pg_catalog::Registry;
use catalog::{Column, Name, Target};
use datafusion::catalog::{MemTable, TableProvider};
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::scalar::ScalarValue;
use sqlparser::ast::{Ident, ObjectName, Query, SelectItem, TableFactor, TableWithJoins};

use super::Asked;
use super::sources::Sources;
use crate::engine::plan::{self, Over, Planned};
use crate::engine::run::Run;
use crate::engine::scope::GIVEN;
use crate::engine::{Core, Outcome, QueryStream, Tag, rewrite};
use crate::error::{Error, Result};
use crate::session::StatementGuard;

pub(in crate::engine) struct Returning {
    query: Box<Query>,
    /// Over no rows: what Describe tells.
    pub(super) planned: Planned,
    of: Name,
    columns: Arc<[Column]>,
    /// Whether the rows have columns of other relations too.
    is_joined: bool,
}

/// What the list may name beside the table.
pub(super) struct Named<'a> {
    /// The name that the table has in the statement.
    pub target: Ident,
    pub sources: Option<&'a Sources>,
}

impl Returning {
    /// Plans the list of a statement, if it has one.
    pub(super) async fn plan(
        asked: &Asked,
        list: Option<&Vec<SelectItem>>,
        target: &Target,
        named: Named<'_>,
        params: &[FieldRef],
    ) -> Result<Option<Self>> {
        let Some(list) = list else { return Ok(None) };
        rewrite::check_values(list, "RETURNING", &asked.scope())?;
        let mut from = vec![TableWithJoins { relation: given(named.target), joins: Vec::new() }];
        from.extend(named.sources.into_iter().flat_map(|sources| sources.from.iter().cloned()));
        let query = Box::new(rewrite::items_of(list.clone(), from));
        let rows = provider(table_schema(&target.columns), Vec::new())?;
        let (core, session) = (Arc::clone(&asked.core), Arc::clone(&asked.session));
        let over = Some(Over::Written { of: target.name.clone(), rows, joined: None });
        let declared = params.iter().cloned().map(Some);
        let declared = declared.chain(asked.declared.iter().skip(params.len()).cloned()).collect();
        let message = Arc::clone(&asked.statement.message);
        let planned = plan::query_over(core, session, (query.clone(), over), message, declared).await?;
        let is_joined = named.sources.is_some();
        let (of, columns) = (target.name.clone(), Arc::clone(&target.columns));
        Ok(Some(Self { query, planned, of, columns, is_joined }))
    }

    /// Takes rows of one run.
    pub(super) fn keep(&self, core: &Core) -> Kept {
        Kept { columns: Arc::clone(&self.columns), schema: None, held: Held::new(core) }
    }

    /// The rows of the list over those that were kept. None of them may be given before the commit.
    pub(super) async fn rows(&self, run: &Run<'_>, kept: Kept, params: &[ScalarValue]) -> Result<Returned> {
        let Kept { columns, schema, held } = kept;
        let count: usize = held.batches.iter().map(RecordBatch::num_rows).sum();
        let mut returned =
            Returned { held: Held::new(run.core), schema: Arc::clone(&self.planned.columns), names: None };
        let Some(schema) = schema.filter(|_| count > 0) else { return Ok(returned) };
        let of = self.of.clone();
        let over = match self.is_joined {
            false => Over::Written { of, rows: provider(schema, held.batches)?, joined: None },
            true => {
                let joined = Some(provider(schema, held.batches)?);
                Over::Written { of, rows: provider(table_schema(&columns), Vec::new())?, joined }
            }
        };
        let declared = self.planned.param_types.iter().cloned().map(Some).collect();
        let (core, session) = (Arc::clone(run.core), Arc::clone(run.session));
        let message = Arc::clone(&run.prepared.statement.message);
        let query = (self.query.clone(), Some(over));
        let planning = plan::query_over(core, session, query, message, declared);
        let planned = run.core.cpu.block(move |handle| handle.block_on(planning)).await??;
        let mut stream = run.stream(&planned, planned.values(params)).await?;
        (returned.schema, returned.names) = (Arc::clone(stream.schema()), stream.registry());
        while let Some(batch) = stream.next().await {
            returned.held.push(batch?)?;
        }
        if returned.held.batches.iter().map(RecordBatch::num_rows).sum::<usize>() != count {
            return Err(Error::unsupported("set-returning functions are not allowed in RETURNING"));
        }
        Ok(returned)
    }
}

/// Rows that wait for the commit.
pub(super) struct Returned {
    held: Held,
    schema: SchemaRef,
    names: Option<Arc<Registry>>,
}

impl Returned {
    /// What a statement answers that is done: its tag, and the rows of its list if it has one.
    pub(super) fn outcome(returned: Option<Self>, guard: &StatementGuard, tag: Tag) -> Outcome {
        let Some(Self { held, schema, names }) = returned else { return Outcome::Done(tag) };
        let stream = QueryStream::ready(schema, held.batches, guard.clone()).with_registry(names);
        Outcome::Rows { stream: stream.holding(held.memory), tag }
    }
}

/// The table under its name in the statement.
fn given(name: Ident) -> TableFactor {
    let names = [GIVEN.0, GIVEN.1].map(|part| Ident::with_quote('"', part));
    rewrite::table_as(ObjectName::from(names.to_vec()), name)
}

fn table_schema(columns: &[Column]) -> SchemaRef {
    let nullable = |column: &Column| column.field.clone().with_nullable(true);
    Arc::new(Schema::new(columns.iter().map(nullable).collect::<Vec<_>>()))
}

fn provider(schema: SchemaRef, batches: Vec<RecordBatch>) -> Result<Arc<dyn TableProvider>> {
    let batches = batches.into_iter().map(|batch| {
        let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&schema), batch.columns().to_vec(), &rows)
    });
    let batches = batches.collect::<std::result::Result<_, _>>().map_err(Error::internal)?;
    Ok(Arc::new(MemTable::try_new(schema, vec![batches])?))
}

/// Batches whose bytes are accounted for.
struct Held {
    batches: Vec<RecordBatch>,
    memory: MemoryReservation,
}

impl Held {
    fn new(core: &Core) -> Self {
        Self { batches: Vec::new(), memory: core.base.reservation("rows of RETURNING") }
    }

    fn push(&mut self, batch: RecordBatch) -> Result<()> {
        if batch.num_rows() > 0 {
            self.memory.try_grow(batch.get_array_memory_size())?;
            self.batches.push(batch);
        }
        Ok(())
    }
}

/// What a run has changed: new rows as they are stored, or those that are gone; each with the row that it was joined to.
pub(super) struct Kept {
    columns: Arc<[Column]>,
    /// Of the joined rows.
    schema: Option<SchemaRef>,
    held: Held,
}

impl Kept {
    /// Keeps rows of the table: all, or those that are touched. What stands behind them in their batch is of other relations.
    pub(super) fn push(
        &mut self,
        rows: &RecordBatch,
        batch: &RecordBatch,
        touched: Option<&BooleanArray>,
    ) -> Result<()> {
        let others = if touched.is_some() { 1 + rows.num_columns()..batch.num_columns() } else { 0..0 };
        let others: Vec<usize> = others.collect();
        let others = batch.project(&others)?;
        let named = others.schema_ref().fields().iter().enumerate();
        let named =
            named.map(|(at, field)| field.as_ref().clone().with_name(format!("other {at}")).with_nullable(true));
        let own = self.columns.iter().map(|column| column.field.clone().with_nullable(true));
        let schema = self.schema.get_or_insert_with(|| Arc::new(Schema::new(own.chain(named).collect::<Vec<_>>())));
        let (rows, others) = match touched {
            Some(touched) => (filter_record_batch(rows, touched)?, filter_record_batch(&others, touched)?),
            None => (rows.clone(), others),
        };
        // What no column takes the writer has refused, and old rows are as they are.
        let stored = |(column, values): (&Column, &ArrayRef)| {
            column.stored(Arc::clone(values)).unwrap_or_else(|_| Arc::clone(values))
        };
        let values = self.columns.iter().zip(rows.columns()).map(stored);
        let values: Vec<ArrayRef> = values.chain(others.columns().iter().cloned()).collect();
        let count = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        let kept = RecordBatch::try_new_with_options(Arc::clone(schema), values, &count).map_err(Error::internal)?;
        self.held.push(kept)
    }
}
