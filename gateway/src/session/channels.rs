//! LISTEN, UNLISTEN and NOTIFY among the sessions of this server.
//!
//! Owns: on which channels a session listens, and what waits to be told to it. Must never know: how a protocol tells it, or
//! other servers: a notification stays in its process. <https://www.postgresql.org/docs/15/sql-notify.html>

use std::collections::{BTreeSet, VecDeque};

use parking_lot::Mutex;
use sqlparser::ast::Ident;

use super::{Session, fold};
use crate::error::{Error, Result, SqlState};

/// PostgreSQL's limits: a name, and a payload.
const CHANNEL_BYTES_MAX: usize = 63;
const PAYLOAD_BYTES_MAX: usize = 7999;
/// What may wait for a client that does not read; it is let go of when there is more.
const WAITING_BYTES_MAX: usize = 4 << 20;
/// What a transaction may ask for.
const ASKED_MAX: usize = 10_000;
const CHANNELS_MAX: usize = 1000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The session that sent it.
    pub sender: i32,
    pub channel: String,
    pub payload: String,
}

/// What a statement asks for, which is done when its transaction has ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    Listen(String),
    Unlisten(String),
    UnlistenAll,
    Notify { channel: String, payload: String },
}

/// The channels of one session.
#[derive(Default)]
pub struct Inbox {
    state: Mutex<State>,
    arrived: tokio::sync::Notify,
}

#[derive(Default)]
struct State {
    channels: BTreeSet<String>,
    waiting: VecDeque<Notification>,
    bytes: usize,
}

impl Inbox {
    /// Waits until there is something to tell.
    pub async fn arrived(&self) {
        while self.state.lock().waiting.is_empty() {
            self.arrived.notified().await;
        }
    }

    /// What there is to tell, in the order in which it was sent.
    pub fn take(&self) -> VecDeque<Notification> {
        let mut state = self.state.lock();
        state.bytes = 0;
        std::mem::take(&mut state.waiting)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.state.lock().channels.is_empty()
    }

    pub(super) fn clear(&self) {
        self.state.lock().channels.clear();
    }

    /// Whether there was room for it, if the session listens.
    fn put(&self, notification: &Notification) -> bool {
        let mut state = self.state.lock();
        if !state.channels.contains(&notification.channel) {
            return true;
        }
        let bytes = size_of::<Notification>() + notification.channel.len() + notification.payload.len();
        if state.bytes + bytes > WAITING_BYTES_MAX {
            return false;
        }
        state.bytes += bytes;
        state.waiting.push_back(notification.clone());
        self.arrived.notify_one();
        true
    }
}

/// The channel of this name: PostgreSQL cuts names that are longer.
pub(super) fn channel(name: &Ident) -> String {
    let mut channel = fold(name);
    channel.truncate(channel.floor_char_boundary(CHANNEL_BYTES_MAX));
    channel
}

/// Takes what `pg_notify()` asks for.
pub(crate) fn notify(session: &Session, channel: &str, payload: &str) -> Result<()> {
    let invalid = |message: &str| Err(Error::new(SqlState::InvalidParameterValue, message));
    match channel.len() {
        0 => invalid("channel name cannot be empty"),
        1..=CHANNEL_BYTES_MAX => ask(session, Ask::Notify { channel: channel.to_owned(), payload: payload.to_owned() }),
        _ => invalid("channel name too long"),
    }
}

/// Takes what a statement asks for: it is done when that has ended well, in a block at COMMIT.
pub(super) fn ask(session: &Session, asked: Ask) -> Result<()> {
    check(session, &asked)?;
    let mut transaction = session.transaction();
    if transaction.asked.len() >= ASKED_MAX {
        return Err(Error::new(SqlState::ProgramLimitExceeded, "too many notifications in one transaction"));
    }
    // One notification is sent once in a transaction, however often it is asked for.
    if !matches!(asked, Ask::Notify { .. }) || !transaction.asked.contains(&asked) {
        transaction.asked.push(asked);
    }
    Ok(())
}

fn check(session: &Session, asked: &Ask) -> Result<()> {
    let invalid = |message: &str| Err(Error::new(SqlState::InvalidParameterValue, message));
    if session.registry().is_none() {
        return Err(Error::unsupported("notifications are sent and told over PostgreSQL's protocol only"));
    }
    match asked {
        Ask::Notify { payload, .. } if payload.len() > PAYLOAD_BYTES_MAX => invalid("payload string too long"),
        Ask::Listen(channel) => {
            let channels = &session.inbox.state.lock().channels;
            if channels.len() < CHANNELS_MAX || channels.contains(channel) {
                return Ok(());
            }
            Err(Error::new(SqlState::ProgramLimitExceeded, "too many channels are listened on"))
        }
        _ => Ok(()),
    }
}

/// Does what was asked for, in its order.
pub(super) fn carry_out(session: &Session, asked: Vec<Ask>) {
    for ask in asked {
        match ask {
            Ask::Listen(channel) => {
                session.inbox.state.lock().channels.insert(channel);
            }
            Ask::Unlisten(channel) => {
                session.inbox.state.lock().channels.remove(&channel);
            }
            Ask::UnlistenAll => session.inbox.clear(),
            Ask::Notify { channel, payload } => send(session, Notification { sender: session.id, channel, payload }),
        }
    }
}

/// Who does not read what it listens for would miss some of it: such a session ends.
fn send(session: &Session, notification: Notification) {
    let Some(registry) = session.registry() else { return };
    for listener in registry.living() {
        if listener.database == session.database && !listener.inbox.put(&notification) {
            listener.terminate();
        }
    }
}
