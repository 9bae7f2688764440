//! `lakegate ready`: GET /readyz of the server that runs beside it, for containers that have no shell and no curl.
//!
//! Owns: the question and how long it may take. Must never open the lake: it runs every few seconds.

use std::net::SocketAddr;
use std::time::Duration;

use super::http::{Request, reachable};
use crate::error::{Error, Result, SqlState};

const PATIENCE: Duration = Duration::from_secs(3);

/// Fails when the server at `listen` is not there, or says that it is not ready.
pub(super) fn ready(listen: SocketAddr) -> Result<()> {
    let server = reachable(listen);
    let request = Request { host: &server.to_string(), patience: PATIENCE, path: "/readyz", headers: &[], body: None };
    let answer = request.send().map_err(|error| {
        let message = format!("the server at http://{server} does not answer: {error}");
        Error::new(SqlState::CannotConnectNow, message)
    })?;
    if answer.status == 200 {
        return Ok(());
    }
    let reason = answer.body.trim_end();
    let reason = if reason.is_empty() { "it gives no reason" } else { reason };
    Err(Error::new(SqlState::CannotConnectNow, format!("the server at http://{server} is not ready: {reason}")))
}
