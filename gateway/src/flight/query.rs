//! From a statement to a ticket, and from a ticket to rows.
//!
//! Owns: what a statement runs in (its session, its deadline, its sets of parameters) and what is told of it beforehand.
//! Must never know: which message asked for it.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow_flight::encode::{DictionaryHandling, FlightDataEncoderBuilder};
use arrow_flight::error::FlightError;
use arrow_flight::{FlightData, FlightDescriptor, FlightInfo};
use bytes::Bytes;
use datafusion::scalar::ScalarValue;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt, TryStreamExt};
use parking_lot::Mutex;
use tonic::Status;

use super::Server;
use super::auth::Call;
use super::clients::{Client, Running};
use super::columns::{self, Columns, Shown};
use super::form::{Form, Snapshot};
use super::params;
use super::sealed::{Setting, Work, nonce};
use super::status;
use crate::engine::{Count, Entry, Outcome, Pin, Prepared, QueryStream, changed_result_type};
use crate::error::{Error, Result, SqlState};
use crate::session::{SessionEffect, StatementGuard, transaction};

pub(super) type DataStream = BoxStream<'static, Result<FlightData, Status>>;

/// Every ticket holds the statement and its parameters; longer ones are told once.
const REPEATED_BYTES_MAX: usize = 64 << 10;

/// One statement of one call.
pub(super) struct Execution {
    server: Arc<Server>,
    client: Arc<Client>,
    guard: StatementGuard,
    prepared: Arc<Prepared>,
    form: Form,
    sets: std::vec::IntoIter<Vec<ScalarValue>>,
    current: Option<(QueryStream, Shown)>,
    /// Rows that a command counts without sending them.
    counted: u64,
    /// Where the bytes of the current set are counted.
    entry: Arc<Mutex<Option<Arc<Entry>>>>,
    _running: Option<Running>,
}

impl Server {
    /// The statement as a client of this session means it.
    pub(super) fn work(&self, call: &Call, text: String) -> Work {
        let settings = call.client.session.vars().changed();
        let settings = settings.into_iter().map(|(name, value)| Setting { name, value }).collect();
        let (role, session) = (call.login.role.name.clone(), call.client.mark.to_vec());
        let Form { types, compression, endpoints, snapshot } = call.form;
        let (types, compression, snapshot) = (types as i32, compression as i32, snapshot as i32);
        Work { role, session, text, settings, types, compression, endpoints, snapshot, ..Work::default() }
    }

    /// Plans one statement.
    pub(super) async fn plan(&self, client: &Client, guard: &StatementGuard, text: &str) -> Result<Prepared> {
        let planned = self.prepare(client, guard, text).await;
        self.settled(client, planned)
    }

    /// Plans one statement, whose failure is no business of the transaction block.
    pub(super) async fn prepare(&self, client: &Client, guard: &StatementGuard, text: &str) -> Result<Prepared> {
        let mut statements = self.engine.parse(text.to_owned()).await?;
        let statement = statements.pop().ok_or_else(|| Error::new(SqlState::SyntaxError, "no statement was given"))?;
        if !statements.is_empty() {
            let message = "cannot insert multiple commands into a prepared statement";
            return Err(Error::new(SqlState::SyntaxError, message));
        }
        self.engine.prepare(&client.session, guard, statement, &[]).await
    }

    /// What a ticket of the statement will give. A command is carried out now: clients that get no rows fetch none.
    pub(super) async fn info(
        self: &Arc<Self>,
        call: &Call,
        work: &Work,
        descriptor: FlightDescriptor,
    ) -> Result<FlightInfo> {
        let mut work = Work { nonce: nonce()?.to_vec(), ..work.clone() };
        let execution = self.execution(call, &work, None).await?;
        let schema = execution.columns().schema();
        if !execution.prepared.returns_rows {
            execution.finish().await?;
            work.done = true;
            return columns::info(&schema, [wrapped(work.ticket(&self.seal))], descriptor);
        }
        work.columns = execution.columns().fingerprint();
        let mut tickets = Vec::new();
        for pin in execution.pins(&work).await? {
            let work = work.of_part(pin)?;
            execution.client.plans().keep(&work.nonce, &execution.prepared);
            tickets.push(wrapped(work.ticket(&self.seal)));
        }
        columns::info(&schema, tickets, descriptor)
    }

    /// The columns of a statement, which is not carried out.
    pub(super) async fn schema(&self, call: &Call, work: &Work) -> Result<SchemaRef> {
        let (client, guard) = self.place(call, work)?;
        let prepared = self.plan(&client, &guard, &work.text).await?;
        client.session.activity().end();
        Ok(Columns::of(&prepared.columns, work.types()).schema())
    }

    /// Where a statement runs: in the session that planned it, if that is the caller's, else in one like it.
    fn place(&self, call: &Call, work: &Work) -> Result<(Arc<Client>, StatementGuard)> {
        let client = if work.session == call.client.mark {
            Arc::clone(&call.client)
        } else {
            let settings = work.settings.iter().map(|setting| (setting.name.clone(), setting.value.clone()));
            self.clients.aside(&call.client, &call.login, &settings.collect::<Vec<_>>())?
        };
        let guard = call.begin(&client);
        Ok((client, guard))
    }

    /// Plans a statement, unless that was done for its ticket just before, and binds its parameters: all of `batches`, or those
    /// that it holds itself.
    pub(super) async fn execution(
        self: &Arc<Self>,
        call: &Call,
        work: &Work,
        batches: Option<Vec<RecordBatch>>,
    ) -> Result<Execution> {
        let (client, guard) = self.place(call, work)?;
        let running = (!work.nonce.is_empty()).then(|| call.client.run(&work.nonce, &guard.cancel));
        let kept = client.plans().take(&work.nonce);
        let prepared = match kept {
            Some(prepared) => prepared,
            None => Arc::new(self.plan(&client, &guard, &work.text).await?),
        };
        // A file may have been replaced since by one with other columns; as PostgreSQL, the client is not given those.
        if !work.columns.is_empty() && work.columns != Columns::of(&prepared.columns, work.types()).fingerprint() {
            return self.settled(&client, Err(changed_result_type()));
        }
        let prepared = match work.pin() {
            Some(pin) => Arc::new(self.settled(&client, prepared.pinned(pin))?),
            None => prepared,
        };
        let batches = batches.map_or_else(|| params::unpack(&work.params), Ok)?;
        let display = client.session.vars().display();
        let sets = params::sets(&batches, &prepared.param_types, self.inputs, &display);
        let mut sets = self.settled(&client, sets)?;
        if batches.is_empty() {
            sets.push(Vec::new());
        }
        let (server, sets, form) = (Arc::clone(self), sets.into_iter(), work.form());
        let (current, entry) = (None, Arc::default());
        Ok(Execution { server, client, guard, prepared, form, sets, current, counted: 0, entry, _running: running })
    }

    /// An error fails the transaction block of its session.
    pub(super) fn settled<T>(&self, client: &Client, result: Result<T>) -> Result<T> {
        let closed = client.session.take_effects().into_iter().find_map(|effect| match effect {
            // Of a cursor that the session does not have.
            SessionEffect::Close(name) => Some(name),
            SessionEffect::CloseAll | SessionEffect::Notice(_) => None,
        });
        let missing = |name| Error::new(SqlState::InvalidCursorName, format!("cursor \"{name}\" does not exist"));
        let result = result.and_then(|done| closed.map_or(Ok(done), |name| Err(missing(name))));
        result.inspect_err(|_| {
            client.session.transaction().fail();
            client.session.activity().end();
        })
    }
}

impl Execution {
    fn columns(&self) -> Columns {
        Columns::of(&self.prepared.columns, self.form.types)
    }

    /// What each endpoint of the result is bound to; one is that of all rows. In a block there is one: its rows are no others' yet.
    async fn pins(&self, work: &Work) -> Result<Vec<Option<Pin>>> {
        let is_outside = self.client.session.transaction().status == transaction::Status::Idle;
        let is_short = work.text.len() + work.params.len() <= REPEATED_BYTES_MAX;
        let parts_max = if is_outside && is_short { self.form.endpoints as usize } else { 1 };
        let pins = self.server.engine.pins(&self.prepared, parts_max, self.form.snapshot == Snapshot::Strict).await;
        let pins = self.server.settled(&self.client, pins)?;
        Ok(if pins.is_empty() { vec![None] } else { pins.into_iter().map(Some).collect() })
    }

    /// Begins, and gives the rows as they come. An error of the first set of parameters is told at once.
    pub(super) async fn stream(mut self) -> Result<DataStream> {
        let columns = Arc::new(self.columns());
        self.advance().await?;
        // Dictionaries that come go as they are, each batch with its own.
        let encoder = FlightDataEncoderBuilder::new()
            .with_schema(columns.schema())
            .with_options(self.form.options()?)
            .with_dictionary_handling(DictionaryHandling::Resend);
        let entry = Arc::clone(&self.entry);
        let batches = self.batches().map(move |batch| {
            let (batch, shown) = batch?;
            columns.batch(&batch, &shown).map_err(FlightError::from)
        });
        let encoded = encoder.build(batches).map_err(status::of_stream).inspect_ok(move |message| {
            if let Some(entry) = entry.lock().as_ref() {
                entry.add_sent(message.data_header.len() + message.data_body.len());
            }
        });
        Ok(encoded.boxed())
    }

    /// Runs to the end, and gives the number of rows that were changed or read.
    pub(super) async fn finish(mut self) -> Result<i64> {
        while self.advance().await? {
            while let Some(batch) = self.next().await? {
                self.counted += batch.num_rows() as u64;
            }
        }
        Ok(i64::try_from(self.counted).unwrap_or(i64::MAX))
    }

    /// Executes with the next set of parameters; false if there is none.
    async fn advance(&mut self) -> Result<bool> {
        let Some(values) = self.sets.next() else { return Ok(false) };
        let engine = &self.server.engine;
        let session = &self.client.session;
        let outcome = engine.execute(session, &self.guard, &self.prepared, values).await;
        match self.server.settled(&self.client, outcome)? {
            Outcome::Done(tag) => {
                if let Count::Changed(rows) = tag.count {
                    self.counted += rows;
                }
                self.current = None;
            }
            Outcome::Rows { stream, .. } => {
                let output = engine.output(&session.vars().display());
                let registry = stream.registry();
                *self.entry.lock() = stream.entry().map(Arc::clone);
                self.current = Some((stream, Shown { output, registry }));
            }
            Outcome::CopyIn(_) => {
                let error = Error::unsupported("COPY FROM STDIN needs the PostgreSQL protocol")
                    .hint("Send the rows with CommandStatementIngest (adbc_ingest): Flight takes them in columns.");
                return self.server.settled(&self.client, Err(error));
            }
            Outcome::CopyTo(_) => {
                let error = Error::unsupported("COPY TO an object as text or CSV needs the PostgreSQL protocol")
                    .hint("With FORMAT PARQUET it needs none.");
                return self.server.settled(&self.client, Err(error));
            }
            Outcome::Copy { .. } => {
                let error = Error::unsupported("COPY TO STDOUT needs the PostgreSQL protocol")
                    .hint("Ask for the rows with SELECT: Flight sends them in columns.");
                return self.server.settled(&self.client, Err(error));
            }
        }
        Ok(true)
    }

    /// The next batch of the current set.
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let Some((stream, _)) = &mut self.current else { return Ok(None) };
        let next = stream.next().await.transpose();
        let next = self.server.settled(&self.client, next)?;
        if next.is_none() {
            self.current = None;
            self.client.session.activity().end();
        }
        Ok(next)
    }

    fn batches(self) -> impl Stream<Item = Result<(RecordBatch, Shown), FlightError>> + Send + 'static {
        stream::try_unfold(self, |mut execution| async move {
            loop {
                if let Some(batch) = execution.next().await? {
                    let shown = execution.current.as_ref().map(|(_, shown)| shown.clone());
                    return Ok(shown.map(|shown| ((batch, shown), execution)));
                }
                if !execution.advance().await? {
                    return Ok(None);
                }
            }
        })
    }
}

impl Drop for Execution {
    fn drop(&mut self) {
        self.client.session.activity().end();
        self.client.touch();
    }
}

/// The rows of a command: none, under no columns.
pub(super) fn nothing() -> DataStream {
    let encoder = FlightDataEncoderBuilder::new().with_schema(SchemaRef::new(Schema::empty()));
    encoder.build(stream::empty()).map_err(status::of_stream).boxed()
}

/// A ticket as DoGet takes it.
fn wrapped(sealed: Bytes) -> Bytes {
    use arrow_flight::sql::{ProstMessageExt, TicketStatementQuery};
    use prost::Message;
    TicketStatementQuery { statement_handle: sealed }.as_any().encode_to_vec().into()
}
