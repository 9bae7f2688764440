//! From a socket to gRPC.
//!
//! Owns: accepting, and TLS handshakes, which many clients make side by side. Must never know: calls.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, Stream as Sockets};
use futures::{StreamExt, TryStreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use super::socket::Socket;
use crate::config;
use crate::socket::Stream;
use crate::socket::tls::Acceptor;

/// Connections over which nobody has logged in; each for a while only. Beyond them new ones wait in the kernel's backlog.
const PENDING_MAX: usize = 512;
/// Before the next try, when the system has no more sockets.
const BACK_OFF: Duration = Duration::from_millis(100);

/// The clients of a listener. Where there is a certificate, those that do not encrypt are not among them.
pub(super) fn clients(
    listener: TcpListener,
    tls: Option<Acceptor>,
    config: &config::Flight,
) -> impl Sockets<Item = io::Result<Socket>> + Send + 'static {
    let patience = Duration::from_millis(config.authentication_timeout_ms);
    let places = Arc::new(Semaphore::new(config.max_connections.min(Semaphore::MAX_PERMITS)));
    let accepting = (listener, Arc::new(Semaphore::new(PENDING_MAX)));
    let sockets = stream::unfold(accepting, |accepting| async move { Some((accept(&accepting).await?, accepting)) });
    let greeted = sockets.map(move |(tcp, pending)| {
        let (greeting, places) = (greet(tcp, tls.clone()), Arc::clone(&places));
        async move {
            let stream = timeout(patience, greeting).await.ok()??;
            Some(Socket::new(stream, &places, (pending, patience)))
        }
    });
    let ready = greeted.buffer_unordered(PENDING_MAX);
    ready.filter_map(|client| async move { client }).map(Ok::<_, io::Error>).into_stream()
}

async fn accept((listener, pending): &(TcpListener, Arc<Semaphore>)) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    // Nobody closes the semaphore.
    let pending = Arc::clone(pending).acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((tcp, _)) => return Some((tcp, pending)),
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(BACK_OFF).await;
            }
        }
    }
}

async fn greet(tcp: TcpStream, tls: Option<Acceptor>) -> Option<Stream> {
    tcp.set_nodelay(true).ok()?;
    let Some(acceptor) = tls else { return Some(Stream::Plain(tcp)) };
    match acceptor.accept(tcp).await {
        Ok(tls) => Some(Stream::Tls(Box::new(tls))),
        Err(error) => {
            tracing::debug!(%error, "TLS handshake failed");
            None
        }
    }
}
