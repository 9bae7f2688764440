//! The table of a stream, and that of the records which became no rows.
//!
//! Owns: that rows, rejects and offsets agree. Rejects are committed first, each once by their own offsets; then the rows with those of
//! all records. Must never know: a broker.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::SchemaRef;
use catalog::pg_catalog::pg_type_of;
use catalog::{Advance, Column, Decoder, Name, Reject, Stream, Target};
use chrono::Utc;
use futures::future::BoxFuture;
use futures::{StreamExt, stream};
use sqlparser::ast::Statement as Ast;
use tokio_util::sync::CancellationToken;

use super::batch::Batch;
use crate::engine::matview::session;
use crate::engine::run::Run;
use crate::engine::write::create;
use crate::engine::{Core, Engine, Given, IfExists, Load, Statement, parse};
use crate::error::{Error, Result, SqlState};
use crate::session::{Session, StatementGuard};

pub(super) struct Table {
    core: Arc<Core>,
    session: Arc<Session>,
    stream: Arc<Stream>,
    decoder: Arc<Decoder>,
    /// As its log says.
    offsets: BTreeMap<i32, u64>,
    version: Option<u64>,
}

impl Table {
    /// The table as it is, which is made if it is not there and the stream declares its columns.
    pub(super) async fn open(core: &Arc<Core>, stream: &Arc<Stream>, database: &str) -> Result<Self> {
        let session = session(core, database.to_owned())?;
        let making = make(Arc::clone(core), Arc::clone(&session), Arc::clone(stream));
        core.cpu.block(move |handle| handle.block_on(making)).await??;
        let target = target(core, &stream.table).await?;
        let target = target.ok_or_else(|| missing(&stream.table))?;
        let decoder = Decoder::new(&stream.options.topic, &target.columns, stream.options.format);
        let decoder = Arc::new(decoder.map_err(Error::unsupported)?);
        let (core, stream) = (Arc::clone(core), Arc::clone(stream));
        let (offsets, version) = (target.offsets(&stream.name, &stream.options.topic), target.version());
        Ok(Self { core, session, stream, decoder, offsets, version })
    }

    pub(super) fn decoder(&self) -> &Arc<Decoder> {
        &self.decoder
    }

    pub(super) fn offsets(&self) -> &BTreeMap<i32, u64> {
        &self.offsets
    }

    pub(super) fn version(&self) -> Option<u64> {
        self.version
    }

    /// Commits what records became; gives how many rows.
    ///
    /// 40001 if the table has come further by another hand.
    pub(super) async fn commit(&mut self, batch: Batch) -> Result<u64> {
        if !batch.rejects.is_empty() {
            self.commit_rejects(&batch.rejects).await?;
        }
        let advance = self.advance(&self.offsets, &batch.next);
        let rows = self.load(&self.stream.table, (Arc::clone(self.decoder.schema()), batch.rows), advance).await?;
        let target = target(&self.core, &self.stream.table).await?.ok_or_else(|| missing(&self.stream.table))?;
        self.offsets = target.offsets(&self.stream.name, &self.stream.options.topic);
        self.version = target.version();
        Ok(rows)
    }

    async fn commit_rejects(&self, rejects: &[Reject]) -> Result<()> {
        let name = self.stream.rejects();
        let known = match target(&self.core, &name).await? {
            Some(target) => target.offsets(&self.stream.name, &self.stream.options.topic),
            None => {
                let (core, session) = (Arc::clone(&self.core), Arc::clone(&self.session));
                let text = format!("CREATE TABLE IF NOT EXISTS {name} ({REJECTS})");
                let making = Box::pin(async move { execute(&core, &session, &text).await });
                self.core.cpu.block(move |handle| handle.block_on(making)).await??;
                BTreeMap::new()
            }
        };
        // Those of a run that ended before it committed its rows are there.
        let is_new = |reject: &&Reject| {
            let known = known.get(&reject.partition);
            known.is_none_or(|known| u64::try_from(reject.offset).is_ok_and(|offset| offset >= *known))
        };
        let rejects: Vec<&Reject> = rejects.iter().filter(is_new).collect();
        if rejects.is_empty() {
            return Ok(());
        }
        let mut next: BTreeMap<i32, i64> = BTreeMap::new();
        for reject in &rejects {
            let next = next.entry(reject.partition).or_default();
            *next = (*next).max(reject.offset + 1);
        }
        let rows = of_rejects(&self.stream.options.topic, &rejects)?;
        self.load(&name, (rows.schema(), vec![rows]), self.advance(&known, &next)).await.map(drop)
    }

    /// From what a table has of the topic to what it has then.
    fn advance(&self, known: &BTreeMap<i32, u64>, next: &BTreeMap<i32, i64>) -> Advance {
        let step = |(partition, next): (&i32, &i64)| {
            (*partition, (known.get(partition).copied(), u64::try_from(*next).unwrap_or_default()))
        };
        let (stream, topic) = (self.stream.name.clone(), self.stream.options.topic.clone());
        Advance { stream, topic, steps: next.iter().map(step).collect() }
    }

    async fn load(
        &self,
        table: &Name,
        (columns, rows): (SchemaRef, Vec<RecordBatch>),
        advance: Advance,
    ) -> Result<u64> {
        let load = Load {
            schema: Some(table.schema.clone()),
            table: table.name.clone(),
            creates: false,
            if_exists: IfExists::Append,
            id: None,
            advance: Some(advance),
        };
        let given = Given::new(columns, stream::iter(rows.into_iter().map(Ok)).boxed())?;
        let guard = StatementGuard::new(CancellationToken::new());
        let engine = Engine { core: Arc::clone(&self.core) };
        engine.load(&self.session, &guard, load, given).await
    }
}

const REJECTS: &str = "topic text NOT NULL, partition integer NOT NULL, \"offset\" bigint NOT NULL, \
                       \"timestamp\" timestamptz, reason text NOT NULL, record text, rejected_at timestamptz NOT NULL";

fn of_rejects(topic: &str, rejects: &[&Reject]) -> Result<RecordBatch> {
    let now = Utc::now().timestamp_micros();
    let micros = rejects.iter().map(|reject| reject.timestamp_ms?.checked_mul(1_000));
    let columns: [(&str, arrow::array::ArrayRef); 7] = [
        ("topic", Arc::new(StringArray::from_iter_values(rejects.iter().map(|_| topic)))),
        ("partition", Arc::new(Int32Array::from_iter_values(rejects.iter().map(|reject| reject.partition)))),
        ("offset", Arc::new(Int64Array::from_iter_values(rejects.iter().map(|reject| reject.offset)))),
        ("timestamp", Arc::new(micros.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))),
        ("reason", Arc::new(StringArray::from_iter_values(rejects.iter().map(|reject| reject.reason.as_str())))),
        ("record", Arc::new(rejects.iter().map(|reject| reject.record.as_deref()).collect::<StringArray>())),
        ("rejected_at", Arc::new(TimestampMicrosecondArray::from(vec![now; rejects.len()]).with_timezone("UTC"))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, values)| (name, values, true)))
        .map_err(Error::internal)
}

/// A table as it is written now.
async fn target(core: &Core, name: &Name) -> Result<Option<Target>> {
    let snapshot = core.lake.snapshot();
    match snapshot.named(name) {
        Some(table) => Ok(Some(core.lake.target(table).await?)),
        None => Ok(None),
    }
}

fn missing(table: &Name) -> Error {
    Error::new(SqlState::UndefinedTable, format!("table \"{}\" of the stream does not exist", table.name))
        .hint("Create it, or declare its columns in CREATE STREAM.")
}

/// Makes the table of a stream, if it is not there and its columns are declared; one that is there must have them. On a planner's
/// thread.
pub(in crate::engine) fn make(
    core: Arc<Core>,
    session: Arc<Session>,
    stream: Arc<Stream>,
) -> BoxFuture<'static, Result<()>> {
    Box::pin(made(core, session, stream))
}

async fn made(core: Arc<Core>, session: Arc<Session>, stream: Arc<Stream>) -> Result<()> {
    // Another server may have made it.
    core.lake.refresh().await?;
    let Some(text) = stream.table_text() else {
        return target(&core, &stream.table).await?.map(drop).ok_or_else(|| missing(&stream.table));
    };
    let Some(target) = target(&core, &stream.table).await? else { return execute(&core, &session, &text).await };
    let statement = parsed(&text)?;
    let ast = Arc::clone(&statement.ast);
    let Ast::CreateTable(create) = ast.as_ref() else { return Err(Error::internal("a stream makes no table")) };
    let declared = create::declared(Arc::clone(&core), session, statement, &create.columns).await?;
    for column in declared {
        let known = target.columns.iter().find(|known| known.name() == column.name());
        let shown = |column: &Column| {
            let null = if column.field.is_nullable() { "" } else { " NOT NULL" };
            format!("{}{null}", pg_type_of(&column.given()).sql_name())
        };
        if known.is_none_or(|known| {
            known.given() != column.given() || known.field.is_nullable() != column.field.is_nullable()
        }) {
            let has =
                known.map_or("It has no such column.".to_owned(), |known| format!("There it is {}.", shown(known)));
            let message = format!(
                "column \"{}\" {} of stream \"{}\" is not that of its table",
                column.name(),
                shown(&column),
                stream.name.name
            );
            return Err(Error::new(SqlState::InvalidTableDefinition, message).detail(has));
        }
    }
    Ok(())
}

fn parsed(text: &str) -> Result<Statement> {
    parse::statements(text)?.pop().ok_or_else(|| Error::internal("a stream makes no table"))
}

/// Runs a statement that gives no rows.
async fn execute(core: &Arc<Core>, session: &Arc<Session>, text: &str) -> Result<()> {
    let prepared = Arc::clone(core).prepare(Arc::clone(session), parsed(text)?, Vec::new()).await?;
    let guard = StatementGuard::new(CancellationToken::new());
    Run { core, session, guard: &guard, prepared: &prepared, params: Vec::new() }.execute().await.map(drop)
}
