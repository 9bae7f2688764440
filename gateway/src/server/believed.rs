//! Who is believed: the roles, the keys of the server's own tokens, the identity provider.
//!
//! Owns: that a setting which would let in whom it should not stops the start. Must never know: protocols.

use std::sync::Arc;
use std::time::Duration;

use catalog::pg_catalog::RoleFact;

use super::bad_setting;
use crate::auth::reload::RolesFile;
use crate::auth::{Jwt, Role, Roles, Seal};
use crate::config::{self, Config};
use crate::engine::{Authority, Engine};
use crate::error::{Error, Result, SqlState};
use crate::session::Registry;

/// Shorter keys are refused: they sign what lets clients in.
const TOKEN_KEY_CHARS_MIN: usize = 32;

/// Without a roles file every client is trusted, so only loopback may be bound.
pub(super) fn roles(config: &Config) -> Result<Roles> {
    match &config.auth.roles_file {
        Some(file) => Roles::load(file).map_err(|error| bad_setting("auth.roles_file", &error)),
        None if config.pg.listen.ip().is_loopback() && config.flight.listen.ip().is_loopback() => {
            Roles::trust().map_err(Error::internal)
        }
        None => Err(Error::new(
            SqlState::InvalidAuthorizationSpecification,
            "a server without roles may listen on loopback only",
        )
        .hint("Set auth.roles_file, or listen on 127.0.0.1.")),
    }
}

/// The roles file, if there is one: what it says next is in force for the statements of every session.
pub(super) fn roles_file(
    config: &Config,
    roles: &Arc<Roles>,
    engine: &Arc<Engine>,
    registry: &Arc<Registry>,
) -> Option<Arc<RolesFile>> {
    let path = config.auth.roles_file.clone()?;
    // The engine knows the registry, which knows this: neither may keep the other.
    let engine = Arc::downgrade(engine);
    let told = Box::new(move |roles: &Roles| {
        if let Some(engine) = engine.upgrade() {
            engine.rule(authority(roles));
        }
    });
    let file = Arc::new(RolesFile::new(path, Arc::clone(roles), told));
    let again = Arc::clone(&file);
    registry.on_reload(Box::new(move || again.read()));
    Some(file)
}

pub(super) fn authority(roles: &Roles) -> Authority {
    let fact = |(role, login, member_of): (Arc<Role>, bool, Vec<String>)| RoleFact {
        name: role.name.clone(),
        superuser: role.superuser,
        login,
        connection_limit: role.connection_limit.and_then(|limit| i32::try_from(limit).ok()).unwrap_or(-1),
        member_of,
    };
    Authority { roles: roles.list().into_iter().map(fact).collect(), access: roles.access() }
}

/// A key that could be guessed stops the start.
pub(super) fn seal(config: &config::Auth) -> Result<Seal> {
    let keys = [("auth.token_key", &config.token_key), ("auth.previous_token_key", &config.previous_token_key)];
    for (setting, key) in &keys {
        if key.as_ref().is_some_and(|key| key.reveal().chars().count() < TOKEN_KEY_CHARS_MIN) {
            let message = format!("bad setting for {setting}: it has fewer than {TOKEN_KEY_CHARS_MIN} characters");
            return Err(Error::new(SqlState::InvalidParameterValue, message));
        }
    }
    if config.token_key.is_none() && config.previous_token_key.is_some() {
        let message = "bad setting: auth.previous_token_key needs auth.token_key";
        return Err(Error::new(SqlState::InvalidParameterValue, message));
    }
    if config.token_lifetime_ms == 0 {
        let message = "bad setting for auth.token_lifetime_ms: no token would let anybody in";
        return Err(Error::new(SqlState::InvalidParameterValue, message));
    }
    let keys = keys.iter().filter_map(|(_, key)| key.as_ref()).map(|key| key.reveal());
    let seal = Seal::new(keys);
    let seal = seal.map_err(|error| Error::internal(format!("the system gave no random bytes: {error}")))?;
    Ok(seal.for_lives_of(Duration::from_millis(config.token_lifetime_ms)))
}

/// The identity provider whose tokens are taken, if there is one. Its tokens name roles, so there have to be some.
pub(super) fn jwt(config: &config::Auth) -> Result<Option<Arc<Jwt>>> {
    let Some(jwt) = &config.jwt else { return Ok(None) };
    if config.roles_file.is_none() {
        let message = "bad setting: auth.jwt needs auth.roles_file";
        return Err(Error::new(SqlState::InvalidParameterValue, message));
    }
    Jwt::new(jwt).map(Some).map_err(|error| bad_setting("auth.jwt", &error))
}
