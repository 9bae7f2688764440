//! From a socket to gRPC.
//!
//! Owns: accepting, the places for connections, and TLS handshakes, which many clients make side by side. Must never know:
//! calls.

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

/// Clients that are at their handshake. One that never ends it holds its place for a while only.
const PENDING_MAX: usize = 512;
/// Connections above the limit, which are told so. Beyond them new ones wait in the kernel's backlog.
const REFUSED_MAX: usize = 256;
/// Before the next try, when the system has no more sockets.
const BACK_OFF: Duration = Duration::from_millis(100);

struct Accepting {
    listener: TcpListener,
    places: Arc<Semaphore>,
}

type Place = (OwnedSemaphorePermit, bool);

/// The clients of a listener. Where there is a certificate, those that do not encrypt are not among them.
pub(super) fn clients(
    listener: TcpListener,
    tls: Option<Acceptor>,
    config: &config::Flight,
) -> impl Sockets<Item = io::Result<Socket>> + Send + 'static {
    let patience = Duration::from_millis(config.authentication_timeout_ms);
    let places = config.max_connections.saturating_add(REFUSED_MAX).min(Semaphore::MAX_PERMITS);
    let accepting = Accepting { listener, places: Arc::new(Semaphore::new(places)) };
    let sockets = stream::unfold(accepting, |accepting| async move { Some((accepting.next().await?, accepting)) });
    let greeted = sockets.map(move |(tcp, place)| {
        let greeting = greet(tcp, tls.clone());
        async move {
            let stream = timeout(patience, greeting).await.ok()??;
            Some(Socket::new(stream, place, patience))
        }
    });
    let ready = greeted.buffer_unordered(PENDING_MAX);
    ready.filter_map(|client| async move { client }).map(Ok::<_, io::Error>).into_stream()
}

impl Accepting {
    async fn next(&self) -> Option<(TcpStream, Place)> {
        // Nobody closes the semaphore.
        let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
        loop {
            match self.listener.accept().await {
                Ok((tcp, _)) => return Some((tcp, (place, self.places.available_permits() < REFUSED_MAX))),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(BACK_OFF).await;
                }
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
