//! The text of byte strings: hexadecimal digits after `\x`, else backslash escapes.

use crate::Error;

/// `byteain`.
pub fn bytea(text: &str) -> Result<Vec<u8>, Error> {
    match text.strip_prefix("\\x") {
        Some(digits) => hexadecimal(digits),
        None => escaped(text.as_bytes()).ok_or(Error::InvalidSyntax { of: "bytea" }),
    }
}

/// Blanks stand between pairs of digits, not within one.
fn hexadecimal(digits: &str) -> Result<Vec<u8>, Error> {
    let digit = |c: char| match c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()) {
        Some(digit) => Ok(digit),
        None => Err(Error::InvalidParameter(format!("invalid hexadecimal digit: \"{c}\""))),
    };
    let mut bytes = Vec::with_capacity(digits.len() / 2);
    let mut chars = digits.chars();
    while let Some(c) = chars.next() {
        if matches!(c, ' ' | '\n' | '\t' | '\r') {
            continue;
        }
        let high = digit(c)?;
        let Some(low) = chars.next() else {
            return Err(Error::InvalidParameter("invalid hexadecimal data: odd number of digits".to_owned()));
        };
        bytes.push(high << 4 | digit(low)?);
    }
    Ok(bytes)
}

fn escaped(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return Some(bytes),
            [b'\\', b'\\', after @ ..] => {
                bytes.push(b'\\');
                after
            }
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..] => {
                bytes.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                after
            }
            [b'\\', ..] => return None,
            [byte, after @ ..] => {
                bytes.push(*byte);
                after
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_in_both_forms() {
        for (text, expect) in [("\\xDE ad", &b"\xde\xad"[..]), ("a\\\\\\001", b"a\\\x01"), ("", b""), ("\\x", b"")] {
            assert_eq!(bytea(text), Ok(expect.to_vec()), "{text}");
        }
        for bad in ["\\x0", "\\xzz", "\\x0 1"] {
            assert!(matches!(bytea(bad), Err(Error::InvalidParameter(_))), "{bad}");
        }
        for bad in ["\\9", "\\400", "a\\"] {
            assert!(matches!(bytea(bad), Err(Error::InvalidSyntax { .. })), "{bad}");
        }
    }
}
