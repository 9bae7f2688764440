//! The one error of the server, reported as PostgreSQL reports: SQLSTATE, primary message, detail, hint, position.
//!
//! Owns: what a client may read about a failure. Must never hold: a secret, a path of the host, a store's URL.
//! <https://www.postgresql.org/docs/16/error-style-guide.html>

pub mod classify;
mod sqlstate;

use std::fmt;
use std::sync::Arc;

pub use sqlstate::SqlState;

/// A failure with everything that its client may know.
///
/// `message` is lowercase without a full stop; `detail` and `hint` are sentences; `position` counts characters from 1
/// in the text of the message that the client sent. `source` goes to the log, never to the client.
#[derive(Debug, Clone)]
pub struct Error {
    pub state: SqlState,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
    pub position: Option<usize>,
    /// Where in what was read the failure is: `COPY t, line 3, column a`.
    pub context: Option<String>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub fn new(state: SqlState, message: impl Into<String>) -> Self {
        Self { state, message: message.into(), detail: None, hint: None, position: None, context: None, source: None }
    }

    /// SQL that PostgreSQL has and this server does not: 0A000.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(SqlState::FeatureNotSupported, message)
    }

    /// A failure of ours. The client gets an id; the cause goes to the log under that id.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let source = source.into();
        let id = uuid::Uuid::new_v4().simple();
        tracing::error!(%id, cause = %source, "internal error");
        let mut error = Self::new(SqlState::InternalError, format!("internal error, id={id}"));
        error.source = Some(Arc::from(source));
        error
    }

    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub fn context(mut self, context: impl Into<String>) -> Self {
        self.context = Some(context.into());
        self
    }

    /// Sets the position, counted in characters from 1.
    pub fn at(mut self, position: usize) -> Self {
        self.position = Some(position);
        self
    }

    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
