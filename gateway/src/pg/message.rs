//! What a logged-in client may say, decoded from a frame.
//!
//! Owns: the shape of each frontend message. A body must be used up exactly; anything else is malformed. No input can
//! make it panic or allocate more than the frame holds.
//! <https://www.postgresql.org/docs/16/protocol-message-formats.html>

use bytes::{Buf, Bytes};

use super::frame::Frame;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message {
    Query(String),
    Parse {
        name: String,
        sql: String,
        param_oids: Vec<u32>,
    },
    Bind(Bind),
    Describe(Target),
    Execute {
        portal: String,
        rows_max: usize,
    },
    Close(Target),
    Flush,
    Sync,
    FunctionCall,
    /// CopyData, CopyDone and CopyFail outside COPY: PostgreSQL ignores what a failed COPY left in the pipe.
    StrayCopy,
    Terminate,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bind {
    pub(super) portal: String,
    pub(super) statement: String,
    pub(super) param_formats: Vec<i16>,
    pub(super) params: Vec<Option<Bytes>>,
    pub(super) result_formats: Vec<i16>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    Statement(String),
    Portal(String),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Invalid {
    /// Not a message of the protocol: the connection cannot go on.
    Type(u8),
    Body(u8),
    /// A text that is no UTF-8; the frame is whole, so only the message fails.
    Encoding(Vec<u8>),
}

impl Message {
    pub(super) fn decode(frame: Frame) -> Result<Self, Invalid> {
        let Frame { kind, body } = frame;
        let mut body = Body { kind, rest: body };
        let message = match kind {
            b'Q' => Message::Query(body.string()?),
            b'P' => body.parse()?,
            b'B' => Message::Bind(body.bind()?),
            b'D' => Message::Describe(body.target()?),
            b'E' => {
                let portal = body.string()?;
                // Zero and below are "no limit", as in PostgreSQL.
                Message::Execute { portal, rows_max: usize::try_from(body.int32()?).unwrap_or(0) }
            }
            b'C' => Message::Close(body.target()?),
            b'H' => Message::Flush,
            b'S' => Message::Sync,
            b'X' => Message::Terminate,
            b'F' => return Ok(Message::FunctionCall),
            b'd' | b'c' | b'f' => return Ok(Message::StrayCopy),
            kind => return Err(Invalid::Type(kind)),
        };
        if body.rest.is_empty() { Ok(message) } else { Err(Invalid::Body(kind)) }
    }
}

struct Body {
    kind: u8,
    rest: Bytes,
}

impl Body {
    fn malformed(&self) -> Invalid {
        Invalid::Body(self.kind)
    }

    fn parse(&mut self) -> Result<Message, Invalid> {
        let name = self.string()?;
        let sql = self.string()?;
        let count = self.count()?;
        let mut param_oids = Vec::with_capacity(count.min(self.rest.len() / 4));
        for _ in 0..count {
            param_oids.push(self.rest.try_get_u32().map_err(|_| self.malformed())?);
        }
        Ok(Message::Parse { name, sql, param_oids })
    }

    fn bind(&mut self) -> Result<Bind, Invalid> {
        let portal = self.string()?;
        let statement = self.string()?;
        let param_formats = self.formats()?;
        let count = self.count()?;
        let mut params = Vec::with_capacity(count.min(self.rest.len() / 4));
        for _ in 0..count {
            params.push(self.value()?);
        }
        Ok(Bind { portal, statement, param_formats, params, result_formats: self.formats()? })
    }

    fn target(&mut self) -> Result<Target, Invalid> {
        match self.rest.try_get_u8() {
            Ok(b'S') => Ok(Target::Statement(self.string()?)),
            Ok(b'P') => Ok(Target::Portal(self.string()?)),
            Ok(_) | Err(_) => Err(self.malformed()),
        }
    }

    fn string(&mut self) -> Result<String, Invalid> {
        let end = self.rest.iter().position(|byte| *byte == 0).ok_or_else(|| self.malformed())?;
        let text = self.rest.split_to(end);
        self.rest.advance(1);
        match std::str::from_utf8(&text) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => {
                let bad = text.iter().skip(error.valid_up_to()).take(error.error_len().unwrap_or(4));
                Err(Invalid::Encoding(bad.copied().collect()))
            }
        }
    }

    fn int32(&mut self) -> Result<i32, Invalid> {
        self.rest.try_get_i32().map_err(|_| self.malformed())
    }

    /// A count is unsigned: 65,535 parameters are allowed.
    fn count(&mut self) -> Result<usize, Invalid> {
        self.rest.try_get_u16().map(usize::from).map_err(|_| self.malformed())
    }

    fn formats(&mut self) -> Result<Vec<i16>, Invalid> {
        let count = self.count()?;
        let mut formats = Vec::with_capacity(count.min(self.rest.len() / 2));
        for _ in 0..count {
            formats.push(self.rest.try_get_i16().map_err(|_| self.malformed())?);
        }
        Ok(formats)
    }

    fn value(&mut self) -> Result<Option<Bytes>, Invalid> {
        match self.int32()? {
            -1 => Ok(None),
            length => match usize::try_from(length) {
                Ok(length) if length <= self.rest.len() => Ok(Some(self.rest.split_to(length))),
                Ok(_) | Err(_) => Err(self.malformed()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(kind: u8, body: &[u8]) -> Result<Message, Invalid> {
        Message::decode(Frame { kind, body: Bytes::copy_from_slice(body) })
    }

    const BIND: &[u8] = b"p\0s\0\0\x01\0\x01\0\x02\0\0\0\x02hi\xff\xff\xff\xff\0\x01\0\0";

    #[test]
    fn whole_messages_are_read() {
        assert_eq!(decode(b'Q', b"SELECT 1\0"), Ok(Message::Query("SELECT 1".into())));
        assert_eq!(
            decode(b'P', b"s\0SELECT $1\0\0\x01\0\0\0\x17"),
            Ok(Message::Parse { name: "s".into(), sql: "SELECT $1".into(), param_oids: vec![23] })
        );
        assert_eq!(
            decode(b'B', BIND),
            Ok(Message::Bind(Bind {
                portal: "p".into(),
                statement: "s".into(),
                param_formats: vec![1],
                params: vec![Some(Bytes::from_static(b"hi")), None],
                result_formats: vec![0],
            }))
        );
        assert_eq!(decode(b'E', b"\0\xff\xff\xff\xff"), Ok(Message::Execute { portal: "".into(), rows_max: 0 }));
        assert_eq!(decode(b'D', b"Sx\0"), Ok(Message::Describe(Target::Statement("x".into()))));
    }

    #[test]
    fn every_truncation_and_every_surplus_byte_is_malformed() {
        for (kind, body) in [
            (b'Q', &b"SELECT 1\0"[..]),
            (b'P', b"s\0SELECT $1\0\0\x01\0\0\0\x17"),
            (b'B', BIND),
            (b'D', b"Sx\0"),
            (b'C', b"P\0"),
            (b'E', b"\0\0\0\0\x05"),
        ] {
            assert!(decode(kind, body).is_ok());
            for end in 0..body.len() {
                assert_eq!(decode(kind, &body[..end]), Err(Invalid::Body(kind)), "{} {end}", kind as char);
            }
            let longer = [body, b"\0"].concat();
            assert_eq!(decode(kind, &longer), Err(Invalid::Body(kind)));
        }
        for kind in [b'S', b'H', b'X'] {
            assert_eq!(decode(kind, b"x"), Err(Invalid::Body(kind)));
        }
    }

    #[test]
    fn hostile_lengths_and_texts_are_refused() {
        assert_eq!(decode(b'B', b"\0\0\0\0\0\x01\x7f\xff\xff\xff"), Err(Invalid::Body(b'B')));
        assert_eq!(decode(b'B', b"\0\0\0\0\0\x01\xff\xff\xff\xfe"), Err(Invalid::Body(b'B')));
        assert_eq!(decode(b'P', b"\0\0\xff\xff"), Err(Invalid::Body(b'P')));
        assert_eq!(decode(b'Q', b"SELECT '\xff'\0"), Err(Invalid::Encoding(vec![0xff])));
        assert_eq!(decode(b'Q', b"a\0b\0"), Err(Invalid::Body(b'Q')));
        assert_eq!(decode(b'p', b"secret\0"), Err(Invalid::Type(b'p')));
        assert_eq!(decode(0, b""), Err(Invalid::Type(0)));
    }

    proptest! {
        #[test]
        fn no_body_panics(kind in any::<u8>(), body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(kind, &body);
        }

        #[test]
        fn no_mutation_panics(at in 0..BIND.len(), byte in any::<u8>(), kind in prop::sample::select(b"QPBDECHSXFdcf".to_vec())) {
            let mut body = BIND.to_vec();
            body[at] = byte;
            let _ = decode(kind, &body);
        }
    }
}
