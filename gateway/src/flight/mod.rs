//! Arrow Flight SQL: the same engine, sessions, roles and limits as over the PostgreSQL protocol, in columns.
//!
//! Owns: gRPC. Must never know: the PostgreSQL protocol, and how a statement is planned.
//! <https://arrow.apache.org/docs/format/FlightSql.html>
//!
//! `listener` (TLS) -> `socket` -> `service` (one call) -> `auth` (who) -> `clients` (its session) -> `query` (statement, ticket,
//! rows) -> `columns` -> IPC; `stalled` ends rows that nobody takes. Tokens, tickets and handles are `sealed`: they hold all that is needed, and any replica with the same
//! key takes them.

mod actions;
mod auth;
mod clients;
mod columns;
mod form;
mod ingest;
mod listener;
mod metadata;
mod params;
mod plans;
mod put;
mod query;
mod sealed;
mod service;
mod socket;
mod stalled;
mod status;
mod whole;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use arrow_flight::flight_service_server::FlightServiceServer;
use tokio::net::TcpListener;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::auth::{Jwt, Roles, Seal};
use crate::config;
use crate::engine::Engine;
use crate::session::{Registry, Vars};
use crate::socket::tls::Acceptor;
pub use params::Inputs;

/// Calls of one client at a time.
const STREAMS_MAX: u32 = 64;
/// The largest message of a client: a statement, or a batch of parameters.
const MESSAGE_BYTES_MAX: usize = 16 << 20;
const HEADER_BYTES_MAX: u32 = 16 << 10;
/// Streams that a client opens and resets at once; more is an attack (CVE-2023-44487).
const RESETS_MAX: usize = 20;
const KEEPALIVE: Duration = Duration::from_secs(60);
/// Between two looks at what waits for its client.
const SWEEP: Duration = Duration::from_millis(500);
/// What is on its way to a client that does not read.
const WINDOW_BYTES: u32 = 1 << 20;

/// What every call shares.
pub struct Server {
    pub(super) engine: Arc<Engine>,
    roles: Arc<Roles>,
    /// Whose tokens are taken beside the server's own.
    jwt: Option<Arc<Jwt>>,
    seal: Seal,
    clients: clients::Clients,
    streams: stalled::Streams,
    config: config::Flight,
    token_lives: Duration,
    /// The one database that exists: Flight's catalog.
    database: String,
    inputs: Inputs,
    /// `None` serves in the clear.
    tls: Option<Acceptor>,
}

/// What a server is made of.
pub struct Parts {
    pub engine: Arc<Engine>,
    pub registry: Arc<Registry>,
    pub roles: Arc<Roles>,
    pub jwt: Option<Arc<Jwt>>,
    pub seal: Seal,
    pub token_lives: Duration,
    pub tls: Option<Acceptor>,
    pub config: config::Flight,
    pub database: String,
    /// The variables that a session starts with, before its role and its client set theirs.
    pub defaults: Vars,
    pub inputs: Inputs,
}

impl Server {
    pub fn new(parts: Parts) -> Self {
        let Parts { engine, registry, roles, jwt, seal, token_lives, tls, config, database, defaults, inputs } = parts;
        let clients = clients::Clients::new(registry, database.clone(), defaults, config.sessions_max);
        let streams = stalled::streams(Duration::from_millis(config.write_timeout_ms));
        Self { engine, roles, jwt, seal, clients, streams, config, token_lives, database, inputs, tls }
    }
}

/// Serves until the token is cancelled.
pub async fn serve(listener: TcpListener, server: Server, stop: CancellationToken) {
    let server = Arc::new(server);
    let incoming = listener::clients(listener, server.tls.clone(), &server.config);
    let service = FlightServiceServer::new(service::Service(Arc::clone(&server)))
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(usize::MAX);
    let served = tonic::transport::Server::builder()
        .max_concurrent_streams(STREAMS_MAX)
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .http2_max_pending_accept_reset_streams(Some(RESETS_MAX))
        .http2_keepalive_interval(Some(KEEPALIVE))
        .initial_stream_window_size(WINDOW_BYTES)
        .add_service(whole::Whole(service))
        .serve_with_incoming_shutdown(incoming, stop.cancelled_owned());
    let served = tokio::select! {
        served = served => served,
        never = sweep(&server) => match never {},
    };
    if let Err(error) = served {
        tracing::error!(%error, "the Flight server ended");
    }
}

async fn sweep(server: &Server) -> Infallible {
    let mut looks = tokio::time::interval(SWEEP);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        server.streams.sweep();
        server.clients.sweep();
    }
}
