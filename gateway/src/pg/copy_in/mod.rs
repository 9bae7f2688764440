//! COPY ... FROM STDIN: rows as text lines, as CSV or as PostgreSQL's binary file.
//!
//! Owns: the messages of a COPY that comes in, and what becomes of a connection whose COPY fails. Must never know: where
//! rows go. <https://www.postgresql.org/docs/16/protocol-flow.html#PROTOCOL-COPY>

mod binary;
mod cells;
mod lines;

use bytes::BytesMut;

use super::backend;
use super::connection::{Connection, Fault, Step};
use super::encode::Format;
use crate::engine::{CopyFormat, Incoming};
use crate::error::{Error, Result, SqlState};
use crate::session::StatementGuard;
use crate::session::transaction::Status;
use crate::session::vars::Display;
use cells::Rows;

/// What is gathered of the messages before it is read.
const CHUNK_BYTES: usize = 256 << 10;

/// Reads what comes in pieces that end anywhere.
enum Reader {
    Lines(lines::Lines),
    Binary(binary::Binary),
}

/// What was read so far of one COPY. It moves to the CPU pool and back.
struct Reading {
    reader: Reader,
    rows: Rows,
}

impl Reading {
    fn new(incoming: &Incoming, display: Display) -> Self {
        let reader = match incoming.how().format {
            CopyFormat::Binary => Reader::Binary(binary::Binary::default()),
            CopyFormat::Text | CopyFormat::Csv => Reader::Lines(lines::Lines::new(incoming.how().clone())),
        };
        Self { reader, rows: Rows::new(incoming.table(), incoming.columns(), display) }
    }

    /// Reads rows until the bytes are used up, or a batch is full.
    fn read(&mut self, bytes: &mut BytesMut, is_end: bool) -> Result<()> {
        match &mut self.reader {
            Reader::Lines(lines) => lines.read(bytes, is_end, &mut self.rows),
            Reader::Binary(binary) => binary.read(bytes, is_end, &mut self.rows),
        }
    }
}

impl Connection {
    /// Takes the rows that the client sends, until it says that they are all.
    pub(super) async fn copy_in(&mut self, mut incoming: Incoming, guard: &StatementGuard, before: Status) -> Step {
        let is_binary = incoming.how().format == CopyFormat::Binary;
        let format = if is_binary { Format::Binary } else { Format::Text };
        backend::copy_in_response(&mut self.wire.output, format, incoming.columns().fields().len())?;
        self.wire.flush().await?;
        let mut reading = Reading::new(&incoming, self.display());
        let mut bytes = BytesMut::new();
        loop {
            let frame = tokio::select! {
                biased;
                error = guard.ended() => return Err(error.into()),
                frame = self.next_frame() => frame?,
            };
            let is_end = match frame.kind {
                b'd' => {
                    bytes.extend_from_slice(&frame.body);
                    false
                }
                b'c' => true,
                b'f' => {
                    let reason = String::from_utf8_lossy(&frame.body);
                    let message = format!("COPY from stdin failed: {}", reason.trim_end_matches('\0'));
                    return Err(Error::new(SqlState::QueryCanceled, message)
                        .context(format!("COPY {}, line {}", incoming.table(), reading.rows.line()))
                        .into());
                }
                // Clients may send these whatever goes on.
                b'H' | b'S' => continue,
                kind => {
                    let message = format!("unexpected message type 0x{kind:02X} during COPY from stdin");
                    return Err(Fault::Fatal(Error::new(SqlState::ProtocolViolation, message)));
                }
            };
            if is_end || bytes.len() >= CHUNK_BYTES {
                (reading, bytes) = self.take(&mut incoming, (reading, bytes), is_end, guard).await?;
            }
            if is_end {
                break;
            }
        }
        let tag = self.watch(guard, incoming.finish()).await?;
        self.complete(&tag, 0, before)
    }

    /// Reads what has come, and hands the rows on.
    async fn take(
        &mut self,
        incoming: &mut Incoming,
        (mut reading, mut bytes): (Reading, BytesMut),
        is_end: bool,
        guard: &StatementGuard,
    ) -> Step<(Reading, BytesMut)> {
        let engine = std::sync::Arc::clone(&self.engine);
        let work = async move {
            loop {
                let read = move || {
                    let done = reading.read(&mut bytes, is_end);
                    (reading, bytes, done)
                };
                let done;
                (reading, bytes, done) = engine.on_cpu(read).await?;
                done?;
                let Some(rows) = reading.rows.take(is_end)? else { return Ok((reading, bytes)) };
                incoming.write(&rows).await.map_err(|error| error.context(reading.rows.context()))?;
            }
        };
        self.watch(guard, work).await
    }
}
