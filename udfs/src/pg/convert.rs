//! `convert_from(bytea, encoding name) -> text`, `convert_to(text, encoding name) -> bytea`.
//!
//! Encodings: `UTF8`, `SQL_ASCII`, `LATIN1`, in PostgreSQL's loose spelling (`utf-8`); another is 0A000, none at all
//! 22023. Bytes that are no text are 22021, characters without bytes 22P05. NULL gives NULL.
//! <https://www.postgresql.org/docs/16/functions-binarystring.html>
//!
//! ```sql
//! SELECT convert_from('\xe9'::bytea, 'latin1'), convert_to('é', 'UTF8');  -- é  \xc3a9
//! ```

use std::sync::Arc;

use arrow::array::BinaryBuilder;
use datafusion::logical_expr::ScalarUDF;

use crate::Error;
use crate::function::{Overload, Ty, function, overload, some};

#[derive(Clone, Copy)]
enum Encoding {
    Utf8,
    Latin1,
}

/// `convert_from`.
pub fn convert_from() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Bytea, Ty::Text], Ty::Text, |args| {
        let (values, names) = (args.bytes(0)?, args.text(1)?);
        args.build_text(|row| {
            let (bytes, name) = (some!(values.get(row)), some!(names.get(row)));
            Ok(Some(encoding("source", name)?.read(bytes)?))
        })
    })];
    function("convert_from", &OVERLOADS)
}

/// `convert_to`.
pub fn convert_to() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Text, Ty::Text], Ty::Bytea, |args| {
        let (texts, names) = (args.text(0)?, args.text(1)?);
        let mut out = BinaryBuilder::new();
        for row in 0..args.rows {
            match (texts.get(row), names.get(row)) {
                (Some(text), Some(name)) => out.append_value(encoding("destination", name)?.write(text)?),
                _ => out.append_null(),
            }
        }
        Ok(Arc::new(out.finish()))
    })];
    function("convert_to", &OVERLOADS)
}

impl Encoding {
    fn read(self, bytes: &[u8]) -> Result<String, Error> {
        match self {
            Self::Latin1 => Ok(bytes.iter().copied().map(char::from).collect()),
            Self::Utf8 => String::from_utf8(bytes.to_vec()).map_err(|error| {
                let error = error.utf8_error();
                let from = error.valid_up_to();
                let shown = bytes.get(from..(from + error.error_len().unwrap_or(1)).min(bytes.len()));
                let shown: Vec<_> = shown.unwrap_or_default().iter().map(|byte| format!("0x{byte:02x}")).collect();
                Error::InvalidBytes(format!("invalid byte sequence for encoding \"UTF8\": {}", shown.join(" ")))
            }),
        }
    }

    fn write(self, text: &str) -> Result<Vec<u8>, Error> {
        match self {
            Self::Utf8 => Ok(text.as_bytes().to_vec()),
            Self::Latin1 => text
                .chars()
                .map(|c| {
                    u8::try_from(u32::from(c)).map_err(|_| {
                        let mut buffer = [0; 4];
                        let bytes = c.encode_utf8(&mut buffer).bytes().map(|byte| format!("0x{byte:02x}"));
                        Error::Untranslatable(format!(
                            "character with byte sequence {} in encoding \"UTF8\" has no equivalent in encoding \"LATIN1\"",
                            bytes.collect::<Vec<_>>().join(" ")
                        ))
                    })
                })
                .collect(),
        }
    }
}

/// Names of encodings differ in letters and digits only.
fn encoding(of: &str, name: &str) -> Result<Encoding, Error> {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    match plain.as_str() {
        "utf8" | "unicode" | "sqlascii" => Ok(Encoding::Utf8),
        "latin1" | "iso88591" => Ok(Encoding::Latin1),
        _ if KNOWN.contains(&plain.as_str()) => {
            Err(Error::Unsupported(format!("conversion with encoding \"{name}\" is not supported")))
        }
        _ => Err(Error::InvalidParameter(format!("invalid {of} encoding name \"{name}\""))),
    }
}

/// PostgreSQL's other encodings.
const KNOWN: &[&str] = &[
    "big5", "euccn", "eucjp", "euckr", "euctw", "gb18030", "gbk", "johab", "koi8", "koi8r", "koi8u", "latin10",
    "latin2", "latin3", "latin4", "latin5", "latin6", "latin7", "latin8", "latin9", "sjis", "uhc", "win1250",
    "win1251", "win1252", "win1253", "win1254", "win1255", "win1256", "win1257", "win1258", "win866", "win874",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call, shown, text};
    use datafusion::common::ScalarValue;

    #[test]
    fn texts_and_bytes_convert_or_say_why_not() {
        let bytes = |value: &[u8]| ScalarValue::Binary(Some(value.to_vec()));
        assert_eq!(shown(&convert_from(), &[bytes(b"\xe9"), text("latin1")]), "é");
        assert_eq!(shown(&convert_from(), &[bytes("é".as_bytes()), text("utf-8")]), "é");
        let refused = "invalid byte sequence for encoding \"UTF8\": 0xff";
        assert_eq!(shown(&convert_from(), &[bytes(b"a\xff"), text("UTF8")]), refused);
        assert_eq!(call(&convert_to(), &[text("é"), text("LATIN1")], true), Ok(bytes(b"\xe9")));
        assert!(matches!(call(&convert_to(), &[text("€"), text("LATIN1")], true), Err(Error::Untranslatable(_))));
        assert!(matches!(call(&convert_to(), &[text("a"), text("win1252")], true), Err(Error::Unsupported(_))));
        assert!(matches!(call(&convert_to(), &[text("a"), text("foo")], true), Err(Error::InvalidParameter(_))));
    }
}
