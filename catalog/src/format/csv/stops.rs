//! Finds the bytes that end a field, sixty-four bytes at a time: fields are short, and a loop over the bytes of each would
//! guess its end wrongly each time.
//!
//! Pure. Must never know: what the bytes mean.

const BLOCK: usize = 64;

/// The bytes that end a field without quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stops([u8; 4]);

/// Where they are in the block of a text that was looked at last.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Found {
    /// One more than the number of the block; 0 is none.
    block: usize,
    mask: u64,
}

impl Stops {
    pub(super) fn new(stops: [u8; 4]) -> Self {
        Self(stops)
    }

    pub(super) fn has(&self, byte: u8) -> bool {
        self.0.contains(&byte)
    }

    /// The first of them from a place on. `found` belongs to this text.
    #[inline]
    pub(super) fn next(&self, text: &[u8], from: usize, found: &mut Found) -> Option<usize> {
        let mut block = from / BLOCK;
        if found.block != block + 1 {
            *found = self.look(text, block);
        }
        let mut mask = found.mask & (u64::MAX << (from % BLOCK));
        while mask == 0 {
            block += 1;
            if block * BLOCK >= text.len() {
                return None;
            }
            *found = self.look(text, block);
            mask = found.mask;
        }
        Some(block * BLOCK + mask.trailing_zeros() as usize)
    }

    /// All of them from a place on.
    pub(super) fn walk<'a>(&self, text: &'a [u8], from: usize) -> Walk<'a> {
        let block = from / BLOCK;
        let mask = self.look(text, block).mask & (u64::MAX << (from % BLOCK));
        Walk { stops: *self, text, block, mask }
    }

    // Out of the way of the fields that end in the same block.
    #[inline(never)]
    fn look(&self, text: &[u8], block: usize) -> Found {
        let rest = text.get(block * BLOCK..).unwrap_or_default();
        let mask = match rest.first_chunk::<BLOCK>() {
            Some(bytes) => self.mask(bytes),
            None => {
                let mut last = [0; BLOCK];
                last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
                self.mask(&last) & !(u64::MAX << rest.len())
            }
        };
        Found { block: block + 1, mask }
    }

    /// A bit for each byte. Without a branch, so that the compiler takes many bytes at once.
    fn mask(&self, bytes: &[u8; BLOCK]) -> u64 {
        let [a, b, c, d] = self.0;
        let mut is_stop = [0_u8; BLOCK];
        for (is_stop, byte) in is_stop.iter_mut().zip(bytes) {
            *is_stop = u8::from(*byte == a) | u8::from(*byte == b) | u8::from(*byte == c) | u8::from(*byte == d);
        }
        let (eights, _) = is_stop.as_chunks::<8>();
        // The product moves the lowest bit of each byte into the highest byte, in their order.
        let bits = |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        eights.iter().enumerate().fold(0, |mask, (place, eight)| mask | bits(eight) << (place * 8))
    }
}

/// Goes from stop to stop.
pub(super) struct Walk<'a> {
    stops: Stops,
    text: &'a [u8],
    block: usize,
    /// The stops of the block that are still to come.
    mask: u64,
}

impl Walk<'_> {
    #[inline]
    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        self.text.get(at).copied()
    }
}

impl Iterator for Walk<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.mask == 0 {
            if (self.block + 1) * BLOCK >= self.text.len() {
                return None;
            }
            self.block += 1;
            self.mask = self.stops.look(self.text, self.block).mask;
        }
        let place = self.mask.trailing_zeros() as usize;
        self.mask &= self.mask - 1;
        Some(self.block * BLOCK + place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stop_is_found_from_every_place() {
        let text: Vec<u8> = (0..300_usize).map(|at| b"ab,c\nd\0;"[(at * at + at / 7) % 8]).collect();
        let stops = Stops::new([b',', b'\n', b'\r', b'\r']);
        for end in (0..text.len()).step_by(13) {
            let (text, mut found) = (&text[..end], Found::default());
            for from in (0..end).chain((0..end).rev()) {
                let expected = text[from..].iter().position(|byte| stops.has(*byte)).map(|at| from + at);
                assert_eq!(stops.next(text, from, &mut found), expected, "{from} of {end}");
            }
            assert_eq!(stops.next(text, end, &mut found), None);
            for from in 0..=end {
                let expected = (from..end).filter(|at| stops.has(text[*at]));
                assert!(stops.walk(text, from).eq(expected), "{from} of {end}");
            }
        }
    }
}
