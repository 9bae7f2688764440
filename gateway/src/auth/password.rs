//! A password that came as text, as Flight clients send it.
//!
//! Owns: the check and its cost. Must never keep a password.

use std::net::IpAddr;
use std::sync::Arc;

use super::{Login, Roles};
use crate::error::{Error, Result};

/// A login of the role if the password is its own: 28P01 if not, or if there is no such role.
pub async fn check(roles: &Arc<Roles>, user: &str, password: String, from: (&'static str, IpAddr)) -> Result<Login> {
    let checked = checked(roles, user, password, from.1).await;
    roles.logged_in(user, from, checked.as_ref().map(drop));
    checked
}

async fn checked(roles: &Arc<Roles>, user: &str, password: String, address: IpAddr) -> Result<Login> {
    if let Some(login) = roles.trusted(user) {
        return Ok(login);
    }
    roles.limiter.admit(user, address).await?;
    let credential = roles.credential(user);
    let (verifier, login) = (credential.verifier, credential.login);
    // Thousands of hashes, for a mock as well.
    let is_right = tokio::task::spawn_blocking(move || verifier.matches(&password)).await.map_err(Error::internal)?;
    match login.filter(|_| is_right) {
        Some(login) => Ok(login),
        None => Err(roles.limiter.failed(user, address).await),
    }
}
