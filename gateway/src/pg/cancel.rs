//! A cancel request: a connection of its own that names a session and its key, and gets no answer.
//!
//! Owns: what is told of it (nothing). Must never know: whether the key was right; the registry compares.

use std::net::SocketAddr;

use super::Server;

pub(super) fn serve(server: &Server, id: i32, key: &[u8], peer: SocketAddr) {
    tracing::debug!(session = id, %peer, "cancel request");
    server.registry.cancel(id, key);
}
