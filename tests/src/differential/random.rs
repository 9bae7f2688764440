//! Random numbers that a seed repeats.
//!
//! Owns: the generator (SplitMix64) and the choices that every generator of values makes.

/// A stream of random numbers.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below the bound.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.bits() % u64::try_from(bound).unwrap()).unwrap()
    }

    /// A number between two, both included.
    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        let span = u64::try_from(most.wrapping_sub(least)).map_or(u64::MAX, |span| span.saturating_add(1));
        least.wrapping_add((self.bits() % span).cast_signed())
    }

    /// True once in `of` times.
    pub fn one_in(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }

    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// Digits, as many as asked for.
    pub fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b'0' + u8::try_from(self.below(10)).unwrap())).collect()
    }

    /// A text of characters of the alphabet.
    pub fn word(&mut self, alphabet: &str, most: usize) -> String {
        let alphabet: Vec<char> = alphabet.chars().collect();
        (0..self.below(most + 1)).map(|_| self.pick(&alphabet)).collect()
    }

    /// The text as it is, or in other letters.
    pub fn cased(&mut self, text: &str) -> String {
        match self.below(6) {
            0 => text.to_uppercase(),
            1 => text.to_lowercase(),
            2 => text.chars().map(|c| if self.one_in(2) { c.to_ascii_uppercase() } else { c }).collect(),
            _ => text.to_owned(),
        }
    }

    /// Mostly the text as it is; sometimes with blanks around it, seldom with a character too many or too few.
    pub fn disturbed(&mut self, text: String) -> String {
        match self.below(40) {
            0 => format!(" {text}"),
            1 => format!("{text} "),
            2 => format!("\t{text}\n"),
            3 | 4 => self.mutated(&text),
            _ => text,
        }
    }

    fn mutated(&mut self, text: &str) -> String {
        let mut chars: Vec<char> = text.chars().collect();
        // PostgreSQL 16 reads `_` and `0x` in numbers, 15 does not.
        let strange = ['~', ' ', '-', '+', '.', ',', ':', '/', '0', '9', 'e', '\\', '"', '{', '}', 'é', '\u{a0}', '\''];
        let at = self.below(chars.len() + 1);
        match self.below(4) {
            0 if at < chars.len() => drop(chars.remove(at)),
            1 if at < chars.len() => chars[at] = self.pick(&strange),
            2 if at < chars.len() => chars.insert(at, chars[at]),
            _ => chars.insert(at, self.pick(&strange)),
        }
        chars.into_iter().collect()
    }
}
