//! When things happened in a year: on a regular grid with gaps, in order, and exactly as many as asked for.
//!
//! Owns: the choice of instants. Must never know: what happened.

use chrono::{NaiveDate, NaiveTime};

use super::random::Random;

/// Steps of a grid, from coarse to fine.
const STEPS_S: [u64; 10] = [3600, 1800, 900, 600, 300, 120, 60, 30, 10, 1];

/// One place on the grid: an instant and which of the `lanes` (stations, tills) it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) at_us: i64,
    pub(super) lane: u64,
}

/// Picks `wanted` slots of a year, each with the same chance (Knuth's algorithm S), on the coarsest grid that has enough.
pub(super) struct Instants {
    start_s: i64,
    step_s: u64,
    lanes: u64,
    next: u64,
    slots: u64,
    wanted: u64,
    random: Random,
}

impl Instants {
    pub(super) fn of_year(year: i32, lanes: u64, wanted: u64, seed: u64) -> Self {
        let start_s = start_of_year_s(year);
        let year_s = start_of_year_s(year + 1).abs_diff(start_s);
        let step_s = STEPS_S.into_iter().find(|step| lanes * (year_s / step) >= wanted).unwrap_or(1);
        // Beyond one a second, more lanes share the instant.
        let lanes = lanes.max(wanted.div_ceil(year_s / step_s));
        Self { start_s, step_s, lanes, next: 0, slots: lanes * (year_s / step_s), wanted, random: Random::new(seed) }
    }
}

impl Iterator for Instants {
    type Item = Slot;

    fn next(&mut self) -> Option<Slot> {
        while self.wanted > 0 {
            let slot = self.next;
            self.next += 1;
            if self.random.below(self.slots - slot) < self.wanted {
                self.wanted -= 1;
                let at_s = self.start_s + (slot / self.lanes * self.step_s) as i64;
                return Some(Slot { at_us: at_s * 1_000_000, lane: slot % self.lanes });
            }
        }
        None
    }
}

fn start_of_year_s(year: i32) -> i64 {
    NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default().and_time(NaiveTime::MIN).and_utc().timestamp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_gives_exactly_what_is_wanted_in_order() {
        for wanted in [0, 1, 999, 26_280, 26_281, 100_000] {
            let slots: Vec<_> = Instants::of_year(2023, 3, wanted, 1).collect();
            assert_eq!(slots.len() as u64, wanted);
            assert!(slots.is_sorted_by_key(|slot| (slot.at_us, slot.lane)));
            let (first, after) = (start_of_year_s(2023) * 1_000_000, start_of_year_s(2024) * 1_000_000);
            assert!(slots.iter().all(|slot| (first..after).contains(&slot.at_us) && slot.lane < 3));
        }
    }

    #[test]
    fn a_few_are_hourly_and_more_are_closer() {
        assert_eq!(Instants::of_year(2023, 3, 26_280, 1).step_s, 3600);
        assert_eq!(Instants::of_year(2023, 3, 26_281, 1).step_s, 1800);
        let crowded = Instants::of_year(2023, 1, 40_000_000, 1);
        assert_eq!((crowded.step_s, crowded.lanes), (1, 2));
    }
}
