//! Accepting connections, and letting them go.
//!
//! Owns: the accept loop, the limit on clients that have not logged in, the drain at shutdown, and the last line of
//! defence: a panic ends its own connection only.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::slots::Slots;
use super::{Server, connection, startup};
use crate::shutdown::{DRAIN, GOODBYE};

/// Connections that have not logged in. Beyond it new ones wait in the kernel's backlog.
const PENDING_MAX: usize = 256;
const BACK_OFF_MIN: Duration = Duration::from_millis(10);
const BACK_OFF_MAX: Duration = Duration::from_secs(1);

/// What the connections of one listener share.
pub(super) struct Hub {
    pub(super) server: Arc<Server>,
    pub(super) slots: Arc<Slots>,
    /// Idle clients are told to leave.
    pub(super) shutdown: CancellationToken,
    /// The grace is over: running statements are cut.
    pub(super) kill: CancellationToken,
}

/// Serves until `shutdown`, then drains: idle clients get 57P01 at once, running statements after a grace. Who comes while they
/// run is told 57P03, as PostgreSQL does, and may still cancel one of them.
pub async fn serve(listener: TcpListener, server: Arc<Server>, shutdown: CancellationToken) {
    let slots = Slots::new(server.config.max_connections, server.config.superuser_reserved_connections);
    let hub = Arc::new(Hub { server, slots: Arc::new(slots), shutdown, kill: CancellationToken::new() });
    let connections = TaskTracker::new();
    accept(&listener, &hub, &connections, &hub.shutdown).await;

    connections.close();
    let (late, never) = (TaskTracker::new(), CancellationToken::new());
    let drained = async { timeout(DRAIN, connections.wait()).await.is_ok() };
    let is_drained = tokio::select! {
        is_drained = drained => is_drained,
        () = accept(&listener, &hub, &late, &never) => false,
    };
    drop(listener);
    if !is_drained {
        tracing::info!(connections = connections.len(), "cutting the statements that still run");
        hub.kill.cancel();
        if timeout(GOODBYE, connections.wait()).await.is_err() {
            tracing::warn!(connections = connections.len(), "some connections did not end in time");
        }
    }
}

async fn accept(listener: &TcpListener, hub: &Arc<Hub>, connections: &TaskTracker, end: &CancellationToken) {
    let pending = Arc::new(Semaphore::new(PENDING_MAX));
    let mut back_off = BACK_OFF_MIN;
    loop {
        let next = async {
            let permit = Arc::clone(&pending).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            biased;
            () = end.cancelled() => return,
            next = next => next,
        };
        match (permit, accepted) {
            (Ok(permit), Ok((tcp, peer))) => {
                back_off = BACK_OFF_MIN;
                connections.spawn(handle(tcp, peer, Arc::clone(hub), permit));
            }
            // Nobody closes the semaphore.
            (Err(_), _) => return,
            (_, Err(error)) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(back_off).await;
                back_off = (back_off * 2).min(BACK_OFF_MAX);
            }
        }
    }
}

/// One connection from its first byte to its last.
async fn handle(tcp: TcpStream, peer: SocketAddr, hub: Arc<Hub>, permit: OwnedSemaphorePermit) {
    if let Err(error) = configure(&tcp) {
        tracing::debug!(%peer, %error, "cannot configure a socket");
    }
    // Boxed: what a login needs is given back before the long wait for statements.
    let login = AssertUnwindSafe(Box::pin(startup::log_in(tcp, peer, &hub))).catch_unwind().await;
    drop(permit);
    match login {
        Ok(Some(login)) => connection::run(login, hub).await,
        Ok(None) => {}
        Err(_) => tracing::error!(%peer, "a login panicked"),
    }
}

fn configure(tcp: &TcpStream) -> std::io::Result<()> {
    tcp.set_nodelay(true)?;
    let keepalive =
        TcpKeepalive::new().with_time(Duration::from_secs(60)).with_interval(Duration::from_secs(10)).with_retries(6);
    SockRef::from(tcp).set_tcp_keepalive(&keepalive)
}
