//! The messages of the protocol, as bytes to send and as parts to look at.

use bytes::{Buf, Bytes};

pub const PROTOCOL_3_0: u32 = 3 << 16;
pub const PROTOCOL_3_2: u32 = (3 << 16) | 2;

/// One message from the server.
#[derive(Debug, Clone)]
pub struct Message {
    pub tag: u8,
    pub body: Bytes,
}

/// A column of RowDescription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub table: u32,
    pub number: i16,
    pub oid: u32,
    pub size: i16,
    pub modifier: i32,
    pub format: i16,
}

/// An ErrorResponse or a NoticeResponse.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fault {
    pub severity: String,
    pub state: String,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
    pub position: Option<usize>,
}

impl Message {
    pub fn int32(&self, at: usize) -> i32 {
        i32::from_be_bytes(self.body[at..at + 4].try_into().unwrap())
    }

    /// The body as one string that ends in NUL.
    pub fn text(&self) -> String {
        take_string(&mut self.body.clone())
    }

    /// The body as two strings that end in NUL.
    pub fn pair(&self) -> (String, String) {
        let mut body = self.body.clone();
        (take_string(&mut body), take_string(&mut body))
    }

    pub fn fault(&self) -> Option<Fault> {
        if self.tag != b'E' && self.tag != b'N' {
            return None;
        }
        let mut body = self.body.clone();
        let mut fault = Fault::default();
        loop {
            let field = body.get_u8();
            if field == 0 {
                assert!(body.is_empty(), "bytes after the last field of an error");
                return Some(fault);
            }
            let value = take_string(&mut body);
            match field {
                b'V' => fault.severity = value,
                b'C' => fault.state = value,
                b'M' => fault.message = value,
                b'D' => fault.detail = Some(value),
                b'H' => fault.hint = Some(value),
                b'P' => fault.position = value.parse().ok(),
                _ => {}
            }
        }
    }

    pub fn columns(&self) -> Vec<Column> {
        let mut body = self.body.clone();
        let count = body.get_i16();
        let columns = (0..count).map(|_| Column {
            name: take_string(&mut body),
            table: body.get_u32(),
            number: body.get_i16(),
            oid: body.get_u32(),
            size: body.get_i16(),
            modifier: body.get_i32(),
            format: body.get_i16(),
        });
        let columns = columns.collect();
        assert!(body.is_empty(), "bytes after the last column");
        columns
    }

    pub fn values(&self) -> Vec<Option<Bytes>> {
        let mut body = self.body.clone();
        let count = body.get_i16();
        let values = (0..count)
            .map(|_| {
                let length = body.get_i32();
                usize::try_from(length).ok().map(|length| body.split_to(length))
            })
            .collect();
        assert!(body.is_empty(), "bytes after the last value");
        values
    }

    /// The types of ParameterDescription.
    pub fn parameter_types(&self) -> Vec<u32> {
        let mut body = self.body.clone();
        let count = body.get_i16();
        (0..count).map(|_| body.get_u32()).collect()
    }
}

fn take_string(body: &mut Bytes) -> String {
    let end = body.iter().position(|byte| *byte == 0).expect("a string without its NUL");
    let text = body.split_to(end);
    body.advance(1);
    String::from_utf8(text.to_vec()).unwrap()
}

/// A message with a right length.
pub fn frame(tag: u8, body: &[u8]) -> Vec<u8> {
    framed(tag, i32::try_from(body.len() + 4).unwrap(), body)
}

/// A message with the length that the test wants.
pub fn framed(tag: u8, length: i32, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    bytes.extend(length.to_be_bytes());
    bytes.extend(body);
    bytes
}

fn untagged(body: &[u8]) -> Vec<u8> {
    frame(0, body).split_off(1)
}

pub fn startup(version: u32, pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    for (key, value) in pairs {
        body.extend(string(key));
        body.extend(string(value));
    }
    body.push(0);
    untagged(&body)
}

pub fn ssl_request() -> Vec<u8> {
    untagged(&80_877_103_u32.to_be_bytes())
}

pub fn gssenc_request() -> Vec<u8> {
    untagged(&80_877_104_u32.to_be_bytes())
}

pub fn cancel(process_id: i32, secret: &[u8]) -> Vec<u8> {
    let mut body = 80_877_102_u32.to_be_bytes().to_vec();
    body.extend(process_id.to_be_bytes());
    body.extend(secret);
    untagged(&body)
}

pub fn query(sql: &str) -> Vec<u8> {
    frame(b'Q', &string(sql))
}

pub fn parse(name: &str, sql: &str, types: &[u32]) -> Vec<u8> {
    let mut body = string(name);
    body.extend(string(sql));
    body.extend(count(types.len()));
    for oid in types {
        body.extend(oid.to_be_bytes());
    }
    frame(b'P', &body)
}

/// Binds values that are encoded already. `formats` and `results` hold 0, 1 or as many codes as there are values.
pub fn bind(portal: &str, statement: &str, formats: &[i16], values: &[Option<&[u8]>], results: &[i16]) -> Vec<u8> {
    let mut body = string(portal);
    body.extend(string(statement));
    body.extend(codes(formats));
    body.extend(count(values.len()));
    for value in values {
        match value {
            Some(value) => {
                body.extend(i32::try_from(value.len()).unwrap().to_be_bytes());
                body.extend(*value);
            }
            None => body.extend((-1_i32).to_be_bytes()),
        }
    }
    body.extend(codes(results));
    frame(b'B', &body)
}

/// Describes a statement (`S`) or a portal (`P`).
pub fn describe(kind: u8, name: &str) -> Vec<u8> {
    frame(b'D', &named(kind, name))
}

/// Closes a statement (`S`) or a portal (`P`).
pub fn close(kind: u8, name: &str) -> Vec<u8> {
    frame(b'C', &named(kind, name))
}

pub fn execute(portal: &str, rows_max: i32) -> Vec<u8> {
    let mut body = string(portal);
    body.extend(rows_max.to_be_bytes());
    frame(b'E', &body)
}

pub fn sync() -> Vec<u8> {
    frame(b'S', &[])
}

pub fn flush() -> Vec<u8> {
    frame(b'H', &[])
}

pub fn terminate() -> Vec<u8> {
    frame(b'X', &[])
}

/// SASLInitialResponse.
pub fn sasl_initial(mechanism: &str, response: &str) -> Vec<u8> {
    let mut body = string(mechanism);
    body.extend(i32::try_from(response.len()).unwrap().to_be_bytes());
    body.extend(response.as_bytes());
    frame(b'p', &body)
}

fn string(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    bytes
}

fn named(kind: u8, name: &str) -> Vec<u8> {
    let mut body = vec![kind];
    body.extend(string(name));
    body
}

fn count(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap().to_be_bytes()
}

fn codes(codes: &[i16]) -> Vec<u8> {
    let mut bytes = count(codes.len()).to_vec();
    for code in codes {
        bytes.extend(code.to_be_bytes());
    }
    bytes
}
