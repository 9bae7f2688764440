//! `encode(bytea, format text) -> text`, `decode(text, format text) -> bytea` - formats `hex`, `base64` and `escape`.
//!
//! Base64 is cut after 76 characters, as MIME asks. NULL gives NULL; another format, or a text that does not follow it, is 22023.
//! <https://www.postgresql.org/docs/16/functions-binarystring.html>
//!
//! ```sql
//! SELECT encode('abc', 'base64'), decode('616263', 'hex');  -- YWJj  \x616263
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::Error;
use crate::function::{Args, Overload, Ty, function, overload, some};

/// `encode`.
pub fn encode() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload(&[Ty::Bytea, Ty::Text], Ty::Text, |args| {
            let (values, formats) = (args.bytes(0)?, args.text(1)?);
            args.build_text(|row| Ok(Some(write(some!(values.get(row)), some!(formats.get(row)))?)))
        }),
        overload(&[Ty::Text, Ty::Text], Ty::Text, |args| {
            let (values, formats) = (args.text(0)?, args.text(1)?);
            args.build_text(|row| Ok(Some(write(some!(values.get(row)).as_bytes(), some!(formats.get(row)))?)))
        }),
    ];
    function("encode", &OVERLOADS)
}

/// `decode`.
pub fn decode() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Text, Ty::Text], Ty::Bytea, decode_texts)];
    function("decode", &OVERLOADS)
}

fn decode_texts(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, formats) = (args.text(0)?, args.text(1)?);
    let mut out = BinaryBuilder::new();
    for row in 0..args.rows {
        match (texts.get(row), formats.get(row)) {
            (Some(text), Some(format)) => out.append_value(read(text, format)?),
            _ => out.append_null(),
        }
    }
    Ok(Arc::new(out.finish()))
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn write(bytes: &[u8], format: &str) -> Result<String, Error> {
    Ok(match format.to_ascii_lowercase().as_str() {
        "hex" => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        "escape" => bytes
            .iter()
            .map(|byte| match byte {
                b'\\' => "\\\\".to_owned(),
                0 | 0x80.. => format!("\\{byte:03o}"),
                plain => char::from(*plain).to_string(),
            })
            .collect(),
        "base64" => {
            let mut out = String::with_capacity(bytes.len() * 4 / 3 + 4);
            for (index, chunk) in bytes.chunks(3).enumerate() {
                if index > 0 && index % 19 == 0 {
                    out.push('\n');
                }
                let group = (0..3).fold(0_usize, |sum, at| sum << 8 | usize::from(chunk.get(at).copied().unwrap_or(0)));
                for place in 0..4 {
                    let letter = ALPHABET.get(group >> (18 - 6 * place) & 63).copied().unwrap_or(b'=');
                    out.push(if place > chunk.len() { '=' } else { char::from(letter) });
                }
            }
            out
        }
        _ => return Err(unknown(format)),
    })
}

fn read(text: &str, format: &str) -> Result<Vec<u8>, Error> {
    match format.to_ascii_lowercase().as_str() {
        "hex" => hex(text),
        "escape" => escaped(text),
        "base64" => base64(text),
        _ => Err(unknown(format)),
    }
}

fn hex(text: &str) -> Result<Vec<u8>, Error> {
    let digits = text
        .chars()
        .filter(|c| !c.is_ascii_whitespace())
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()).ok_or(c))
        .collect::<Result<Vec<u8>, char>>()
        .map_err(|c| invalid(format!("invalid hexadecimal digit: \"{c}\"")))?;
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(invalid("invalid hexadecimal data: odd number of digits".to_owned()));
    }
    Ok(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

fn escaped(text: &str) -> Result<Vec<u8>, Error> {
    let wrong = || Error::InvalidText { of: "bytea", value: text.to_owned() };
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'\\') => out.push(b'\\'),
            Some(first @ b'0'..=b'3') => match (bytes.next(), bytes.next()) {
                (Some(second @ b'0'..=b'7'), Some(third @ b'0'..=b'7')) => {
                    out.push((first - b'0') << 6 | (second - b'0') << 3 | (third - b'0'));
                }
                _ => return Err(wrong()),
            },
            _ => return Err(wrong()),
        }
    }
    Ok(out)
}

fn base64(text: &str) -> Result<Vec<u8>, Error> {
    let (mut group, mut letters, mut padding) = (0_u32, 0_usize, 0_usize);
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    for c in text.bytes().filter(|c| !c.is_ascii_whitespace()) {
        let value = match ALPHABET.iter().position(|letter| *letter == c) {
            Some(value) if padding == 0 => u32::try_from(value).unwrap_or(0),
            None if c == b'=' => {
                padding += 1;
                0
            }
            Some(_) => return Err(invalid("unexpected \"=\" while decoding base64 sequence".to_owned())),
            None => {
                return Err(invalid(format!(
                    "invalid symbol \"{}\" found while decoding base64 sequence",
                    char::from(c)
                )));
            }
        };
        group = group << 6 | value;
        letters += 1;
        if letters == 4 {
            if padding > 2 {
                return Err(invalid("unexpected \"=\" while decoding base64 sequence".to_owned()));
            }
            out.extend(group.to_be_bytes().iter().skip(1).take(3 - padding));
            (group, letters) = (0, 0);
        }
    }
    if letters == 0 { Ok(out) } else { Err(invalid("invalid base64 end sequence".to_owned())) }
}

fn unknown(format: &str) -> Error {
    invalid(format!("unrecognized encoding: \"{format}\""))
}

fn invalid(message: String) -> Error {
    Error::InvalidParameter(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_postgres_s() {
        let all: Vec<u8> = (0..=255).collect();
        for format in ["hex", "base64", "escape"] {
            for length in [0, 1, 2, 3, 57, 58, 256] {
                let bytes = &all[..length];
                assert_eq!(read(&write(bytes, format).unwrap(), format).as_deref(), Ok(bytes), "{format} {length}");
            }
        }
        assert_eq!(write(b"\x00\xffa", "escape").as_deref(), Ok("\\000\\377a"));
        assert_eq!(write(b"abcd", "base64").as_deref(), Ok("YWJjZA=="));
        assert_eq!(write(&[0; 58], "base64").unwrap().find('\n'), Some(76));
        assert_eq!(read("1", "hex"), Err(invalid("invalid hexadecimal data: odd number of digits".to_owned())));
        assert_eq!(read("a", "foo"), Err(invalid("unrecognized encoding: \"foo\"".to_owned())));
    }
}
