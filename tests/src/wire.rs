//! A PostgreSQL client of raw bytes: it sends what a test tells it, right or wrong, and shows what came back.
//!
//! Owns: framing, as the other side of `gateway/src/pg`, written apart from it so that one error is not made twice.
//! <https://www.postgresql.org/docs/16/protocol-message-formats.html>

pub mod message;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

pub use message::{Column, Fault, Message};

/// No answer of a healthy server takes longer, however slow the machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A plain or a TLS stream.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// One connection to a server.
pub struct Client {
    stream: Box<dyn Stream>,
    buffer: BytesMut,
    /// From BackendKeyData: process id and secret.
    pub key: Option<(i32, Bytes)>,
    /// From ParameterStatus, in the order of arrival.
    pub parameters: Vec<(String, String)>,
}

/// What one query of the simple protocol, or one Execute, gave.
#[derive(Debug, Default)]
pub struct Answer {
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Option<Bytes>>>,
    pub tags: Vec<String>,
    pub fault: Option<Fault>,
    pub notices: Vec<Fault>,
    /// The tags of all messages, as `TDDCZ`.
    pub trace: String,
}

impl Client {
    /// Opens a socket and sends nothing.
    pub async fn open(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self::over(Box::new(stream))
    }

    pub fn over(stream: Box<dyn Stream>) -> Self {
        Self { stream, buffer: BytesMut::new(), key: None, parameters: Vec::new() }
    }

    /// Logs in as the trusted user of a loopback server.
    pub async fn login(addr: SocketAddr) -> Self {
        Self::login_with(addr, message::PROTOCOL_3_0, &[]).await
    }

    pub async fn login_with(addr: SocketAddr, version: u32, options: &[(&str, &str)]) -> Self {
        let mut client = Self::open(addr).await;
        let mut pairs = vec![("user", "lakegate"), ("database", "lakegate")];
        pairs.extend(options);
        client.send(&message::startup(version, &pairs)).await;
        let messages = client.until_ready().await;
        let last = messages.last().map(|message| message.tag);
        assert_eq!(last, Some(b'Z'), "the login failed: {:?}", messages.iter().find_map(Message::fault));
        client
    }

    /// Sends bytes as they are. A peer that has hung up is not an error: the answer tells.
    pub async fn send(&mut self, bytes: &[u8]) {
        let sent = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        drop(tokio::time::timeout(PATIENCE, sent).await.expect("the server takes no bytes"));
    }

    /// Closes the sending half.
    pub async fn finish(&mut self) {
        drop(self.stream.shutdown().await);
    }

    /// Gives up the stream, and whatever was read ahead.
    pub fn into_stream(self) -> (Box<dyn Stream>, BytesMut) {
        (self.stream, self.buffer)
    }

    /// Reads one byte, as the answer to SSLRequest and GSSENCRequest is; `None` when the server has hung up.
    pub async fn byte(&mut self) -> Option<u8> {
        if !self.fill(1).await {
            return None;
        }
        Some(self.buffer.split_to(1)[0])
    }

    /// Reads one message; `None` when the server has hung up.
    pub async fn receive(&mut self) -> Option<Message> {
        if !self.fill(5).await {
            return None;
        }
        let length = u32::from_be_bytes([self.buffer[1], self.buffer[2], self.buffer[3], self.buffer[4]]) as usize;
        assert!(length >= 4, "the server sent a message of length {length}");
        if !self.fill(1 + length).await {
            return None;
        }
        let mut frame = self.buffer.split_to(1 + length).freeze();
        let message = Message { tag: frame[0], body: frame.split_off(5) };
        match message.tag {
            b'K' => self.key = Some((message.int32(0), message.body.slice(4..))),
            b'S' => self.parameters.push(message.pair()),
            _ => {}
        }
        Some(message)
    }

    /// Reads messages until ReadyForQuery, which is the last, or until the server hangs up.
    pub async fn until_ready(&mut self) -> Vec<Message> {
        self.until(b'Z').await
    }

    /// Reads messages until one with this tag, or until the server hangs up.
    pub async fn until(&mut self, tag: u8) -> Vec<Message> {
        let mut messages = Vec::new();
        while let Some(message) = self.receive().await {
            let found = message.tag == tag;
            messages.push(message);
            if found {
                break;
            }
        }
        messages
    }

    /// Reads messages until the server hangs up.
    pub async fn until_closed(&mut self) -> Vec<Message> {
        self.until(0).await
    }

    /// Reads whatever comes until the server hangs up.
    pub async fn bytes_until_closed(&mut self) -> Vec<u8> {
        while self.fill(self.buffer.len() + 1).await {}
        self.buffer.split().to_vec()
    }

    /// Runs a text through the simple protocol.
    pub async fn query(&mut self, sql: &str) -> Answer {
        self.send(&message::query(sql)).await;
        Answer::of(self.until_ready().await)
    }

    /// Runs one statement through the extended protocol, with all results in one format (0 text, 1 binary).
    pub async fn extended(&mut self, sql: &str, format: i16) -> Answer {
        let mut bytes = message::parse("", sql, &[]);
        bytes.extend(message::bind("", "", &[], &[], &[format]));
        bytes.extend(message::describe(b'P', ""));
        bytes.extend(message::execute("", 0));
        bytes.extend(message::sync());
        self.send(&bytes).await;
        Answer::of(self.until_ready().await)
    }

    /// The only value of a query, as text.
    pub async fn value(&mut self, sql: &str) -> Option<String> {
        let answer = self.query(sql).await;
        assert!(answer.fault.is_none(), "{sql}: {:?}", answer.fault);
        answer.text()
    }

    /// Asserts that the server still answers this connection.
    pub async fn assert_alive(&mut self) {
        assert_eq!(self.value("SELECT 1").await.as_deref(), Some("1"));
    }

    /// Whether the server has hung up without a word.
    pub async fn is_closed(&mut self) -> bool {
        !self.fill(1).await
    }

    async fn fill(&mut self, length: usize) -> bool {
        while self.buffer.len() < length {
            let read = tokio::time::timeout(PATIENCE, self.stream.read_buf(&mut self.buffer));
            match read.await.expect("the server does not answer") {
                Ok(0) | Err(_) => return false,
                Ok(_) => {}
            }
        }
        true
    }
}

impl Answer {
    pub fn of(messages: Vec<Message>) -> Self {
        let mut answer = Self::default();
        for message in messages {
            answer.trace.push(char::from(message.tag));
            match message.tag {
                b'T' => answer.columns = message.columns(),
                b'D' => answer.rows.push(message.values()),
                b'C' => answer.tags.push(message.text()),
                b'E' => answer.fault = message.fault(),
                b'N' => answer.notices.extend(message.fault()),
                _ => {}
            }
        }
        answer
    }

    /// The first value of the first row.
    pub fn text(&self) -> Option<String> {
        let value = self.rows.first()?.first()?.as_ref()?;
        Some(String::from_utf8(value.to_vec()).unwrap())
    }

    /// The rows as text, null as `None`.
    pub fn texts(&self) -> Vec<Vec<Option<String>>> {
        let text = |value: &Option<Bytes>| value.as_ref().map(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
        self.rows.iter().map(|row| row.iter().map(text).collect()).collect()
    }

    /// The SQLSTATE of the error, or `00000`.
    pub fn state(&self) -> &str {
        self.fault.as_ref().map_or("00000", |fault| &fault.state)
    }
}

/// Asks to cancel what a connection runs, again and again until it answers: a cancel that comes before its statement
/// has begun has no effect.
pub async fn cancel_until_ready(addr: SocketAddr, client: &mut Client) -> Answer {
    let key = client.key.clone().unwrap();
    let asking = async {
        let mut tick = tokio::time::interval(Duration::from_millis(100));
        loop {
            tick.tick().await;
            cancel(addr, &key).await;
        }
    };
    tokio::select! {
        messages = client.until_ready() => Answer::of(messages),
        () = asking => unreachable!(),
    }
}

/// Asks to cancel what another connection runs, over a plain socket of its own.
pub async fn cancel(addr: SocketAddr, key: &(i32, Bytes)) {
    let mut client = Client::open(addr).await;
    client.send(&message::cancel(key.0, &key.1)).await;
    assert!(client.is_closed().await, "a cancel request is never answered");
}
