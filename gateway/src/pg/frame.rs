//! The socket of a logged-in client: frames in, chunks out, and the watch over a client that leaves.
//!
//! Owns: the read buffer, the write queue, the write timeout. A body is exactly what its length says, and no length
//! may exceed the limit: nothing is decoded beyond its frame. Must never know: what a message means.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest};
use tokio::time::{Instant, sleep, timeout};

use crate::socket::Stream;

/// What an idle connection's buffers may hold.
const IDLE_BYTES: usize = 8 << 10;
/// How far messages are read ahead while a statement runs.
const READ_AHEAD_BYTES: usize = 64 << 10;
/// What is sent at once rather than in pieces.
const PACKET_BYTES: usize = 16 << 10;
/// With a full read buffer a departure shows only in the socket's state, looked at this often.
const STATE_POLL: Duration = Duration::from_millis(100);
/// How long, and how much, a closed connection is still read, so that a reset does not destroy our last message.
const LINGER: Duration = Duration::from_millis(500);
const LINGER_BYTES: u64 = 1 << 20;

/// One message: its type and its body, without the length.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) body: Bytes,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadLength(pub(super) i32);

/// Takes the first frame off the buffer. `Ok(None)` needs more bytes.
pub(super) fn split(input: &mut BytesMut, body_bytes_max: usize) -> Result<Option<Frame>, BadLength> {
    let mut header: &[u8] = input;
    let (Ok(kind), Ok(length)) = (header.try_get_u8(), header.try_get_i32()) else {
        return Ok(None);
    };
    let body_bytes = usize::try_from(length).ok().and_then(|length| length.checked_sub(4)).ok_or(BadLength(length))?;
    if body_bytes > body_bytes_max {
        return Err(BadLength(length));
    }
    if header.len() < body_bytes {
        return Ok(None);
    }
    input.advance(5);
    Ok(Some(Frame { kind, body: input.split_to(body_bytes).freeze() }))
}

impl Stream {
    /// Sends what is left and closes, reading a little longer: see `LINGER`.
    pub(super) async fn close(mut self) {
        if timeout(LINGER, self.shutdown()).await.is_ok_and(|done| done.is_ok()) {
            let mut rest = self.take(LINGER_BYTES);
            let _ = timeout(LINGER, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
        }
    }
}

#[derive(Debug)]
pub(super) enum ReadError {
    /// The client closed, or the socket broke.
    Gone,
    BadLength(BadLength),
}

pub(super) struct Wire {
    stream: Stream,
    input: BytesMut,
    /// Messages not yet in the queue; `push` and `flush` move them there.
    pub(super) output: BytesMut,
    queue: VecDeque<Bytes>,
    /// Whether the stream itself may hold bytes back (TLS).
    unflushed: bool,
    /// When bytes last moved while some waited.
    written_at: Instant,
    write_timeout: Duration,
}

impl Wire {
    pub(super) fn new(stream: Stream, write_timeout: Duration) -> Self {
        Self {
            stream,
            input: BytesMut::with_capacity(IDLE_BYTES),
            output: BytesMut::new(),
            queue: VecDeque::new(),
            unflushed: false,
            written_at: Instant::now(),
            write_timeout,
        }
    }

    /// The next frame if it has already arrived.
    pub(super) fn buffered(&mut self, body_bytes_max: usize) -> Result<Option<Frame>, ReadError> {
        split(&mut self.input, body_bytes_max).map_err(ReadError::BadLength)
    }

    /// The next frame. Safe to drop: what was read stays.
    pub(super) async fn read(&mut self, body_bytes_max: usize) -> Result<Frame, ReadError> {
        loop {
            if let Some(frame) = self.buffered(body_bytes_max)? {
                return Ok(frame);
            }
            if self.input.is_empty() {
                self.shrink();
            }
            // Grows with what arrives, not with what a header promises.
            self.input.reserve(self.input.len().clamp(IDLE_BYTES / 2, 1 << 20));
            match self.stream.read_buf(&mut self.input).await {
                Ok(0) | Err(_) => return Err(ReadError::Gone),
                Ok(_) => {}
            }
        }
    }

    /// Gives back what a large message or result needed.
    fn shrink(&mut self) {
        // `capacity` tells only of the part behind the last frame; the allocation before it may be far larger.
        if self.input.try_reclaim(2 * IDLE_BYTES) {
            self.input = BytesMut::with_capacity(IDLE_BYTES);
        }
        if self.output.is_empty() {
            self.output = BytesMut::new();
        }
        if self.queue.is_empty() {
            self.queue.shrink_to(4);
        }
    }

    /// Queues a chunk of whole messages behind everything said so far. Small ones wait to share a packet.
    pub(super) fn push(&mut self, chunk: Bytes) {
        if self.output.len() + chunk.len() <= PACKET_BYTES {
            self.output.extend_from_slice(&chunk);
        } else {
            self.push_output();
            self.enqueue(chunk);
        }
    }

    fn push_output(&mut self) {
        if !self.output.is_empty() {
            let chunk = self.output.split().freeze();
            self.enqueue(chunk);
        }
    }

    fn enqueue(&mut self, chunk: Bytes) {
        if self.queue.is_empty() {
            self.written_at = Instant::now();
        }
        if !chunk.is_empty() {
            self.queue.push_back(chunk);
        }
    }

    /// Chunks that wait for the socket.
    pub(super) fn queued(&self) -> usize {
        self.queue.len()
    }

    fn has_queued(&self) -> bool {
        !self.queue.is_empty() || self.unflushed
    }

    /// Sends everything. Fails when the client is gone or takes nothing for too long.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        self.push_output();
        if self.has_queued() { self.progress().await } else { Ok(()) }
    }

    /// Writes what is queued and reads ahead. Ends when the queue is empty, or with the reason why the client is gone;
    /// with nothing to write, only with that reason. Safe to drop at any time.
    pub(super) async fn progress(&mut self) -> io::Result<()> {
        let writes = self.has_queued();
        let mut sleeping = pin!(sleep(Duration::ZERO));
        sleeping.as_mut().reset(self.next_look(writes));
        poll_fn(|cx| {
            loop {
                if writes && let Poll::Ready(done) = self.poll_write_queue(cx) {
                    return Poll::Ready(done);
                }
                if let Poll::Ready(error) = self.poll_read_ahead(cx) {
                    return Poll::Ready(Err(error));
                }
                if sleeping.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                if writes && self.written_at.elapsed() >= self.write_timeout {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
                if self.is_left() {
                    return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                }
                sleeping.as_mut().reset(self.next_look(writes));
            }
        })
        .await
    }

    /// When to look at what no readiness event tells: the write timeout, and a departure behind a full read buffer.
    fn next_look(&self, writes: bool) -> Instant {
        let now = Instant::now();
        let far = now + Duration::from_secs(3600);
        let look = if self.input.len() >= READ_AHEAD_BYTES { now + STATE_POLL } else { far };
        if writes { look.min(self.written_at + self.write_timeout).max(now + Duration::from_millis(1)) } else { look }
    }

    fn poll_write_queue(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(chunk) = self.queue.front_mut() {
            match Pin::new(&mut self.stream).poll_write(cx, chunk) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => {
                    chunk.advance(written);
                    let done = chunk.is_empty();
                    self.written_at = Instant::now();
                    self.unflushed = true;
                    if done {
                        self.queue.pop_front();
                    }
                }
            }
        }
        match Pin::new(&mut self.stream).poll_flush(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(done) => {
                self.unflushed = false;
                Poll::Ready(done)
            }
        }
    }

    fn poll_read_ahead(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        while self.input.len() < READ_AHEAD_BYTES {
            self.input.reserve(IDLE_BYTES / 2);
            let read = pin!(self.stream.read_buf(&mut self.input));
            match read.poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(0)) => return Poll::Ready(io::ErrorKind::UnexpectedEof.into()),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(error),
            }
        }
        Poll::Pending
    }

    /// Whether the peer has closed its side although there is still something to read.
    fn is_left(&self) -> bool {
        let ready = pin!(self.stream.tcp().ready(Interest::READABLE | Interest::WRITABLE));
        match ready.poll(&mut Context::from_waker(std::task::Waker::noop())) {
            Poll::Ready(Ok(ready)) => ready.is_read_closed() || ready.is_write_closed(),
            Poll::Ready(Err(_)) => true,
            Poll::Pending => false,
        }
    }

    /// Sends a last message, if the client still takes it, and closes.
    pub(super) async fn close(mut self) {
        let _ = timeout(Duration::from_secs(5).min(self.write_timeout), self.flush()).await;
        self.stream.close().await;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_frame_is_its_length_and_nothing_more() {
        let mut input = BytesMut::from(&b"Q\0\0\0\x06abQ\0\0\0\x04Q\0\0"[..]);
        assert_eq!(split(&mut input, 100), Ok(Some(Frame { kind: b'Q', body: Bytes::from_static(b"ab") })));
        assert_eq!(split(&mut input, 100), Ok(Some(Frame { kind: b'Q', body: Bytes::new() })));
        assert_eq!(split(&mut input, 100), Ok(None));
        assert_eq!(&input[..], b"Q\0\0");
    }

    #[test]
    fn lengths_out_of_bounds_are_refused_before_their_body() {
        for length in [i32::MIN, -1, 0, 3, 105, i32::MAX] {
            let mut input = BytesMut::from(&b"Q"[..]);
            input.extend_from_slice(&length.to_be_bytes());
            assert_eq!(split(&mut input, 100), Err(BadLength(length)));
        }
    }

    proptest! {
        #[test]
        fn frames_survive_any_cut(bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 1..5), step in 1_usize..9) {
            let mut sent = Vec::new();
            for body in &bodies {
                sent.push(b'Q');
                sent.extend_from_slice(&(body.len() as i32 + 4).to_be_bytes());
                sent.extend_from_slice(body);
            }
            let (mut input, mut seen) = (BytesMut::new(), Vec::new());
            for piece in sent.chunks(step) {
                input.extend_from_slice(piece);
                while let Some(frame) = split(&mut input, 100).unwrap() {
                    seen.push(frame.body.to_vec());
                }
            }
            prop_assert_eq!(seen, bodies);
        }
    }
}
