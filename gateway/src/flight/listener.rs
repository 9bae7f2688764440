//! From a socket to gRPC.
//!
//! Owns: accepting, and TLS handshakes, which many clients make side by side. Must never know: calls.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures::stream::{self, Stream as Sockets};
use futures::{StreamExt, TryStreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tonic::transport::server::Connected;

use crate::socket::Stream;
use crate::socket::tls::Acceptor;

/// Clients that are at their handshake. One that never ends it holds its place for a while only.
const PENDING_MAX: usize = 512;
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Before the next try, when the system has no more sockets.
const BACK_OFF: Duration = Duration::from_millis(100);

/// What a call knows of its connection.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// `None` of a socket that broke before it could be asked.
    pub(super) addr: Option<SocketAddr>,
    pub(super) encrypted: bool,
}

impl Connected for Stream {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        Peer { addr: self.tcp().peer_addr().ok(), encrypted: self.is_encrypted() }
    }
}

/// The clients of a listener. Where there is a certificate, those that do not encrypt are not among them.
pub(super) fn clients(
    listener: TcpListener,
    tls: Option<Acceptor>,
) -> impl Sockets<Item = io::Result<Stream>> + Send + 'static {
    let sockets = stream::unfold(listener, |listener| async move { Some((accept(&listener).await, listener)) });
    let ready = sockets.map(move |tcp| greet(tcp, tls.clone())).buffer_unordered(PENDING_MAX);
    ready.filter_map(|client| async move { client }).map(Ok::<_, io::Error>).into_stream()
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((tcp, _)) => return tcp,
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
    match timeout(HANDSHAKE_TIMEOUT, acceptor.accept(tcp)).await {
        Ok(Ok(tls)) => Some(Stream::Tls(Box::new(tls))),
        Ok(Err(error)) => {
            tracing::debug!(%error, "TLS handshake failed");
            None
        }
        Err(_) => None,
    }
}
