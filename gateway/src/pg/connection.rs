//! The loop of a logged-in client: one message after the other, until it leaves or must leave.
//!
//! Owns: dispatch, error recovery, idle timeouts, ReadyForQuery, and the sending of rows. It starts from a `LoggedIn`,
//! which only `startup` makes. Must never know: how a statement is planned.
//!
//! ```text
//! ready --Query--> simple -----------------------------> ready
//!   |---Parse, Bind, Describe, Execute, Close, Flush---> extended --Sync--> ready
//!                                                          | error
//!                                                          v
//!                                                       skipping --Sync--> ready
//! any --FATAL, Terminate, EOF--> closed
//! ```

use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::FuturesOrdered;
use futures::{FutureExt, StreamExt};
use tokio::time::sleep;

use super::backend::{self, Severity};
use super::frame::{BadLength, Frame, ReadError, Wire};
use super::listener::Hub;
use super::message::{Invalid, Message};
use super::portal::{Pace, Portals, Run, Slice};
use super::startup::LoggedIn;
use crate::engine::{Count, Engine, Tag};
use crate::error::{Error, Result, SqlState};
use crate::session::transaction::Status;
use crate::session::{Session, SessionEffect, StatementGuard, shutting_down};

/// Answers held back until Flush or Sync.
const HELD_BYTES_MAX: usize = 64 << 10;
/// Chunks of rows that are being encoded, and chunks that wait for the socket.
const ENCODING_MAX: usize = 2;
const QUEUED_MAX: usize = 2;
/// What the engine gets to end a cancelled statement by itself before it is dropped.
const CANCEL_GRACE: Duration = Duration::from_millis(100);

/// Why a message was not carried out.
#[derive(Debug)]
pub(super) enum Fault {
    /// Told to the client, which stays.
    Error(Error),
    /// Told to the client, which must leave.
    Fatal(Error),
    /// There is nobody to tell.
    Gone,
}

pub(super) type Step<T = ()> = Result<T, Fault>;

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::Error(error)
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::TimedOut {
            tracing::info!(state = SqlState::ConnectionFailure.code(), "client takes no bytes, connection cut");
        }
        Fault::Gone
    }
}

pub(super) struct Connection {
    pub(super) wire: Wire,
    pub(super) session: Arc<Session>,
    pub(super) engine: Arc<Engine>,
    pub(super) portals: Portals,
    hub: Arc<Hub>,
    /// After an error of the extended protocol: everything up to Sync is passed over.
    skipping: bool,
}

/// Serves a client until the end, whatever it is.
pub(super) async fn run(login: LoggedIn, hub: Arc<Hub>) {
    let (wire, session, place) = login.into_parts();
    tracing::debug!(session = session.id, user = session.user(), "logged in");
    let mut connection = Connection {
        wire,
        session,
        engine: Arc::clone(&hub.server.engine),
        portals: Portals::default(),
        hub,
        skipping: false,
    };
    let last = match AssertUnwindSafe(connection.serve()).catch_unwind().await {
        Ok(Fault::Error(error) | Fault::Fatal(error)) => Some(error),
        Ok(Fault::Gone) => None,
        Err(panic) => Some(Error::internal(describe(panic.as_ref()))),
    };
    let Connection { mut wire, session, portals, .. } = connection;
    // What the client held is free before it has read its last message.
    drop(portals);
    drop(place);
    if let Some(error) = last {
        tracing::debug!(session = session.id, state = error.state.code(), %error, "connection ends");
        backend::error_response(&mut wire.output, Severity::Fatal, &error);
    }
    wire.close().await;
}

fn describe(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("a connection panicked: {}", text.unwrap_or("no message"))
}

impl Connection {
    /// Ends only with the reason for the end.
    async fn serve(&mut self) -> Fault {
        loop {
            let turn = async {
                let frame = self.next_frame().await?;
                self.handle(frame).await
            };
            match turn.await {
                Ok(()) => {}
                Err(fault) => return fault,
            }
        }
    }

    /// Waits for a message; the wait has its own limits.
    pub(super) async fn next_frame(&mut self) -> Step<Frame> {
        let bytes_max = self.hub.server.config.message_bytes_max;
        if self.hub.shutdown.is_cancelled() {
            return Err(Fault::Fatal(shutting_down()));
        }
        if let Some(frame) = self.wire.buffered(bytes_max).map_err(unreadable)? {
            return Ok(frame);
        }
        let patience = self.session.patience();
        let idle = async {
            match patience {
                Some((limit, end)) => {
                    sleep(limit).await;
                    end
                }
                None => std::future::pending().await,
            }
        };
        let mut idle = pin!(idle);
        let hears = self.session.transaction().status == Status::Idle;
        loop {
            tokio::select! {
                biased;
                () = self.hub.shutdown.cancelled() => return Err(Fault::Fatal(shutting_down())),
                () = self.session.terminated() => return Err(Fault::Fatal(shutting_down())),
                frame = self.wire.read(bytes_max) => return frame.map_err(unreadable),
                end = &mut idle => return Err(Fault::Fatal(end)),
                () = self.session.inbox.arrived(), if hears => {}
            }
            self.tell_notifications();
            self.wire.flush().await?;
        }
    }

    async fn handle(&mut self, frame: Frame) -> Step {
        let kind = frame.kind;
        if self.skipping && !matches!(kind, b'S' | b'X') {
            return Ok(());
        }
        let done = match Message::decode(frame) {
            Ok(message) => self.dispatch(message).await,
            Err(invalid) => Err(refuse(invalid)),
        };
        match done {
            Ok(()) => {}
            Err(Fault::Error(error)) => {
                self.fail(&error);
                if matches!(kind, b'P' | b'B' | b'D' | b'E' | b'C' | b'H') {
                    self.skipping = true;
                    // asyncpg waits for the error before it sends Sync, and PostgreSQL does not hold an error back.
                    self.wire.flush().await?;
                } else {
                    self.ready().await?;
                }
            }
            Err(fault) => return Err(fault),
        }
        if self.wire.output.len() > HELD_BYTES_MAX {
            self.wire.flush().await?;
        }
        Ok(())
    }

    async fn dispatch(&mut self, message: Message) -> Step {
        match message {
            Message::Query(sql) => {
                self.query(sql).await?;
                self.ready().await
            }
            Message::Parse { name, sql, param_oids } => self.parse(name, sql, param_oids).await,
            Message::Bind(bind) => self.bind(bind),
            Message::Describe(target) => self.describe(&target),
            Message::Execute { portal, rows_max } => self.execute(portal, rows_max).await,
            Message::Close(target) => self.close(&target),
            Message::Flush => Ok(self.wire.flush().await?),
            Message::Sync => {
                self.skipping = false;
                self.ready().await
            }
            Message::FunctionCall => Err(Error::unsupported("the function call protocol is not supported")
                .hint("Call the function in a query.")
                .into()),
            Message::StrayCopy => Ok(()),
            Message::Terminate => Err(Fault::Gone),
        }
    }

    /// Ends a query cycle: what changed, where the transaction stands, and everything said so far.
    async fn ready(&mut self) -> Step {
        for (name, value) in self.session.vars().take_changed() {
            backend::parameter_status(&mut self.wire.output, name, &value);
        }
        let status = self.session.transaction().status;
        if status == Status::Idle {
            self.portals.clear();
            self.tell_notifications();
        }
        self.session.activity().end();
        backend::ready_for_query(&mut self.wire.output, status);
        Ok(self.wire.flush().await?)
    }

    /// Tells what has arrived on the channels of the session, which must not be in a block.
    fn tell_notifications(&mut self) {
        for notification in self.session.inbox.take() {
            backend::notification_response(&mut self.wire.output, &notification);
        }
    }

    /// Tells an error and fails the transaction block.
    fn fail(&mut self, error: &Error) {
        self.session.transaction().fail();
        self.session.end_statement(false);
        for effect in self.session.take_effects() {
            if let SessionEffect::Notice(notice) = effect {
                backend::notice_response(&mut self.wire.output, &notice);
            }
        }
        backend::error_response(&mut self.wire.output, Severity::Error, error);
    }

    /// Carries out what a command asked of the connection, then reports the command as done.
    pub(super) fn complete(&mut self, tag: &Tag, rows: u64, before: Status) -> Step {
        for effect in self.session.take_effects() {
            match effect {
                SessionEffect::Notice(notice) => backend::notice_response(&mut self.wire.output, &notice),
                SessionEffect::CloseAll => self.portals.clear(),
                SessionEffect::Close(name) => {
                    if !self.portals.remove(&name) {
                        let message = format!("cursor \"{name}\" does not exist");
                        return Err(Error::new(SqlState::InvalidCursorName, message).into());
                    }
                }
            }
        }
        self.session.end_statement(true);
        // Portals do not outlive their transaction.
        if before != Status::Idle && self.session.transaction().status == Status::Idle {
            self.portals.clear();
        }
        if tag.count == Count::Sent {
            backend::command_complete(&mut self.wire.output, &format!("{} {rows}", tag.command));
        } else {
            backend::command_complete(&mut self.wire.output, &tag.command);
        }
        Ok(())
    }

    /// Waits for the engine while watching the client: whoever leaves takes the statement along.
    pub(super) async fn watch<T>(&mut self, guard: &StatementGuard, work: impl Future<Output = Result<T>>) -> Step<T> {
        let mut work = pin!(work);
        let mut overdue = pin!(overdue(guard));
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Ok(done?),
                error = &mut overdue => return Err(error.into()),
                () = self.hub.kill.cancelled() => return Err(Fault::Fatal(shutting_down())),
                sent = self.wire.progress() => sent?,
            }
        }
    }

    /// Sends rows, at most `rows_max` unless that is 0: batches are encoded on the CPU pool, some ahead and in order,
    /// while earlier chunks go out as fast as the client takes them. Gives the number of rows.
    pub(super) async fn send_rows(&mut self, run: &mut Run, guard: &StatementGuard, rows_max: usize) -> Step<u64> {
        let pace = Arc::new(Pace::new());
        let mut left = if rows_max == 0 { usize::MAX } else { rows_max };
        let mut more = true;
        let mut encoding = FuturesOrdered::new();
        let mut overdue = pin!(overdue(guard));
        let mut sent = 0;
        while more || !encoding.is_empty() {
            let room = self.wire.queued() < QUEUED_MAX;
            tokio::select! {
                biased;
                () = self.hub.kill.cancelled() => return Err(Fault::Fatal(shutting_down())),
                error = &mut overdue => return Err(error.into()),
                progress = self.wire.progress() => progress?,
                Some(chunk) = encoding.next(), if room && !encoding.is_empty() => {
                    let (bytes, rows): (Bytes, usize) = chunk?;
                    sent += rows as u64;
                    if let Some(entry) = run.rows.stream().entry() {
                        entry.add_sent(bytes.len());
                    }
                    self.wire.push(bytes);
                }
                slice = run.rows.next(left, &pace), if more && encoding.len() < ENCODING_MAX => match slice {
                    Some(slice) => {
                        let slice = slice?;
                        left = left.saturating_sub(slice.len());
                        more = left > 0;
                        encoding.push_back(encode(&self.engine, slice, run, &pace));
                    }
                    None => more = false,
                },
            }
        }
        Ok(sent)
    }

    /// The variables' say on how values look, and what the encoder needs of the columns.
    pub(super) fn display(&self) -> crate::session::vars::Display {
        self.session.vars().display()
    }
}

/// Encodes on the CPU pool, from the first poll on.
fn encode(
    engine: &Arc<Engine>,
    slice: Slice,
    run: &Run,
    pace: &Arc<Pace>,
) -> impl Future<Output = Result<(Bytes, usize)>> + use<> {
    let (engine, encoder, pace) = (Arc::clone(engine), Arc::clone(&run.encoder), Arc::clone(pace));
    let copy = run.copy.clone();
    async move { engine.on_cpu(move || slice.encode(&encoder, copy.as_deref(), &pace)).await? }
}

/// Ends with the error of a statement that should have ended by itself a moment ago.
async fn overdue(guard: &StatementGuard) -> Error {
    let error = guard.ended().await;
    sleep(CANCEL_GRACE).await;
    error
}

fn unreadable(error: ReadError) -> Fault {
    match error {
        ReadError::Gone => Fault::Gone,
        ReadError::BadLength(BadLength(length)) => {
            Fault::Fatal(Error::new(SqlState::ProtocolViolation, format!("invalid message length: {length}")))
        }
    }
}

fn refuse(invalid: Invalid) -> Fault {
    let violation = |message| Fault::Fatal(Error::new(SqlState::ProtocolViolation, message));
    match invalid {
        Invalid::Type(kind) => violation(format!("invalid frontend message type {kind}")),
        Invalid::Body(kind) => violation(format!("invalid format of message type {kind}")),
        Invalid::Encoding(bytes) => {
            let bytes: Vec<String> = bytes.iter().map(|byte| format!("0x{byte:02x}")).collect();
            let message = format!("invalid byte sequence for encoding \"UTF8\": {}", bytes.join(" "));
            Fault::Error(Error::new(SqlState::CharacterNotInRepertoire, message))
        }
    }
}
