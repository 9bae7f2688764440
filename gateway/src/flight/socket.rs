//! A client's socket, and what is known of it.
//!
//! Owns: that a client which does not prove who it is leaves again, whatever it sends or does not send instead, and that only
//! those who did take a place. Must never know: calls.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};
use tonic::transport::server::Connected;

use crate::error::{Error, Result, SqlState};
use crate::socket::Stream;

/// How long a client has to close its end behind ours.
const LEAVING: Duration = Duration::from_secs(1);
/// What it may say until then.
const UNREAD_BYTES_MAX: usize = 64 << 10;

/// What the calls of a connection know of it.
#[derive(Debug)]
pub(crate) struct Connection {
    /// `None` of a socket that broke before it could be asked.
    pub(super) addr: Option<SocketAddr>,
    pub(super) encrypted: bool,
    /// The name in the client's certificate.
    pub(super) client_name: Option<String>,
    places: Arc<Semaphore>,
    place: OnceLock<OwnedSemaphorePermit>,
}

impl Connection {
    /// Lets a client that has proven who it is stay as long as it wants. Without a place left: 53300.
    pub(super) fn prove(&self) -> Result<()> {
        if self.place.get().is_none() {
            let place = Arc::clone(&self.places).try_acquire_owned();
            let place =
                place.map_err(|_| Error::new(SqlState::TooManyConnections, "sorry, too many clients already"))?;
            // Of two calls at once one was first; the other's place is free again.
            drop(self.place.set(place));
        }
        Ok(())
    }
}

/// A socket that breaks when nobody has logged in over it for too long.
pub(super) struct Socket {
    stream: Stream,
    connection: Arc<Connection>,
    /// Until the login: when it must have come, and a place among those who wait for theirs.
    pending: Option<(Pin<Box<Sleep>>, OwnedSemaphorePermit)>,
    /// After our end: until when the client may say something that nobody needs.
    leaving: Option<Pin<Box<Sleep>>>,
    /// How much of that has come.
    unread_bytes: usize,
}

impl Socket {
    pub(super) fn new(
        stream: Stream,
        places: &Arc<Semaphore>,
        (pending, patience): (OwnedSemaphorePermit, Duration),
    ) -> Self {
        let (addr, encrypted) = (stream.tcp().peer_addr().ok(), stream.is_encrypted());
        let client_name = stream.client_name();
        let (places, place) = (Arc::clone(places), OnceLock::new());
        let connection = Connection { addr, encrypted, client_name, places, place };
        Self {
            stream,
            connection: Arc::new(connection),
            pending: Some((Box::pin(sleep(patience)), pending)),
            leaving: None,
            unread_bytes: 0,
        }
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let Some((deadline, _)) = &mut self.pending else { return Ok(()) };
        if self.connection.place.get().is_some() {
            self.pending = None;
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

    /// Waits for the client's end too, for a moment: of a socket that is closed over bytes that nobody has read the system
    /// takes back what the client has not yet read (RFC 1122, 4.2.2.13), the last rows among it.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.leaving.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
        }
        let leaving = this.leaving.get_or_insert_with(|| Box::pin(sleep(LEAVING)));
        let mut unread = [0; 4096];
        // Who goes on and on sends no answer to ours.
        while this.unread_bytes < UNREAD_BYTES_MAX && leaving.as_mut().poll(cx).is_pending() {
            let mut unread = ReadBuf::new(&mut unread);
            match ready!(Pin::new(&mut this.stream).poll_read(cx, &mut unread)) {
                Ok(()) if !unread.filled().is_empty() => this.unread_bytes += unread.filled().len(),
                Ok(()) | Err(_) => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}
