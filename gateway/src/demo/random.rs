//! Numbers that look random and are the same on every machine and in every year.
//!
//! Owns: the generator and the shapes drawn from it. Uses only arithmetic that IEEE 754 fixes to the last bit: no
//! `sin`, no `ln`, whose results differ between C libraries. Must never know: the clock or the system's entropy.

/// SplitMix64: one word of state, every seed good. <https://prng.di.unimi.it/splitmix64.c>
pub(super) struct Random {
    state: u64,
}

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    pub(super) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A whole number below `bound`; 0 when `bound` is 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// A number from 0 to below 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number from -1 to 1, near 0 more often: the mean of three draws.
    pub(super) fn around_zero(&mut self) -> f64 {
        (self.unit() + self.unit() + self.unit()) / 1.5 - 1.0
    }

    /// True once in `one_in` draws.
    pub(super) fn once_in(&mut self, one_in: u64) -> bool {
        self.below(one_in) == 0
    }

    /// One of `choices`; the type's default when there is none.
    pub(super) fn pick<T: Copy + Default>(&mut self, choices: &[T]) -> T {
        choices.get(self.below(choices.len() as u64) as usize).copied().unwrap_or_default()
    }
}

/// Ranks of which the k-th is drawn with a weight of 1/k, as customers and products are.
pub(super) struct Zipf {
    cumulative: Vec<f64>,
}

impl Zipf {
    pub(super) fn new(ranks: u32) -> Self {
        let mut sum = 0.0;
        let cumulative = (1..=ranks)
            .map(|rank| {
                sum += 1.0 / f64::from(rank);
                sum
            })
            .collect();
        Self { cumulative }
    }

    /// A rank from 0.
    pub(super) fn draw(&self, random: &mut Random) -> u64 {
        let total = self.cumulative.last().copied().unwrap_or_default();
        let at = random.unit() * total;
        self.cumulative.partition_point(|sum| *sum <= at) as u64
    }
}

/// A wave of period 1 and height 1 that starts at 0 and rises: two parabolas in place of a sine.
pub(super) fn wave(phase: f64) -> f64 {
    let phase = phase - phase.floor();
    if phase < 0.5 { 16.0 * phase * (0.5 - phase) } else { -16.0 * (phase - 0.5) * (1.0 - phase) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_splitmix64() {
        let mut random = Random::new(1234567);
        assert_eq!(random.next(), 6457827717110365317);
        assert_eq!(random.next(), 3203168211198807973);
    }

    #[test]
    fn draws_stay_in_their_ranges() {
        let mut random = Random::new(7);
        let zipf = Zipf::new(10);
        for _ in 0..10_000 {
            assert!(random.below(3) < 3);
            assert!((0.0..1.0).contains(&random.unit()));
            assert!((-1.0..=1.0).contains(&random.around_zero()));
            assert!(zipf.draw(&mut random) < 10);
        }
        assert_eq!(random.below(0), 0);
        assert_eq!(random.pick::<&str>(&[]), "");
    }

    #[test]
    fn low_ranks_are_drawn_more_often() {
        let mut random = Random::new(7);
        let zipf = Zipf::new(100);
        let mut counts = [0; 100];
        for _ in 0..10_000 {
            counts[zipf.draw(&mut random) as usize] += 1;
        }
        assert!(counts[0] > counts[1] && counts[1] > counts[9] && counts[9] > counts[99]);
    }

    #[test]
    fn the_wave_has_its_peaks_where_a_sine_has_them() {
        for (phase, height) in [(0.0, 0.0), (0.25, 1.0), (0.5, 0.0), (0.75, -1.0), (1.25, 1.0), (-0.25, -1.0)] {
            assert_eq!(wave(phase), height, "at {phase}");
        }
    }
}
