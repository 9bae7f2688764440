//! The sessions of Flight clients. gRPC has no connection of its own, so a token names the session, and where a client has
//! none, its socket does.
//!
//! Owns: how many there are, of all and of each role, how they end without their clients' wish, and that those which nobody
//! uses make room. What a replica never knew begins anew; what it ended is told so once, if that could change an answer.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use tokio_util::sync::CancellationToken;

use super::plans::Plans;
use super::sealed::nonce;
use super::socket::Connection;
use crate::auth::{Login, Role};
use crate::error::{Error, Result, SqlState};
use crate::session::registry::Registration;
use crate::session::{Protocol, Registry, Session, Vars, shutting_down};

/// A session without a connection, and not used for so long, ends when another begins.
const IDLE_MAX: Duration = Duration::from_secs(1800);
/// Statements of one client that can be cancelled by their tickets.
const RUNNING_MAX: usize = 1024;

/// What a client is known by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// Of a token, which is the same on every connection and every replica.
    Token(Vec<u8>),
    /// Without a token: the socket, and who it says it is.
    Socket(SocketAddr, String),
}

/// One client's session.
pub(super) struct Client {
    pub(super) key: Key,
    pub(super) session: Arc<Session>,
    /// What ties a statement to this session: a token means another one on each replica.
    pub(super) mark: [u8; 16],
    used_at: Mutex<Instant>,
    /// Those over which its calls came, as long as they live.
    connections: Mutex<Vec<Weak<Connection>>>,
    plans: Mutex<Plans>,
    /// By the nonces of tickets.
    running: Mutex<HashMap<Vec<u8>, CancellationToken>>,
    _registration: Registration,
}

impl Client {
    /// Hold the guard shortly.
    pub(super) fn plans(&self) -> MutexGuard<'_, Plans> {
        self.plans.lock()
    }

    /// Begins to be idle, again.
    pub(super) fn touch(&self) {
        *self.used_at.lock() = Instant::now();
    }

    /// Makes a statement known by its ticket until the guard is dropped.
    pub(super) fn run(self: &Arc<Self>, nonce: &[u8], cancel: &CancellationToken) -> Running {
        let mut running = self.running.lock();
        if running.len() < RUNNING_MAX {
            running.insert(nonce.to_vec(), cancel.clone());
        }
        Running { client: Arc::clone(self), nonce: nonce.to_vec() }
    }

    /// Cancels the statement of a ticket; false if it does not run here.
    pub(super) fn cancel(&self, nonce: &[u8]) -> bool {
        self.running.lock().remove(nonce).map(|token| token.cancel()).is_some()
    }

    fn came_over(&self, connection: &Arc<Connection>) {
        let mut connections = self.connections.lock();
        connections.retain(|known| known.strong_count() > 0);
        if !connections.iter().any(|known| known.as_ptr() == Arc::as_ptr(connection)) {
            connections.push(Arc::downgrade(connection));
        }
    }

    fn has_come_over(&self, connection: &Arc<Connection>) -> bool {
        self.connections.lock().iter().any(|known| known.as_ptr() == Arc::as_ptr(connection))
    }

    fn is_connected(&self) -> bool {
        self.connections.lock().iter().any(|connection| connection.strong_count() > 0)
    }

    fn idle(&self) -> Duration {
        self.used_at.lock().elapsed()
    }

    /// Why the session is over, unless it goes on.
    fn over(self: &Arc<Self>) -> Option<Error> {
        if self.session.is_terminated() {
            return Some(shutting_down());
        }
        let (limit, why) = self.session.patience()?;
        (!is_used(self) && self.idle() >= limit).then_some(why)
    }
}

/// Whether a call holds the client, beside the list of all.
fn is_used(client: &Arc<Client>) -> bool {
    Arc::strong_count(client) > 1
}

/// A statement that is sending its rows.
pub(super) struct Running {
    client: Arc<Client>,
    nonce: Vec<u8>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.client.running.lock().remove(&self.nonce);
    }
}

/// All of a server.
pub(super) struct Clients {
    registry: Arc<Registry>,
    database: String,
    defaults: Vars,
    max: usize,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    by_key: HashMap<Key, Arc<Client>>,
    /// Sessions that ended, until their clients are told why; as many as may live.
    ended: VecDeque<(Key, Error)>,
}

impl Clients {
    pub(super) fn new(registry: Arc<Registry>, database: String, defaults: Vars, max: usize) -> Self {
        Self { registry, database, defaults, max, known: Mutex::default() }
    }

    /// The session of a client that has just proven who it is. One that has ended since its last call is told why, once.
    pub(super) fn open(&self, key: Key, login: &Login, connection: &Arc<Connection>) -> Result<Arc<Client>> {
        if let Some(client) = self.known.lock().find(&key, self.max)? {
            client.came_over(connection);
            return Ok(client);
        }
        let client = self.new_client(key.clone(), login, connection.addr, &[])?;
        client.came_over(connection);
        let mut known = self.known.lock();
        known.make_room(&login.role, self.max)?;
        Ok(Arc::clone(known.by_key.entry(key).or_insert(client)))
    }

    /// Whether a session goes on whose token is older than `lives`: it was used since, or its client has shown the token on
    /// this very connection before.
    pub(super) fn goes_on(&self, key: &Key, connection: &Arc<Connection>, lives: Duration) -> bool {
        let known = self.known.lock();
        known.by_key.get(key).is_some_and(|client| client.idle() < lives || client.has_come_over(connection))
    }

    /// A session beside those that are known, with these variables: for a statement that another session planned.
    pub(super) fn aside(&self, client: &Client, login: &Login, settings: &[(String, String)]) -> Result<Arc<Client>> {
        self.new_client(client.key.clone(), login, client.session.client, settings)
    }

    fn new_client(
        &self,
        key: Key,
        login: &Login,
        peer: Option<SocketAddr>,
        settings: &[(String, String)],
    ) -> Result<Arc<Client>> {
        let mut vars = self.defaults.clone();
        for (name, value) in login.settings.iter() {
            vars.set_role(name, value)?;
        }
        vars.set_server("is_superuser", if login.role.superuser { "on" } else { "off" })?;
        for (name, value) in settings {
            vars.set_startup(name, value)?;
        }
        vars.set_server("session_authorization", &login.role.name)?;
        // Nobody cancels a Flight session over the PostgreSQL protocol, but its key must not be guessed either.
        let (id, cancel_key) = self.registry.allocate(32)?;
        let session = Session::new(id, self.database.clone(), Arc::clone(&login.role), peer, vars);
        let session = Arc::new(session.over(Protocol::Flight));
        let _registration = self.registry.register(&session, cancel_key);
        let (used_at, mark) = (Mutex::new(Instant::now()), nonce()?);
        let (connections, plans, running) = (Mutex::default(), Mutex::default(), Mutex::default());
        Ok(Arc::new(Client { key, session, mark, used_at, connections, plans, running, _registration }))
    }

    /// Ends a session; what it runs is cancelled.
    pub(super) fn close(&self, key: &Key) {
        if let Some(client) = self.known.lock().by_key.remove(key) {
            client.session.terminate();
        }
    }

    /// Ends the sessions whose time is over, and those whose client cannot come back.
    pub(super) fn sweep(&self) {
        let mut known = self.known.lock();
        let over = known.by_key.iter().filter_map(|(key, client)| {
            let is_lost = matches!(key, Key::Socket(..)) && !is_used(client) && !client.is_connected();
            if is_lost { Some((key.clone(), None)) } else { client.over().map(|why| (key.clone(), Some(why))) }
        });
        for (key, why) in over.collect::<Vec<_>>() {
            known.by_key.remove(&key);
            if let Some(why) = why {
                known.end(key, why, self.max);
            }
        }
    }
}

impl Known {
    /// The session of a key, which is used from now on.
    fn find(&mut self, key: &Key, max: usize) -> Result<Option<Arc<Client>>> {
        if let Some(client) = self.by_key.get(key) {
            let Some(why) = client.over() else {
                client.touch();
                return Ok(Some(Arc::clone(client)));
            };
            self.by_key.remove(key);
            self.end(key.clone(), why, max);
        }
        let at = self.ended.iter().position(|(ended, _)| ended == key);
        match at.and_then(|at| self.ended.remove(at)) {
            Some((_, why)) => Err(why),
            None => Ok(None),
        }
    }

    fn end(&mut self, key: Key, why: Error, max: usize) {
        if self.ended.len() >= max {
            self.ended.pop_front();
        }
        self.ended.push_back((key, why));
    }

    /// Lets sessions go that nobody uses, until one more of the role may begin.
    fn make_room(&mut self, role: &Role, max: usize) -> Result<()> {
        let is_stale = |client: &Arc<Client>| !is_used(client) && !client.is_connected() && client.idle() >= IDLE_MAX;
        while let Some(key) = self.oldest(is_stale) {
            self.let_go(key, max);
        }
        // As in PostgreSQL, a superuser's own limit does not bind.
        let limit = role.connection_limit.filter(|_| !role.superuser);
        let is_of_role = |client: &Arc<Client>| client.session.role.name == role.name;
        while let Some(limit) = limit
            && self.by_key.values().filter(|client| is_of_role(client)).count() >= limit
        {
            let left = self.oldest(|client| is_of_role(client) && !is_used(client) && !client.is_connected());
            let refused = || format!("too many connections for role \"{}\"", role.name);
            self.let_go(left.ok_or_else(|| Error::new(SqlState::TooManyConnections, refused()))?, max);
        }
        if self.by_key.len() >= max {
            let left = self.oldest(|client| !is_used(client) && !client.is_connected());
            let left = left.or_else(|| self.oldest(|client| !is_used(client)));
            let too_many = || Error::new(SqlState::TooManyConnections, "sorry, too many clients already");
            self.let_go(left.ok_or_else(too_many)?, max);
        }
        Ok(())
    }

    fn oldest(&self, may_go: impl Fn(&Arc<Client>) -> bool) -> Option<Key> {
        let candidates = self.by_key.iter().filter(|(_, client)| may_go(client));
        candidates.max_by_key(|(_, client)| client.idle()).map(|(key, _)| key.clone())
    }

    fn let_go(&mut self, key: Key, max: usize) {
        let gone = self.by_key.remove(&key);
        if gone.is_some_and(|client| client.session.is_told_apart()) {
            let why = Error::new(SqlState::IdleSessionTimeout, "terminating connection due to idle-session timeout");
            self.end(key, why.detail("Another client needed its place."), max);
        }
    }
}
