//! The PostgreSQL wire protocol, 3.0 and 3.2.
//!
//! Owns: sockets, TLS, start-up, framing, the two query protocols and the encoding of values. Must never know: how a
//! statement is planned, and the other protocols.
//! <https://www.postgresql.org/docs/16/protocol.html>
//!
//! `listener` (accepts) -> `startup` (TLS, SCRAM, session) -> `connection` (one message after the other) -> `simple` |
//! `extended` -> the engine -> `portal` (rows) -> `encode` -> `frame` (socket). Nothing after `startup` can be reached
//! without the `Arc<Session>` that only a successful login makes.

mod backend;
mod cancel;
#[cfg(test)]
mod conformance;
mod connection;
mod copy;
mod copy_in;
mod copy_to;
mod cursors;
pub mod encode;
mod extended;
mod frame;
mod listener;
mod message;
pub mod params;
mod portal;
mod sasl;
mod simple;
mod slots;
mod startup;
mod startup_packet;
pub mod types;

use std::sync::Arc;

pub use encode::outputs;
pub use listener::serve;
pub(crate) use params::inputs;

use crate::engine::Engine;
use crate::session::{Registry, Vars};
use crate::socket::tls;
use crate::{auth, config};

/// What every connection shares.
pub struct Server {
    pub engine: Arc<Engine>,
    pub registry: Arc<Registry>,
    pub roles: Arc<auth::Roles>,
    /// `None` answers `N` to a client that asks for TLS.
    pub tls: Option<tls::Acceptor>,
    pub config: config::Pg,
    /// The one database that exists.
    pub database: String,
    /// The variables that a session starts with, before its role and its client set theirs.
    pub defaults: Vars,
}
