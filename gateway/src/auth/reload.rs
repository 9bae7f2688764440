//! The roles file while the server runs: it is read again when it has changed, on SIGHUP, and by `pg_reload_conf()`.
//!
//! Owns: that a file which cannot be used leaves the roles as they were, and says so in the log once. Must never know: what the
//! roles are needed for.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::Roles;

/// How often the file is looked at.
const EVERY: Duration = Duration::from_secs(2);

/// Told of the roles whenever they are others.
pub type Told = Box<dyn Fn(&Roles) + Send + Sync>;

pub struct RolesFile {
    path: PathBuf,
    roles: Arc<Roles>,
    told: Told,
    seen: Mutex<Option<Stamp>>,
}

/// What differs when a file has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified_at: Option<SystemTime>,
    bytes: u64,
}

impl RolesFile {
    pub fn new(path: PathBuf, roles: Arc<Roles>, told: Told) -> Self {
        let seen = Mutex::new(stamp(&path));
        Self { path, roles, told, seen }
    }

    /// Reads the file; whether its roles are in force now.
    pub fn read(&self) -> bool {
        *self.seen.lock() = stamp(&self.path);
        match Roles::load(&self.path) {
            Ok(fresh) => {
                self.roles.replace(fresh);
                (self.told)(&self.roles);
                tracing::info!(path = %self.path.display(), "the roles file was read");
                true
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(%error, cause, "the roles file was not read: roles and grants stay as they were");
                false
            }
        }
    }

    /// Reads it when it has changed, until the server stops.
    pub async fn keep(self: Arc<Self>, stop: CancellationToken) {
        let mut hangup = Hangup::default();
        loop {
            let is_asked = tokio::select! {
                () = stop.cancelled() => return,
                () = hangup.received() => true,
                () = tokio::time::sleep(EVERY) => false,
            };
            if is_asked || *self.seen.lock() != stamp(&self.path) {
                let file = Arc::clone(&self);
                let _is_in_force = tokio::task::spawn_blocking(move || file.read()).await;
            }
        }
    }
}

/// A file that is away has none: it may be on its way to be replaced.
fn stamp(path: &std::path::Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some(Stamp { modified_at: metadata.modified().ok(), bytes: metadata.len() })
}

/// SIGHUP, where there is one.
#[derive(Default)]
struct Hangup {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

impl Hangup {
    #[cfg(unix)]
    async fn received(&mut self) {
        use tokio::signal::unix::{SignalKind, signal};
        if self.signal.is_none() {
            self.signal = signal(SignalKind::hangup()).ok();
        }
        let heard = match &mut self.signal {
            Some(signal) => signal.recv().await,
            None => None,
        };
        if heard.is_none() {
            std::future::pending().await
        }
    }

    #[cfg(not(unix))]
    async fn received(&mut self) {
        std::future::pending().await
    }
}
