//! JSON's strings: PostgreSQL's `escape_json`, and back.
//!
//! Owns: escapes, surrogates, and 22P05 for the one character that no text holds.

use std::borrow::Cow;
use std::fmt::Write;

use super::lex::invalid;
use crate::Error;

/// Appends a text as a JSON string.
pub(crate) fn escape(text: &str, out: &mut String) {
    out.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 32 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(text.get(plain..at).unwrap_or_default());
        plain = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            8 => out.push_str("\\b"),
            12 => out.push_str("\\f"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            _ => {
                let _ = write!(out, "\\u{byte:04x}");
            }
        }
    }
    out.push_str(text.get(plain..).unwrap_or_default());
    out.push('"');
}

/// The text that a valid JSON string, with its quotes, stands for.
pub(super) fn unescape(string: &str) -> Result<Cow<'_, str>, Error> {
    let inner = string.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(string);
    if !inner.contains('\\') {
        return Ok(Cow::Borrowed(inner));
    }
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        let (before, escaped) = rest.split_at(at);
        if !before.is_empty() {
            out.push_str(before);
        }
        let mut chars = escaped.chars();
        chars.next();
        rest = match chars.next() {
            Some('u') => unicode(escaped, &mut out)?,
            Some(letter) => {
                out.push(match letter {
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    other => other,
                });
                chars.as_str()
            }
            None => "",
        };
    }
    out.push_str(rest);
    Ok(Cow::Owned(out))
}

/// Reads `\uXXXX`, or two of them that are one character; gives what follows.
fn unicode<'a>(escaped: &'a str, out: &mut String) -> Result<&'a str, Error> {
    let unit = |text: &str| text.strip_prefix("\\u").and_then(|hex| u32::from_str_radix(hex.get(..4)?, 16).ok());
    let after = escaped.get(6..).unwrap_or_default();
    let low_missing = || invalid("Unicode low surrogate must follow a high surrogate.");
    match unit(escaped).unwrap_or_default() {
        0 => Err(Error::UntranslatableCharacter),
        0xdc00..=0xdfff => Err(low_missing()),
        high @ 0xd800..=0xdbff => match unit(after) {
            Some(low @ 0xdc00..=0xdfff) => {
                out.extend(char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)));
                Ok(after.get(6..).unwrap_or_default())
            }
            Some(0xd800..=0xdbff) => Err(invalid("Unicode high surrogate must not follow a high surrogate.")),
            _ => Err(low_missing()),
        },
        code => {
            out.extend(char::from_u32(code));
            Ok(after)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_read_back_as_themselves() {
        for text in ["", "plain", "a\"b\\c/d", "\u{1}\u{8}\u{c}\n\r\t", "é😀"] {
            let mut escaped = String::new();
            escape(text, &mut escaped);
            assert_eq!(unescape(&escaped).unwrap(), text);
        }
        assert_eq!(unescape(r#""\u00e9\ud83d\ude00\/""#).unwrap(), "é😀/");
        assert_eq!(unescape(r#""\u0000""#).unwrap_err(), Error::UntranslatableCharacter);
        for bad in [r#""\ud800""#, r#""\ud800\ud800""#, r#""\udc00""#] {
            assert!(matches!(unescape(bad), Err(Error::InvalidJson { .. })), "{bad}");
        }
    }
}
