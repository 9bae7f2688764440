//! Thrift's compact protocol, as far as the claims of a footer or of a page's header are read before they are believed.
//!
//! Owns: that no claim is larger than the bytes that could hold it. Must never keep: anything.
//! <https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>

/// How deep a value may be; the format's own structures need eight levels.
const DEPTH_MAX: u8 = 64;

/// The kinds of fields and elements, by their numbers.
const TRUE: u8 = 1;
pub(super) const FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
pub(super) const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
pub(super) const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
pub(super) const STRUCT: u8 = 12;
const UUID: u8 = 13;

/// What is left of some bytes. All of its readers give `None` where the bytes do not hold what is asked for.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn left(&self) -> usize {
        self.0.len()
    }

    pub(super) fn first_chunk<const N: usize>(&self) -> Option<&'a [u8; N]> {
        self.0.first_chunk()
    }

    /// The next bytes, so many.
    pub(super) fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    /// Goes past so many bytes.
    pub(super) fn advance(&mut self, bytes: usize) -> Option<()> {
        self.0 = self.0.get(bytes..)?;
        Some(())
    }

    /// The fields of a structure one after the other; `visit` reads the value of each, by number and kind.
    pub(super) fn fields(&mut self, mut visit: impl FnMut(&mut Self, i16, u8) -> Option<()>) -> Option<()> {
        let mut number = 0_i16;
        loop {
            let byte = self.byte()?;
            let kind = byte & 0x0f;
            if kind == 0 {
                return Some(());
            }
            number = match byte >> 4 {
                0 => i16::try_from(self.signed()?).ok()?,
                step => number.checked_add(i16::from(step))?,
            };
            visit(self, number, kind)?;
        }
    }

    /// The number and the kind of the elements that follow.
    pub(super) fn list(&mut self) -> Option<(usize, u8)> {
        let byte = self.byte()?;
        let size = match byte >> 4 {
            15 => self.unsigned()?,
            short => u64::from(short),
        };
        let size = usize::try_from(size).ok()?;
        // No element is smaller than a byte.
        (size <= self.left()).then_some((size, byte & 0x0f))
    }

    pub(super) fn i32(&mut self) -> Option<i32> {
        i32::try_from(self.signed()?).ok()
    }

    /// Goes past a value.
    pub(super) fn skip(&mut self, kind: u8) -> Option<()> {
        self.skip_within(kind, DEPTH_MAX)
    }

    fn skip_within(&mut self, kind: u8, depth: u8) -> Option<()> {
        let below = depth.checked_sub(1)?;
        match kind {
            // The kind of a field is its value.
            TRUE | FALSE => Some(()),
            BYTE => self.advance(1),
            I16 | I32 | I64 => self.unsigned().map(drop),
            DOUBLE => self.advance(8),
            BINARY => {
                let bytes = self.unsigned()?;
                self.advance(usize::try_from(bytes).ok()?)
            }
            LIST | SET => {
                let (size, kind) = self.list()?;
                (0..size).try_for_each(|_| self.skip_element(kind, below))
            }
            MAP => {
                let size = self.unsigned()?;
                if size == 0 {
                    return Some(());
                }
                let kinds = self.byte()?;
                (0..size).try_for_each(|_| {
                    self.skip_element(kinds >> 4, below)?;
                    self.skip_element(kinds & 0x0f, below)
                })
            }
            STRUCT => self.fields(|cursor, _, kind| cursor.skip_within(kind, below)),
            UUID => self.advance(16),
            _ => None,
        }
    }

    /// Outside of fields a truth value is a byte.
    fn skip_element(&mut self, kind: u8, depth: u8) -> Option<()> {
        self.skip_within(if matches!(kind, TRUE | FALSE) { BYTE } else { kind }, depth)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(super) fn unsigned(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let value = self.unsigned()?;
        let half = i64::try_from(value >> 1).ok()?;
        Some(if value & 1 == 0 { half } else { -half - 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_passed_by_their_kinds() {
        // 1: i32 150; 3: "ab"; 4: true; 5: a list of two structures, the first with a double.
        let bytes = [
            0x15, 0xac, 0x02, 0x28, 0x02, b'a', b'b', 0x11, 0x19, 0x2c, 0x17, 0, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x00, 0x00,
            0xff,
        ];
        let mut cursor = Cursor::new(&bytes);
        let mut found = Vec::new();
        let read = cursor.fields(|cursor, number, kind| {
            found.push((number, kind));
            if number == 1 {
                assert_eq!(cursor.i32(), Some(150));
                return Some(());
            }
            cursor.skip(kind)
        });
        assert_eq!((read, cursor.left()), (Some(()), 1));
        assert_eq!(found, [(1, I32), (3, BINARY), (4, TRUE), (5, LIST)]);
    }

    #[test]
    fn claims_beyond_the_bytes_are_none() {
        let cases: [(u8, &[u8]); 7] = [
            (LIST, &[0xf1, 0xff, 0xff, 0xff, 0xff, 0x07]),
            (LIST, &[0xfc, 0x03, 0x00, 0x00]),
            (BINARY, &[0x05, b'a']),
            (MAP, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x11, 1]),
            (I64, &[0x80; 12]),
            (STRUCT, &[0x15]),
            // Lists in lists.
            (LIST, &[0x19; 80]),
        ];
        for (kind, bytes) in cases {
            assert_eq!(Cursor::new(bytes).skip(kind), None, "{kind} {bytes:?}");
        }
        assert_eq!(Cursor::new(&[0x31, 0, 1, 0]).skip(LIST), Some(()));
    }
}
