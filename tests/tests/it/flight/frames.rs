//! HTTP/2 by hand, for what no library lets a client do.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
pub(super) const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;
const ACK: u8 = 1;
/// The codes of RST_STREAM and GOAWAY.
pub(super) const REFUSED_STREAM: u32 = 7;
pub(super) const ENHANCE_YOUR_CALM: u32 = 11;
const CANCEL: u32 = 8;

pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) stream: u32,
    pub(super) body: Vec<u8>,
}

impl Frame {
    /// The code of a RST_STREAM, or that of a GOAWAY.
    pub(super) fn code(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.body[at..at + 4].try_into().unwrap())
    }
}

pub(super) fn frame(kind: u8, flags: u8, stream: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), body].concat()
}

/// A call that goes on: its body does not end.
pub(super) fn call(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &header_block())
}

/// A call whose headers do not end.
pub(super) fn unfinished_call(stream: u32) -> Vec<u8> {
    frame(HEADERS, 0, stream, &header_block())
}

/// More of the headers, which do not end either.
pub(super) fn continuation(stream: u32) -> Vec<u8> {
    let mut block = Vec::new();
    for n in 0..100 {
        block.extend(literal(&format!("x-{n}"), &"y".repeat(100)));
    }
    frame(CONTINUATION, 0, stream, &block)
}

pub(super) fn reset(stream: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &CANCEL.to_be_bytes())
}

/// The headers of a DoPut, which waits for what its client puts, in HPACK.
fn header_block() -> Vec<u8> {
    // `:method: POST` and `:scheme: http` of the static table.
    let mut block = vec![0x83, 0x86];
    for (name, value) in [
        (":path", "/arrow.flight.protocol.FlightService/DoPut"),
        (":authority", "localhost"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ] {
        block.extend(literal(name, value));
    }
    block
}

/// A header that no table has, without Huffman's code.
fn literal(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![0];
    for text in [name, value] {
        bytes.push(u8::try_from(text.len()).unwrap());
        bytes.extend(text.as_bytes());
    }
    bytes
}

/// A socket, and nothing else.
pub(super) struct Raw(TcpStream);

impl Raw {
    pub(super) async fn open(addr: SocketAddr) -> Self {
        Self(TcpStream::connect(addr).await.unwrap())
    }

    /// With what every client sends first.
    pub(super) async fn greet(addr: SocketAddr) -> Self {
        let mut raw = Self::open(addr).await;
        raw.send(&[PREFACE, &frame(SETTINGS, 0, 0, &[]), &frame(SETTINGS, ACK, 0, &[])].concat()).await.unwrap();
        raw
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.write_all(bytes).await
    }

    /// The next frame; `None` when the server has closed.
    pub(super) async fn receive(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.ok()?;
        let mut body = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        self.0.read_exact(&mut body).await.ok()?;
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]) & 0x7fff_ffff;
        Some(Frame { kind: head[3], stream, body })
    }

    /// What the server sends until it closes, which it must do.
    pub(super) async fn until_closed(&mut self) -> Vec<Frame> {
        let all = async {
            let mut frames = Vec::new();
            while let Some(frame) = self.receive().await {
                frames.push(frame);
            }
            frames
        };
        tokio::time::timeout(Duration::from_secs(20), all).await.expect("the connection stays open")
    }
}
