//! The living sessions of this server: who is here, and whom a cancel request means.
//!
//! Owns: the numbers and keys of sessions, and what a session may have the server do. A wrong key is silence: its sender learns nothing.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, Weak};

use parking_lot::RwLock;
use ring::rand::{SecureRandom, SystemRandom};

use super::Session;
use crate::error::{Error, Result};

/// The secret half of BackendKeyData: 4 bytes in protocol 3.0, 32 in 3.2.
#[derive(Clone, PartialEq, Eq)]
pub struct CancelKey(pub Vec<u8>);

#[derive(Default)]
pub struct Registry {
    sessions: RwLock<HashMap<i32, (CancelKey, Weak<Session>)>>,
    reload: OnceLock<Reload>,
}

/// Reads the server's files again, and tells whether what they say is in force.
type Reload = Box<dyn Fn() -> bool + Send + Sync>;

/// Takes the session out of the registry, and what it holds away from it, when its connection ends.
pub struct Registration {
    registry: Arc<Registry>,
    id: i32,
}

impl Registry {
    /// A free session id (positive, random) and a random key of `key_bytes` bytes.
    pub fn allocate(&self, key_bytes: usize) -> Result<(i32, CancelKey)> {
        let random = SystemRandom::new();
        let mut key = vec![0; key_bytes];
        random.fill(&mut key).map_err(|_| Error::internal("the system gave no random bytes"))?;
        loop {
            let mut id = [0; 4];
            random.fill(&mut id).map_err(|_| Error::internal("the system gave no random bytes"))?;
            let id = i32::from_be_bytes(id) & i32::MAX;
            if id != 0 && !self.sessions.read().contains_key(&id) {
                return Ok((id, CancelKey(key)));
            }
        }
    }

    /// Makes the session known until the registration is dropped.
    pub fn register(self: &Arc<Self>, session: &Arc<Session>, key: CancelKey) -> Registration {
        // A session is registered once.
        let _ = session.registry.set(Arc::downgrade(self));
        self.sessions.write().insert(session.id, (key, Arc::downgrade(session)));
        Registration { registry: Arc::clone(self), id: session.id }
    }

    /// Cancels the running statement of session `id` if `key` is its key; else does nothing.
    pub fn cancel(&self, id: i32, key: &[u8]) {
        let session = match self.sessions.read().get(&id) {
            Some((known, session)) if crate::auth::equal(&known.0, key) => session.upgrade(),
            _ => None,
        };
        if let Some(session) = session {
            session.cancel();
        }
    }

    /// What [`Registry::reload`] does; the first one stays.
    pub fn on_reload(&self, reload: Reload) {
        let _ = self.reload.set(reload);
    }

    /// Reads again what the server has read at its start. Without any file all of it is in force.
    pub fn reload(&self) -> bool {
        self.reload.get().is_none_or(|reload| reload())
    }

    pub fn living(&self) -> Vec<Arc<Session>> {
        self.sessions.read().values().filter_map(|(_, session)| session.upgrade()).collect()
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let gone = self.registry.sessions.write().remove(&self.id);
        if let Some(session) = gone.and_then(|(_, session)| session.upgrade()) {
            session.end();
        }
    }
}
