//! The sessions of Flight clients. gRPC has no connection of its own, so a token names the session, and where a client has
//! none, its socket does.
//!
//! Owns: how many there are, and that those which nobody uses make room. What a replica has forgotten, or never knew, begins
//! anew.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use tokio_util::sync::CancellationToken;

use super::sealed::nonce;
use crate::auth::Login;
use crate::engine::Prepared;
use crate::error::{Error, Result, SqlState};
use crate::session::registry::Registration;
use crate::session::{Registry, Session, Vars};

/// A session that was not used for so long ends when another begins.
const IDLE_MAX: Duration = Duration::from_secs(1800);
/// A client asks for a ticket and fetches it; one that prefetches has some.
const PLANS_MAX: usize = 4;
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

/// Plans of tickets that were given a moment ago, by their nonces. A ticket whose plan has gone is planned again.
#[derive(Default)]
pub(super) struct Plans(VecDeque<(Vec<u8>, Arc<Prepared>)>);

impl Plans {
    pub(super) fn keep(&mut self, nonce: &[u8], plan: &Arc<Prepared>) {
        if self.0.len() >= PLANS_MAX {
            self.0.pop_front();
        }
        self.0.push_back((nonce.to_vec(), Arc::clone(plan)));
    }

    pub(super) fn take(&mut self, nonce: &[u8]) -> Option<Arc<Prepared>> {
        let at = self.0.iter().position(|(kept, _)| kept == nonce)?;
        self.0.remove(at).map(|(_, plan)| plan)
    }
}

/// One client's session.
pub(super) struct Client {
    pub(super) key: Key,
    pub(super) session: Arc<Session>,
    /// What ties a statement to this session: a token means another one on each replica.
    pub(super) mark: [u8; 16],
    used_at: Mutex<Instant>,
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
}

/// A statement that is sending its rows.
pub(super) struct Running {
    client: Arc<Client>,
    nonce: Vec<u8>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.client.running.lock().remove(&self.nonce);
        *self.client.used_at.lock() = Instant::now();
    }
}

/// All of a server.
pub(super) struct Clients {
    registry: Arc<Registry>,
    database: String,
    defaults: Vars,
    max: usize,
    by_key: Mutex<HashMap<Key, Arc<Client>>>,
}

impl Clients {
    pub(super) fn new(registry: Arc<Registry>, database: String, defaults: Vars, max: usize) -> Self {
        Self { registry, database, defaults, max, by_key: Mutex::default() }
    }

    pub(super) fn find(&self, key: &Key) -> Option<Arc<Client>> {
        let client = self.by_key.lock().get(key).map(Arc::clone)?;
        *client.used_at.lock() = Instant::now();
        Some(client)
    }

    /// The session of a client that has just proven who it is.
    pub(super) fn open(&self, key: Key, login: &Login, peer: SocketAddr) -> Result<Arc<Client>> {
        if let Some(client) = self.find(&key) {
            return Ok(client);
        }
        let client = self.new_client(key.clone(), login, peer, &[])?;
        let mut by_key = self.by_key.lock();
        let is_used = |client: &Arc<Client>| Arc::strong_count(client) > 1;
        by_key.retain(|_, client| is_used(client) || client.used_at.lock().elapsed() < IDLE_MAX);
        if by_key.len() >= self.max {
            let idle = by_key.iter().filter(|(_, client)| !is_used(client));
            let oldest = idle.min_by_key(|(_, client)| *client.used_at.lock()).map(|(key, _)| key.clone());
            let too_many = || Error::new(SqlState::TooManyConnections, "sorry, too many clients already");
            by_key.remove(&oldest.ok_or_else(too_many)?);
        }
        Ok(Arc::clone(by_key.entry(key).or_insert(client)))
    }

    /// A session beside those that are known, with these variables: for a statement that another session planned.
    pub(super) fn aside(&self, client: &Client, login: &Login, settings: &[(String, String)]) -> Result<Arc<Client>> {
        let peer = client.session.client.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)));
        self.new_client(client.key.clone(), login, peer, settings)
    }

    fn new_client(
        &self,
        key: Key,
        login: &Login,
        peer: SocketAddr,
        settings: &[(String, String)],
    ) -> Result<Arc<Client>> {
        let mut vars = self.defaults.clone();
        for (name, value) in login.settings.iter().chain(settings) {
            vars.set_startup(name, value)?;
        }
        vars.set_server("is_superuser", if login.role.superuser { "on" } else { "off" })?;
        vars.set_server("session_authorization", &login.role.name)?;
        // Nobody cancels a Flight session over the PostgreSQL protocol, but its key must not be guessed either.
        let (id, cancel_key) = self.registry.allocate(32)?;
        let session = Session::new(id, self.database.clone(), Arc::clone(&login.role), Some(peer), vars);
        let session = Arc::new(session);
        let _registration = self.registry.register(&session, cancel_key);
        let (used_at, mark) = (Mutex::new(Instant::now()), nonce()?);
        let (plans, running) = (Mutex::default(), Mutex::default());
        Ok(Arc::new(Client { key, session, mark, used_at, plans, running, _registration }))
    }

    /// Ends a session; what it runs is cancelled.
    pub(super) fn close(&self, key: &Key) {
        if let Some(client) = self.by_key.lock().remove(key) {
            client.session.terminate();
        }
    }
}
