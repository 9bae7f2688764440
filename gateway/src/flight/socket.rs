//! A client's socket, and what is known of it.
//!
//! Owns: that a client which does not prove who it is leaves again, whatever it sends or does not send instead. Must never
//! know: calls.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Sleep, sleep};
use tonic::transport::server::Connected;

use crate::socket::Stream;

/// What the calls of a connection know of it.
#[derive(Debug)]
pub(crate) struct Connection {
    /// `None` of a socket that broke before it could be asked.
    pub(super) addr: Option<SocketAddr>,
    pub(super) encrypted: bool,
    /// The name in the client's certificate.
    pub(super) client_name: Option<String>,
    /// It came when all places were taken: its calls are told so.
    pub(super) is_too_many: bool,
    proven: AtomicBool,
}

impl Connection {
    /// Lets the client stay as long as it wants.
    pub(super) fn prove(&self) {
        self.proven.store(true, Ordering::Relaxed);
    }
}

/// A socket that breaks when nobody has logged in over it for too long.
pub(super) struct Socket {
    stream: Stream,
    connection: Arc<Connection>,
    deadline: Option<Pin<Box<Sleep>>>,
    _place: OwnedSemaphorePermit,
}

impl Socket {
    pub(super) fn new(stream: Stream, (place, is_too_many): (OwnedSemaphorePermit, bool), patience: Duration) -> Self {
        let (addr, encrypted) = (stream.tcp().peer_addr().ok(), stream.is_encrypted());
        let client_name = stream.client_name();
        let connection = Connection { addr, encrypted, client_name, is_too_many, proven: AtomicBool::new(false) };
        Self { stream, connection: Arc::new(connection), deadline: Some(Box::pin(sleep(patience))), _place: place }
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let Some(deadline) = &mut self.deadline else { return Ok(()) };
        if self.connection.proven.load(Ordering::Relaxed) {
            self.deadline = None;
        } else if deadline.as_mut().poll(cx).is_ready() {
            tracing::info!(peer = ?self.connection.addr, "login took too long");
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }
}

impl Connected for Socket {
    type ConnectInfo = Arc<Connection>;

    fn connect_info(&self) -> Arc<Connection> {
        Arc::clone(&self.connection)
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.poll_deadline(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
