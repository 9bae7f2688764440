//! What the server says, written into a buffer.
//!
//! Owns: the shape of each backend message but DataRow, which `encode` writes. The writers of pgwire are not used: they
//! refuse an error text above 10,000 bytes and build each message out of owned strings.
//! <https://www.postgresql.org/docs/16/protocol-message-formats.html>

use arrow::datatypes::Schema;
use bytes::{BufMut, BytesMut};

use super::encode::Format;
use super::types;
use crate::engine::Origin;
use crate::error::{Error, Result, SqlState};
use crate::session::channels::Notification;
use crate::session::effects::Level;
use crate::session::transaction::Status;
use crate::session::{CancelKey, Notice};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Severity {
    Error,
    /// The connection ends with this message.
    Fatal,
}

/// Writes type, length and body. A body over 2 GiB cannot be told; the engine's limits lie far below.
fn message<T>(out: &mut BytesMut, kind: u8, body: impl FnOnce(&mut BytesMut) -> T) -> T {
    out.put_u8(kind);
    let start = out.len();
    out.put_i32(0);
    let done = body(out);
    let length = i32::try_from(out.len() - start).unwrap_or(i32::MAX);
    if let Some(mut place) = out.get_mut(start..start + 4) {
        place.put_i32(length);
    }
    done
}

/// A text that ends at its first NUL, as the protocol's strings do.
fn put_string(out: &mut BytesMut, text: &str) {
    out.extend_from_slice(text.split('\0').next().unwrap_or_default().as_bytes());
    out.put_u8(0);
}

pub(super) fn authentication_ok(out: &mut BytesMut) {
    message(out, b'R', |out| out.put_i32(0));
}

pub(super) fn authentication_sasl(out: &mut BytesMut, mechanisms: &[&str]) {
    message(out, b'R', |out| {
        out.put_i32(10);
        mechanisms.iter().for_each(|name| put_string(out, name));
        out.put_u8(0);
    });
}

pub(super) fn authentication_sasl_continue(out: &mut BytesMut, text: &str) {
    message(out, b'R', |out| {
        out.put_i32(11);
        out.extend_from_slice(text.as_bytes());
    });
}

pub(super) fn authentication_sasl_final(out: &mut BytesMut, text: &str) {
    message(out, b'R', |out| {
        out.put_i32(12);
        out.extend_from_slice(text.as_bytes());
    });
}

pub(super) fn negotiate_protocol_version(out: &mut BytesMut, version: u32, refused: &[String]) {
    message(out, b'v', |out| {
        out.put_u32(version);
        out.put_u32(u32::try_from(refused.len()).unwrap_or(u32::MAX));
        refused.iter().for_each(|name| put_string(out, name));
    });
}

pub(super) fn backend_key_data(out: &mut BytesMut, id: i32, key: &CancelKey) {
    message(out, b'K', |out| {
        out.put_i32(id);
        out.extend_from_slice(&key.0);
    });
}

pub(super) fn parameter_status(out: &mut BytesMut, name: &str, value: &str) {
    message(out, b'S', |out| {
        put_string(out, name);
        put_string(out, value);
    });
}

pub(super) fn ready_for_query(out: &mut BytesMut, status: Status) {
    message(out, b'Z', |out| {
        out.put_u8(match status {
            Status::Idle => b'I',
            Status::InBlock => b'T',
            Status::Failed => b'E',
        });
    });
}

pub(super) fn error_response(out: &mut BytesMut, severity: Severity, error: &Error) {
    let severity = match severity {
        Severity::Error => "ERROR",
        Severity::Fatal => "FATAL",
    };
    message(out, b'E', |out| {
        fields(out, severity, error.state, &error.message);
        let position = error.position.map(|position| position.to_string());
        for (field, text) in [(b'D', &error.detail), (b'H', &error.hint), (b'P', &position), (b'W', &error.context)] {
            if let Some(text) = text {
                out.put_u8(field);
                put_string(out, text);
            }
        }
        out.put_u8(0);
    });
}

pub(super) fn notification_response(out: &mut BytesMut, notification: &Notification) {
    message(out, b'A', |out| {
        out.put_i32(notification.sender);
        put_string(out, &notification.channel);
        put_string(out, &notification.payload);
    });
}

pub(super) fn notice_response(out: &mut BytesMut, notice: &Notice) {
    let severity = match notice.level {
        Level::Notice => "NOTICE",
        Level::Warning => "WARNING",
    };
    message(out, b'N', |out| {
        fields(out, severity, notice.state, &notice.message);
        if let Some(hint) = notice.hint {
            out.put_u8(b'H');
            put_string(out, hint);
        }
        out.put_u8(0);
    });
}

fn fields(out: &mut BytesMut, severity: &str, state: SqlState, text: &str) {
    for (field, value) in [(b'S', severity), (b'V', severity), (b'C', state.code()), (b'M', text)] {
        out.put_u8(field);
        put_string(out, value);
    }
}

/// Which columns a result has. `origins` and `formats` have one entry per column, or are empty where no column is known to be
/// one of a table, and where all are text.
pub(super) fn row_description(
    out: &mut BytesMut,
    columns: &Schema,
    origins: &[Option<Origin>],
    formats: &[Format],
) -> Result<()> {
    let count = count(columns.fields().len(), SqlState::TooManyColumns)?;
    message(out, b'T', |out| {
        out.put_i16(count);
        for (index, field) in columns.fields().iter().enumerate() {
            let oid = types::oid_of(field);
            put_string(out, field.name());
            let origin = origins.get(index).copied().flatten();
            out.put_u32(origin.map_or(0, |origin| origin.relation));
            out.put_i16(origin.map_or(0, |origin| origin.attribute));
            out.put_u32(oid);
            out.put_i16(types::len_of(oid));
            out.put_i32(types::typmod_of(field));
            out.put_i16(match formats.get(index) {
                None | Some(Format::Text) => 0,
                Some(Format::Binary) => 1,
            });
        }
    });
    Ok(())
}

pub(super) fn parameter_description(out: &mut BytesMut, oids: &[u32]) -> Result<()> {
    let count = u16::try_from(oids.len())
        .map_err(|_| Error::new(SqlState::ProgramLimitExceeded, "a statement has more than 65535 parameters"))?;
    message(out, b't', |out| {
        out.put_u16(count);
        oids.iter().for_each(|oid| out.put_u32(*oid));
    });
    Ok(())
}

fn count(count: usize, state: SqlState) -> Result<i16> {
    i16::try_from(count).map_err(|_| Error::new(state, format!("a result has {count} columns, which is too many")))
}

/// Asks for the rows of a COPY.
pub(super) fn copy_in_response(out: &mut BytesMut, format: Format, columns: usize) -> Result<()> {
    copy_response(out, b'G', format, columns)
}

pub(super) fn copy_out_response(out: &mut BytesMut, format: Format, columns: usize) -> Result<()> {
    copy_response(out, b'H', format, columns)
}

fn copy_response(out: &mut BytesMut, kind: u8, format: Format, columns: usize) -> Result<()> {
    let count = count(columns, SqlState::TooManyColumns)?;
    let code = match format {
        Format::Text => 0,
        Format::Binary => 1,
    };
    message(out, kind, |out| {
        out.put_u8(code);
        out.put_i16(count);
        (0..columns).for_each(|_| out.put_i16(code.into()));
    });
    Ok(())
}

pub(super) fn copy_data<T>(out: &mut BytesMut, body: impl FnOnce(&mut BytesMut) -> T) -> T {
    message(out, b'd', body)
}

pub(super) fn command_complete(out: &mut BytesMut, tag: &str) {
    message(out, b'C', |out| put_string(out, tag));
}

/// The messages that have no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    ParseComplete,
    BindComplete,
    CloseComplete,
    NoData,
    EmptyQueryResponse,
    PortalSuspended,
    CopyDone,
}

pub(super) fn signal(out: &mut BytesMut, signal: Signal) {
    let kind = match signal {
        Signal::ParseComplete => b'1',
        Signal::BindComplete => b'2',
        Signal::CloseComplete => b'3',
        Signal::NoData => b'n',
        Signal::EmptyQueryResponse => b'I',
        Signal::PortalSuspended => b's',
        Signal::CopyDone => b'c',
    };
    message(out, kind, |_| {});
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_every_field_that_it_knows() {
        let mut out = BytesMut::new();
        let error = Error::new(SqlState::UndefinedTable, "relation \"x\" does not exist").hint("Look.").at(15);
        error_response(&mut out, Severity::Fatal, &error);
        let body = b"SFATAL\0VFATAL\0C42P01\0Mrelation \"x\" does not exist\0HLook.\0P15\0\0";
        let mut expected = vec![b'E'];
        expected.extend_from_slice(&(body.len() as i32 + 4).to_be_bytes());
        expected.extend_from_slice(body);
        assert_eq!(&out[..], expected);
    }

    #[test]
    fn a_text_with_nul_does_not_break_the_frame() {
        let mut out = BytesMut::new();
        command_complete(&mut out, "SEL\0ECT");
        assert_eq!(&out[..], b"C\0\0\0\x08SEL\0");
    }
}
