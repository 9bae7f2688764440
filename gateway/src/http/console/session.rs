//! The session of one request. It is the role's, as it would be over any other protocol, and ends with the request.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use super::Console;
use crate::auth::Login;
use crate::engine::{Outcome, Prepared, QueryStream, Statement, Tag};
use crate::error::{Error, Result, SqlState};
use crate::session::registry::Registration;
use crate::session::{Protocol, Session, SessionEffect, StatementGuard};

/// A session as long as its request.
pub(super) struct Seat {
    pub(super) session: Arc<Session>,
    _registration: Registration,
    _place: OwnedSemaphorePermit,
}

/// What a statement gave.
pub(super) enum Given {
    Rows(Box<QueryStream>, Tag),
    Done(Tag),
}

impl Console {
    /// A session of the role; 53300 if it has too many, or all together have.
    pub(super) fn seat(&self, login: &Login, peer: SocketAddr, application: &str) -> Result<Seat> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let _place = place.map_err(|_| too_many("sorry, too many clients already"))?;
        let role = &login.role;
        // As in PostgreSQL, a superuser's own limit does not bind.
        if let Some(limit) = role.connection_limit.filter(|_| !role.superuser) {
            let is_of_role =
                |session: &&Arc<Session>| session.protocol == Protocol::Http && session.user() == role.name;
            if self.registry.living().iter().filter(is_of_role).count() >= limit {
                return Err(too_many(&format!("too many connections for role \"{}\"", role.name)));
            }
        }
        let mut vars = self.settings.defaults.clone();
        for (name, value) in login.settings.iter() {
            vars.set_role(name, value)?;
        }
        vars.set_startup("application_name", application)?;
        vars.set_server("is_superuser", if role.superuser { "on" } else { "off" })?;
        vars.set_server("session_authorization", &role.name)?;
        // Nobody cancels it over the PostgreSQL protocol, but its key must not be guessed either.
        let (id, key) = self.registry.allocate(32)?;
        let session = Session::new(id, self.settings.database.clone(), Arc::clone(role), Some(peer), vars);
        let session = Arc::new(session.over(Protocol::Http));
        let _registration = self.registry.register(&session, key);
        Ok(Seat { session, _registration, _place })
    }

    /// Plans a statement.
    pub(super) async fn prepare(&self, seat: &Seat, statement: Statement) -> Result<(StatementGuard, Prepared)> {
        let guard = seat.session.begin_statement();
        let prepared = self.engine.prepare(&seat.session, &guard, statement, &[]).await?;
        if !prepared.param_types.is_empty() {
            return Err(Error::new(SqlState::UndefinedParameter, "there is no parameter $1"));
        }
        Ok((guard, prepared))
    }

    /// Runs it to its first rows.
    pub(super) async fn execute(&self, seat: &Seat, guard: &StatementGuard, prepared: &Prepared) -> Result<Given> {
        match self.engine.execute(&seat.session, guard, prepared, Vec::new()).await? {
            Outcome::Rows { stream, tag } => Ok(Given::Rows(Box::new(stream), tag)),
            Outcome::Done(tag) => Ok(Given::Done(tag)),
            Outcome::Copy { .. } | Outcome::CopyIn(_) | Outcome::CopyTo(_) => {
                let message = "COPY of text is not supported in the console";
                Err(Error::unsupported(message).hint("Ask for the rows with SELECT, and download them."))
            }
        }
    }
}

impl Seat {
    /// What the statements so far had to say.
    pub(super) fn notices(&self) -> Vec<String> {
        let notices = self.session.take_effects().into_iter().filter_map(|effect| match effect {
            SessionEffect::Notice(notice) => {
                let hint = notice.hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
                Some(notice.message + &hint)
            }
            SessionEffect::Close(_) | SessionEffect::CloseAll => None,
        });
        notices.collect()
    }
}

fn too_many(message: &str) -> Error {
    Error::new(SqlState::TooManyConnections, message)
}
