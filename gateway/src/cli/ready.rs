//! `lakegate ready`: GET /readyz of the server that runs beside it, for containers that have no shell and no curl.
//!
//! Owns: the question and how long it may take. Must never open the lake: it runs every few seconds.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::error::{Error, Result, SqlState};

/// Each of connecting, asking and reading.
const PATIENCE: Duration = Duration::from_secs(3);
/// The answer has a line of status, a few headers and a word.
const ANSWER_BYTES_MAX: u64 = 4096;

/// Fails when the server at `listen` is not there, or says that it is not ready.
pub(super) fn ready(listen: SocketAddr) -> Result<()> {
    let server = reachable(listen);
    let answer = ask(server).map_err(|error| {
        let message = format!("the server at http://{server} does not answer: {error}");
        Error::new(SqlState::CannotConnectNow, message)
    })?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.split(' ').nth(1) == Some("200") {
        return Ok(());
    }
    let reason = body.trim_end();
    let reason = if reason.is_empty() { "it gives no reason" } else { reason };
    Err(Error::new(SqlState::CannotConnectNow, format!("the server at http://{server} is not ready: {reason}")))
}

/// Where a server that listens on all addresses can be asked.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn ask(server: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&server, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET /readyz HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer)?;
    Ok(answer)
}
