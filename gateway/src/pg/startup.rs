//! From the first byte to a session: TLS, protocol version, authentication, start-up variables.
//!
//! Owns: the only way to a `LoggedIn`, which is the only key to `connection`. Every failure here is FATAL and closes;
//! nothing that a client sends before its proof is ever kept for later. Must never know: SQL.
//!
//! ```text
//! first byte 0x16 -> TLS (ALPN required) -+
//! SSLRequest -> S -> TLS, or N -----------+-> StartupMessage -> SCRAM or trust -> session
//! GSSENCRequest -> N ---------------------+
//! CancelRequest, before or after TLS -> cancel, close
//! ```

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::backend::{self, Severity};
use super::frame::Wire;
use super::listener::Hub;
use super::sasl::{self, Claim};
use super::slots::Slot;
use super::startup_packet::{self, PACKET_BYTES_MAX, Packet, Startup};
use super::{Server, cancel};
use crate::auth::Login;
use crate::error::{Error, Result, SqlState};
use crate::session::registry::Registration;
use crate::session::transaction::Status;
use crate::session::{Session, Vars};
use crate::socket::Stream;
use crate::socket::tls;

/// How long a refused client may take to read why.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(5);
/// The first byte of a TLS handshake; no start-up packet is long enough to begin with it.
const TLS_HANDSHAKE: u8 = 0x16;

/// A client that has proven who it is. Only this module can make one.
pub(super) struct LoggedIn {
    pub(super) wire: Wire,
    pub(super) session: Arc<Session>,
    /// Given back, both, when the connection ends.
    place: (Slot, Registration),
}

impl LoggedIn {
    pub(super) fn into_parts(self) -> (Wire, Arc<Session>, (Slot, Registration)) {
        (self.wire, self.session, self.place)
    }
}

/// Why a login ended without a session.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Told to the client as FATAL.
    Error(Error),
    /// The socket broke.
    Gone,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal::Error(error)
    }
}

impl From<io::Error> for Refusal {
    fn from(_: io::Error) -> Self {
        Refusal::Gone
    }
}

/// Leads one connection to its session; `None` when there is none to serve, and then the socket is closed.
pub(super) async fn log_in(tcp: TcpStream, peer: SocketAddr, hub: &Arc<Hub>) -> Option<LoggedIn> {
    let deadline = Duration::from_millis(hub.server.config.authentication_timeout_ms);
    let mut out = BytesMut::new();
    let attempt = async {
        let (mut stream, startup) = match begin(tcp, peer, &hub.server).await {
            Begun::Startup(stream, startup) => (stream, startup),
            Begun::Refused(stream, error) => return Err((stream, Refusal::Error(error))),
            Begun::Over => return Ok(None),
        };
        match enter(&mut stream, &startup, peer, hub, &mut out).await {
            Ok((session, place)) => {
                hub.server.roles.logged_in(&startup.user, ("postgresql", peer.ip()), Ok(()));
                let write_timeout = Duration::from_millis(hub.server.config.write_timeout_ms);
                Ok(Some(LoggedIn { wire: Wire::new(stream, write_timeout), session, place }))
            }
            Err(refusal) => {
                if let Refusal::Error(error) = &refusal {
                    hub.server.roles.logged_in(&startup.user, ("postgresql", peer.ip()), Err(error));
                }
                Err((stream, refusal))
            }
        }
    };
    match timeout(deadline, attempt).await {
        Ok(Ok(login)) => login,
        Ok(Err((mut stream, Refusal::Error(error)))) => {
            tracing::info!(%peer, state = error.state.code(), %error, "login refused");
            backend::error_response(&mut out, Severity::Fatal, &error);
            if timeout(REFUSAL_TIMEOUT, stream.write_all(&out)).await.is_ok_and(|sent| sent.is_ok()) {
                stream.close().await;
            }
            None
        }
        Ok(Err((_, Refusal::Gone))) => None,
        Err(_) => {
            tracing::info!(%peer, "login took too long");
            None
        }
    }
}

enum Begun {
    Startup(Stream, Startup),
    Refused(Stream, Error),
    /// A cancel request was served, or the client left.
    Over,
}

/// Reads packets, each to its exact end, until the start-up message. TLS and GSS may each be asked for once.
async fn begin(tcp: TcpStream, peer: SocketAddr, server: &Server) -> Begun {
    let mut first = [0];
    let mut stream = match tcp.peek(&mut first).await {
        Ok(1) if first == [TLS_HANDSHAKE] => match direct_tls(tcp, server).await {
            Some(stream) => stream,
            None => return Begun::Over,
        },
        Ok(1) => Stream::Plain(tcp),
        Ok(_) | Err(_) => return Begun::Over,
    };
    let mut tls_asked = matches!(stream, Stream::Tls(_));
    let mut gss_asked = tls_asked;
    loop {
        let packet = match read_packet(&mut stream).await {
            Ok(packet) => startup_packet::decode(packet),
            Err(Refusal::Error(error)) => Err(error),
            Err(Refusal::Gone) => return Begun::Over,
        };
        match packet {
            Ok(Packet::Startup(startup)) => return Begun::Startup(stream, startup),
            Ok(Packet::Cancel { id, key }) => {
                cancel::serve(server, id, &key, peer);
                return Begun::Over;
            }
            Ok(Packet::Tls) if !tls_asked => {
                tls_asked = true;
                stream = match answer_tls(stream, server).await {
                    Ok(stream) => stream,
                    Err(begun) => return begun,
                };
                gss_asked |= matches!(stream, Stream::Tls(_));
            }
            Ok(Packet::Gss) if !gss_asked => {
                gss_asked = true;
                if stream.write_all(b"N").await.is_err() {
                    return Begun::Over;
                }
            }
            Ok(Packet::Tls | Packet::Gss) => {
                let error = Error::new(SqlState::ProtocolViolation, "encryption was asked for twice");
                return Begun::Refused(stream, error);
            }
            Err(error) => return Begun::Refused(stream, error),
        }
    }
}

/// A handshake without SSLRequest: ALPN must say that PostgreSQL is meant, else another protocol's client could be
/// led here.
async fn direct_tls(tcp: TcpStream, server: &Server) -> Option<Stream> {
    let stream = server.tls.as_ref()?.accept(tcp).await.ok()?;
    tls::speaks(&stream, tls::POSTGRESQL).then(|| Stream::Tls(Box::new(stream)))
}

async fn answer_tls(stream: Stream, server: &Server) -> Result<Stream, Begun> {
    match (stream, &server.tls) {
        (Stream::Plain(mut tcp), Some(acceptor)) => {
            // Bytes behind the request were sent in clear; to take them for encrypted ones is CVE-2021-23214.
            if matches!(tcp.peek(&mut [0]).now_or_never(), Some(Ok(1..))) {
                let error = Error::new(SqlState::ProtocolViolation, "received unencrypted data after SSL request")
                    .detail("This could be either a client-software bug or evidence of an attempted man-in-the-middle attack.");
                return Err(Begun::Refused(Stream::Plain(tcp), error));
            }
            tcp.write_all(b"S").await.map_err(|_| Begun::Over)?;
            let stream = acceptor.accept(tcp).await.map_err(|error| {
                tracing::debug!(%error, "TLS handshake failed");
                Begun::Over
            })?;
            Ok(Stream::Tls(Box::new(stream)))
        }
        (mut stream, _) => {
            stream.write_all(b"N").await.map_err(|_| Begun::Over)?;
            Ok(stream)
        }
    }
}

async fn read_packet(stream: &mut Stream) -> Result<Bytes, Refusal> {
    let length = stream.read_u32().await?;
    let bytes = usize::try_from(length)
        .ok()
        .filter(|length| (8..=PACKET_BYTES_MAX).contains(length))
        .ok_or_else(|| Error::new(SqlState::ProtocolViolation, "invalid length of startup packet"))?;
    let mut packet = vec![0; bytes - 4];
    stream.read_exact(&mut packet).await?;
    Ok(packet.into())
}

/// Authenticates and makes the session. What is in `out` at a failure goes to the client before the error.
async fn enter(
    stream: &mut Stream,
    startup: &Startup,
    peer: SocketAddr,
    hub: &Hub,
    out: &mut BytesMut,
) -> Result<(Arc<Session>, (Slot, Registration)), Refusal> {
    let server = &hub.server;
    if startup.newer || !startup.refused.is_empty() {
        backend::negotiate_protocol_version(out, startup.version, &startup.refused);
    }
    admit(stream, startup, hub)?;
    // As with PostgreSQL's `cert`, a certificate in the name of the role is its password.
    let is_certified = stream.client_name().is_some_and(|name| name == startup.user);
    let certified = if is_certified { server.roles.proven(&startup.user) } else { None };
    let login = match certified.or_else(|| server.roles.trusted(&startup.user)) {
        Some(login) => login,
        None => {
            let end_point = match (&stream, &server.tls) {
                (Stream::Tls(_), Some(acceptor)) => acceptor.end_point(),
                (Stream::Tls(_) | Stream::Plain(_), _) => None,
            };
            let claim = Claim { user: &startup.user, address: peer.ip(), end_point: end_point.as_deref() };
            sasl::authenticate(stream, &server.roles, &claim, out).await?
        }
    };
    backend::authentication_ok(out);
    let slot = check_login(&login, startup, hub)?;
    server.engine.check_open()?;
    let vars = start_vars(server, &login, startup)?;
    let (id, key) = server.registry.allocate(startup.cancel_key_bytes())?;
    let session = Arc::new(Session::new(id, server.database.clone(), login.role, Some(peer), vars));
    for (name, value) in session.vars().reported() {
        backend::parameter_status(out, name, &value);
    }
    backend::backend_key_data(out, id, &key);
    backend::ready_for_query(out, Status::Idle);
    let registration = server.registry.register(&session, key);
    stream.write_all(&out.split()).await?;
    stream.flush().await?;
    Ok((session, (slot, registration)))
}

/// What needs no password to be refused.
fn admit(stream: &Stream, startup: &Startup, hub: &Hub) -> Result<()> {
    if hub.shutdown.is_cancelled() {
        return Err(Error::new(SqlState::CannotConnectNow, "the database system is shutting down"));
    }
    if hub.server.config.tls_required && matches!(stream, Stream::Plain(_)) {
        return Err(Error::new(
            SqlState::InvalidAuthorizationSpecification,
            "this server takes connections over TLS only",
        )
        .hint("Set sslmode to require or above."));
    }
    if startup.replication {
        return Err(Error::unsupported("replication connections are not supported"));
    }
    hub.slots.any_left()
}

/// What PostgreSQL checks once it knows who is there.
fn check_login(login: &Login, startup: &Startup, hub: &Hub) -> Result<Slot> {
    let name = &login.role.name;
    if !login.permitted {
        let message = format!("role \"{name}\" is not permitted to log in");
        return Err(Error::new(SqlState::InvalidAuthorizationSpecification, message));
    }
    let slot = hub.slots.take(&login.role)?;
    match &startup.database {
        Some(database) if *database != hub.server.database => {
            Err(Error::new(SqlState::InvalidCatalogName, format!("database \"{database}\" does not exist")))
        }
        Some(_) | None => Ok(slot),
    }
}

/// The server's defaults, then the role's, then the client's.
fn start_vars(server: &Server, login: &Login, startup: &Startup) -> Result<Vars> {
    let mut vars = server.defaults.clone();
    for (name, value) in login.settings.iter() {
        vars.set_role(name, value)?;
    }
    vars.set_server("is_superuser", if login.role.superuser { "on" } else { "off" })?;
    for (name, value) in &startup.settings {
        vars.set_startup(name, value)?;
    }
    vars.set_server("session_authorization", &login.role.name)?;
    Ok(vars)
}
