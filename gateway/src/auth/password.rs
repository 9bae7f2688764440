//! A password that came as text, as Flight clients send it.
//!
//! Owns: the check, its cost and its delays, which are those of SCRAM. Must never keep a password.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::time::sleep;

use super::{Login, Roles, limits};
use crate::error::{Error, Result, SqlState};

/// A login of the role if the password is its own: 28P01 if not, or if there is no such role.
pub async fn check(roles: &Arc<Roles>, user: &str, password: String, address: IpAddr) -> Result<Login> {
    if let Some(login) = roles.trusted(user) {
        return Ok(login);
    }
    if !roles.limiter.may_try(user, address) {
        sleep(limits::failure_delay()).await;
        return Err(failed(user)
            .detail("Too many logins from this address failed lately; the next may be tried in some seconds."));
    }
    let credential = roles.credential(user);
    let (verifier, login) = (credential.verifier, credential.login);
    // Thousands of hashes, for a mock as well.
    let is_right = tokio::task::spawn_blocking(move || verifier.matches(&password)).await.map_err(Error::internal)?;
    match login.filter(|_| is_right) {
        Some(login) => Ok(login),
        None => {
            roles.limiter.failed(user, address);
            sleep(limits::failure_delay()).await;
            Err(failed(user))
        }
    }
}

fn failed(user: &str) -> Error {
    Error::new(SqlState::InvalidPassword, format!("password authentication failed for user \"{user}\""))
}
