//! The bytes that messages are written into: a growing buffer whose tail is ready to be overwritten.
//!
//! Owns: room and position. A value is built on the stack and copied as a whole array, so that the copy has a constant
//! size and the buffer is checked once a value.

use bytes::BytesMut;

/// How much room is made ready at a time.
const STEP_BYTES: usize = 16 * 1024;

/// Appends to a `BytesMut`; what lies behind `at` is room.
pub(super) struct Writer<'a> {
    out: &'a mut BytesMut,
    at: usize,
}

impl<'a> Writer<'a> {
    /// Appends to `out`, expecting about `bytes`.
    pub(super) fn new(out: &'a mut BytesMut, bytes: usize) -> Self {
        let at = out.len();
        out.resize(at + bytes.clamp(256, 4 * STEP_BYTES), 0);
        Self { out, at }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Forgets everything from `at` on.
    pub(super) fn rewind(&mut self, at: usize) {
        self.at = at;
    }

    /// Cuts the room off; only what was written stays.
    pub(super) fn finish(self) {
        self.out.truncate(self.at);
    }

    /// What was written from `start` on.
    pub(super) fn since(&self, start: usize) -> &[u8] {
        self.out.get(start..self.at).unwrap_or_default()
    }

    /// Appends the first `used` bytes of an array.
    #[inline]
    pub(super) fn put<const N: usize>(&mut self, bytes: &[u8; N], used: usize) {
        self.room(N);
        if let Some(room) = self.out.get_mut(self.at..).and_then(|room| room.first_chunk_mut::<N>()) {
            *room = *bytes;
        }
        self.at += used.min(N);
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self, bytes: &[u8; N]) {
        self.put(bytes, N);
    }

    #[inline]
    pub(super) fn byte(&mut self, byte: u8) {
        self.put(&[byte], 1);
    }

    #[inline]
    pub(super) fn slice(&mut self, bytes: &[u8]) {
        self.room(bytes.len());
        if let Some(room) = self.out.get_mut(self.at..self.at + bytes.len()) {
            room.copy_from_slice(bytes);
        }
        self.at += bytes.len();
    }

    /// Leaves four bytes for a length.
    #[inline]
    pub(super) fn begin(&mut self) -> usize {
        self.room(4);
        self.at += 4;
        self.at - 4
    }

    /// Writes a length at `begin`, counted from `from`. What does not fit 31 bits is refused at the end of the row.
    #[inline]
    pub(super) fn end(&mut self, begin: usize, from: usize) {
        let length = i32::try_from(self.at - from).unwrap_or(i32::MAX).to_be_bytes();
        if let Some(place) = self.out.get_mut(begin..).and_then(|place| place.first_chunk_mut::<4>()) {
            *place = length;
        }
    }

    #[inline]
    fn room(&mut self, bytes: usize) {
        if self.out.len() - self.at < bytes {
            self.grow(bytes);
        }
    }

    #[cold]
    fn grow(&mut self, bytes: usize) {
        let step = self.at.clamp(STEP_BYTES, 64 * STEP_BYTES);
        self.out.resize(self.at + bytes + step, 0);
    }
}
