//! What a session's time zone adds to an instant, fast enough to be asked for every value.
//!
//! Owns: the cache of a zone's transitions. chrono-tz searches its whole table at every question; here an instant falls
//! into a slot of 48 days, which is searched for transitions once, in steps smaller than any two transitions are apart.

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Datelike, LocalResult, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;

use super::calendar::{civil, days_from_civil};

const DAY_SECONDS: i64 = 86_400;
const SLOT_BITS: u32 = 22;
/// 1900-01-01; earlier instants are looked up one by one.
const FIRST_SLOT: i64 = -2_208_988_800 >> SLOT_BITS;
const SLOTS: i64 = (RULES_END >> SLOT_BITS) - FIRST_SLOT;
/// 2100-01-01. The table of chrono-tz ends there, the rules in force then do not.
const RULES_END: i64 = 4_102_444_800;
/// No zone ever changed twice within half a day.
const PROBE_SECONDS: i64 = DAY_SECONDS / 2;

/// The zone of a session.
pub(super) struct Zone {
    tz: Tz,
    is_utc: bool,
    slots: Box<[OnceLock<Slot>]>,
}

/// The offsets before and after the one transition in a slot.
#[derive(Debug, Clone, Copy)]
struct Slot {
    before: i32,
    after: i32,
    change: i64,
    /// Two transitions in one slot (Ramadan) are left to the slow look-up.
    is_irregular: bool,
}

/// Asks a zone for the offsets of a column, whose neighbours mostly share their slot.
pub(super) struct Offsets {
    zone: Arc<Zone>,
    current: i64,
    slot: Slot,
}

impl Zone {
    pub(super) fn new(tz: Tz) -> Self {
        let is_utc = matches!(tz, Tz::UTC | Tz::Etc__UTC | Tz::UCT | Tz::Etc__UCT | Tz::Zulu | Tz::Universal);
        let slots = if is_utc { 0 } else { SLOTS };
        Self { tz, is_utc, slots: (0..slots).map(|_| OnceLock::new()).collect() }
    }

    pub(super) fn is_utc(&self) -> bool {
        self.is_utc
    }

    fn offset(&self, seconds: i64) -> i32 {
        offset(self.tz, seconds)
    }

    /// The abbreviation in force, such as `CET`.
    pub(super) fn abbreviation(&self, seconds: i64) -> String {
        naive(within_rules(seconds)).map(|at| self.tz.offset_from_utc_datetime(&at).to_string()).unwrap_or_default()
    }

    fn slot(&self, index: i64) -> Slot {
        let known = usize::try_from(index - FIRST_SLOT).ok().and_then(|at| self.slots.get(at));
        match known {
            Some(slot) => *slot.get_or_init(|| self.search(index << SLOT_BITS)),
            None => Slot { before: 0, after: 0, change: 0, is_irregular: true },
        }
    }

    fn search(&self, start: i64) -> Slot {
        let end = start + (1 << SLOT_BITS) - 1;
        let before = self.offset(start);
        let mut slot = Slot { before, after: before, change: i64::MAX, is_irregular: false };
        let mut low = start;
        while low < end {
            let high = (low + PROBE_SECONDS).min(end);
            let offset = self.offset(high);
            if offset != slot.after {
                slot.is_irregular |= slot.change != i64::MAX;
                slot.change = self.bisect(low, high, offset);
                slot.after = offset;
            }
            low = high;
        }
        slot
    }

    /// The first second in `(low, high]` that has the offset of `high`.
    fn bisect(&self, mut low: i64, mut high: i64, offset: i32) -> i64 {
        while low + 1 < high {
            let middle = low + (high - low) / 2;
            if self.offset(middle) == offset {
                high = middle;
            } else {
                low = middle;
            }
        }
        high
    }
}

impl Offsets {
    pub(super) fn new(zone: &Arc<Zone>) -> Self {
        let slot = Slot { before: 0, after: 0, change: 0, is_irregular: true };
        Self { zone: Arc::clone(zone), current: i64::MIN, slot }
    }

    /// Seconds to add to an instant to get local time.
    #[inline]
    pub(super) fn at(&mut self, seconds: i64) -> i32 {
        let index = seconds >> SLOT_BITS;
        if index != self.current {
            self.slot = self.zone.slot(index);
            self.current = index;
        }
        match self.slot {
            Slot { is_irregular: true, .. } => self.zone.offset(seconds),
            Slot { change, before, .. } if seconds < change => before,
            Slot { after, .. } => after,
        }
    }

    pub(super) fn zone(&self) -> &Zone {
        &self.zone
    }
}

/// Seconds to add to an instant to get local time.
pub(crate) fn offset(tz: Tz, seconds: i64) -> i32 {
    match naive(within_rules(seconds)) {
        Some(at) => tz.offset_from_utc_datetime(&at).fix().local_minus_utc(),
        None => 0,
    }
}

/// Seconds to subtract from a local time: in a gap what held before it, in an overlap what holds after it, as
/// PostgreSQL's `DetermineTimeZoneOffset` has it.
pub(crate) fn offset_of_local(tz: Tz, local_seconds: i64) -> i32 {
    let local_seconds = within_rules(local_seconds);
    let Some(at) = naive(local_seconds) else { return 0 };
    match tz.offset_from_local_datetime(&at) {
        LocalResult::Single(offset) => offset.fix().local_minus_utc(),
        LocalResult::Ambiguous(one, two) => one.fix().local_minus_utc().min(two.fix().local_minus_utc()),
        LocalResult::None => offset(tz, local_seconds - DAY_SECONDS),
    }
}

/// An instant whose calendar year looks like the given one's, and lies where the table has the last rules.
fn within_rules(seconds: i64) -> i64 {
    if seconds < RULES_END {
        return seconds;
    }
    let (days, second) = (seconds.div_euclid(DAY_SECONDS), seconds.rem_euclid(DAY_SECONDS));
    let date = civil(days);
    let first = days_from_civil(date.year, 1, 1);
    let looks_like = |year: i32| (days_from_civil(year, 1, 1) - first) % 7 == 0 && leap(year) == leap(date.year);
    let year = (2_068..2_096).find(|year| looks_like(*year)).unwrap_or(2_068);
    (days_from_civil(year, 1, 1) + days - first) * DAY_SECONDS + second
}

fn leap(year: i32) -> bool {
    days_from_civil(year, 3, 1) - days_from_civil(year, 2, 1) == 29
}

/// chrono's time, as early as its tables go.
fn naive(seconds: i64) -> Option<NaiveDateTime> {
    let time = DateTime::from_timestamp(seconds, 0).map(|at| at.naive_utc());
    // Before chrono's first year every zone still keeps its first offset.
    time.filter(|time| time.year() > -100_000 && time.checked_sub_signed(TimeDelta::days(1)).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_agree_with_the_slow_look_up() {
        for tz in
            [Tz::Europe__Paris, Tz::America__New_York, Tz::Africa__Casablanca, Tz::Asia__Kathmandu, Tz::Pacific__Apia]
        {
            let zone = Arc::new(Zone::new(tz));
            let mut offsets = Offsets::new(&zone);
            for seconds in (-3_000_000_000..5_000_000_000_i64).step_by(100_003) {
                assert_eq!(offsets.at(seconds), zone.offset(seconds), "{tz} {seconds}");
            }
        }
    }

    #[test]
    fn transitions_are_exact_to_the_second() {
        let mut offsets = Offsets::new(&Arc::new(Zone::new(Tz::Europe__Paris)));
        let spring = 1_774_746_000;
        assert_eq!((offsets.at(spring - 1), offsets.at(spring)), (3_600, 7_200));
    }

    #[test]
    fn summer_time_goes_on_after_the_table_ends() {
        let zone = Zone::new(Tz::Europe__Paris);
        let july_2150 = days_from_civil(2_150, 7, 1) * DAY_SECONDS;
        assert_eq!(zone.offset(july_2150), 7_200);
        assert_eq!(zone.offset(july_2150 + 180 * DAY_SECONDS), 3_600);
    }
}
