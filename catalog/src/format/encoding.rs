//! Which encoding the bytes of a text are in, by what they show.
//!
//! Owns: byte order marks, the zero bytes of UTF-16, and what speaks for Windows-1252. Pure.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

pub(super) const UTF_8_MARK: &[u8] = b"\xEF\xBB\xBF";
const UTF_16LE_MARK: &[u8] = b"\xFF\xFE";
const UTF_16BE_MARK: &[u8] = b"\xFE\xFF";

/// The start of a file that is looked at for zero bytes.
const START_BYTES: usize = 4 << 10;

/// The bytes that Windows-1252 has no character for.
const UNASSIGNED: [u8; 5] = [0x81, 0x8D, 0x8F, 0x90, 0x9D];

/// Whether the bytes begin with the mark of UTF-16.
pub(super) fn has_utf_16_mark(start: &[u8]) -> bool {
    start.starts_with(UTF_16LE_MARK) || start.starts_with(UTF_16BE_MARK)
}

/// The encoding that the first bytes of a file show: UTF-16, or else UTF-8 until a byte contradicts.
pub(super) fn of_start(start: &[u8]) -> &'static Encoding {
    if start.starts_with(UTF_16LE_MARK) {
        return UTF_16LE;
    }
    if start.starts_with(UTF_16BE_MARK) {
        return UTF_16BE;
    }
    // Delimiters, digits and line ends have a zero byte each in UTF-16, always on the same side.
    let pairs = start.get(..start.len().min(START_BYTES)).unwrap_or_default().chunks_exact(2);
    let all = pairs.len();
    let (mut high, mut low) = (0, 0);
    for pair in pairs {
        high += usize::from(pair.first() == Some(&0));
        low += usize::from(pair.last() == Some(&0));
    }
    match (high, low) {
        (0, low) if all > 1 && low * 2 > all => UTF_16LE,
        (high, 0) if all > 1 && high * 2 > all => UTF_16BE,
        _ => UTF_8,
    }
}

/// What the bytes of a file say about UTF-8 and Windows-1252.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Evidence {
    /// Characters of several bytes that are right UTF-8. Other encodings hardly ever write such sequences.
    multibyte: u64,
    /// Sequences that are none.
    broken: u64,
    unassigned: bool,
}

impl Evidence {
    pub(super) fn see(&mut self, block: &[u8]) {
        if block.is_ascii() {
            return;
        }
        for chunk in block.utf8_chunks() {
            self.multibyte += chunk.valid().chars().filter(|char| !char.is_ascii()).count() as u64;
            self.broken += u64::from(!chunk.invalid().is_empty());
        }
        self.unassigned |= block.iter().any(|byte| UNASSIGNED.contains(byte));
    }

    pub(super) fn share_of_windows_1252(self) -> f64 {
        self.broken as f64 / (self.broken + self.multibyte).max(1) as f64
    }

    /// Whether the bytes are text in Windows-1252, rather than UTF-8 with a damaged byte or an encoding that is not known.
    pub(super) fn is_windows_1252(self) -> bool {
        self.broken > self.multibyte && !self.unassigned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf_16_shows_in_its_zero_bytes() {
        let wide = |text: &str, little: bool| -> Vec<u8> {
            let bytes = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
            text.encode_utf16().flat_map(bytes).collect()
        };
        for text in ["a,b\n1,2\n", "ville;température\nOrléans;3,5\n", "\u{feff}名,数\n東,1\n"] {
            assert_eq!(of_start(&wide(text, true)), UTF_16LE, "{text:?}");
            assert_eq!(of_start(&wide(text, false)), UTF_16BE, "{text:?}");
            assert_eq!(of_start(text.as_bytes()), UTF_8, "{text:?}");
        }
        for bytes in [&b""[..], b"a", b"a\0", b"a\nx\0y\n", b"a,b\0\0\0\0\0\0\0\0"] {
            assert_eq!(of_start(bytes), UTF_8, "{bytes:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_utf_8_are_windows_1252_with_evidence_only() {
        let cases: [(&[u8], bool); 6] = [
            (b"C\xF4te d'Ivoire\nDec\x96Jan\n", true),
            (b"plain", false),
            ("Orléans".as_bytes(), false),
            // A damaged byte in a text of UTF-8.
            (b"Orl\xC3\xA9ans\nBl\xC3\xA9r\nx\xE9y\n", false),
            // A byte that Windows-1252 does not have, as Shift-JIS writes it.
            (b"\x93\x8C\x8B\x9E,1\n\x81\x40", false),
            // One sequence that is UTF-8 by chance.
            (b"\xC3\xA9 \xE9\xE8 \xE9 x\xFC\n", true),
        ];
        for (bytes, expected) in cases {
            let mut evidence = Evidence::default();
            evidence.see(bytes);
            assert_eq!(evidence.is_windows_1252(), expected, "{bytes:?}");
        }
    }
}
