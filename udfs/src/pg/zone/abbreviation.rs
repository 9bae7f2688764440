//! `EST`, `MSK`: PostgreSQL's default set of abbreviations.
//!
//! Owns: which offset an abbreviation means, which for some depends on when. Must never know: the names of zones.
//! <https://www.postgresql.org/docs/16/datetime-config-files.html>

use std::str::FromStr;
use std::sync::{LazyLock, OnceLock};

use chrono::{Offset, TimeZone};
use chrono_tz::{OffsetComponents, OffsetName, Tz};

use super::{Zone, naive};
use crate::Error;
use crate::pg::civil;
use crate::pg::interval::{MICROS_PER_DAY, MICROS_PER_SECOND};

/// What an abbreviation means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Abbreviation {
    /// Seconds east of Greenwich.
    Fixed {
        east: i32,
        is_summer: bool,
    },
    Dynamic(Dynamic),
}

/// An abbreviation that names a zone: its offset is the one that the zone had under it last, or else the zone's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dynamic(&'static Entry);

#[derive(Debug, PartialEq, Eq)]
struct Entry {
    name: &'static str,
    meaning: Meaning,
    /// When the zone uses the abbreviation, in order: found when they are first asked for.
    uses: OnceLock<Vec<Use>>,
}

#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    Fixed { east: i32, is_summer: bool },
    Zone(Tz),
}

/// From this instant on the zone uses the abbreviation for an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Use {
    from: i64,
    east: i32,
}

/// The set `Default` of PostgreSQL 16, ordered by name.
static TABLE: LazyLock<Vec<Entry>> =
    LazyLock::new(|| include_str!("abbreviations.tsv").lines().filter_map(entry).collect());

fn entry(line: &'static str) -> Option<Entry> {
    let mut parts = line.split('\t');
    let (name, meaning, summer) = (parts.next()?, parts.next()?, parts.next()?);
    let meaning = match meaning.parse() {
        Ok(east) => Meaning::Fixed { east, is_summer: summer == "D" },
        Err(_) => Meaning::Zone(Tz::from_str(meaning).ok()?),
    };
    Some(Entry { name, meaning, uses: OnceLock::new() })
}

/// The meaning of an abbreviation in letters of either case.
pub(crate) fn abbreviation(name: &str) -> Option<Abbreviation> {
    let upper = || name.bytes().map(|byte| byte.to_ascii_uppercase());
    let at = TABLE.binary_search_by(|entry| entry.name.bytes().cmp(upper())).ok()?;
    let entry = TABLE.get(at)?;
    Some(match entry.meaning {
        Meaning::Fixed { east, is_summer } => Abbreviation::Fixed { east, is_summer },
        Meaning::Zone(_) => Abbreviation::Dynamic(Dynamic(entry)),
    })
}

/// Every abbreviation in its order, with its seconds east of Greenwich at an instant and whether those are of summer.
pub fn abbreviations(micros: i64) -> impl Iterator<Item = (&'static str, i32, bool)> {
    TABLE.iter().filter_map(move |entry| match entry.meaning {
        Meaning::Fixed { east, is_summer } => Some((entry.name, east, is_summer)),
        Meaning::Zone(zone) => {
            let east = Dynamic(entry).offset_at(micros).ok()?;
            let offset = zone.offset_from_utc_datetime(&naive(micros).ok()?);
            let is_summer = offset.fix().local_minus_utc() == east && !offset.dst_offset().is_zero();
            Some((entry.name, east, is_summer))
        }
    })
}

impl Dynamic {
    fn zone(self) -> Zone {
        match self.0.meaning {
            Meaning::Zone(zone) => Zone::Named(zone),
            Meaning::Fixed { east, .. } => Zone::Fixed(east),
        }
    }

    /// Seconds east of Greenwich at an instant.
    pub(super) fn offset_at(self, micros: i64) -> Result<i32, Error> {
        self.used(micros).map_or_else(|| self.zone().offset_at(micros), Ok)
    }

    /// Seconds east of Greenwich of a wall clock, which is placed by the zone itself to see what was used then.
    pub fn offset_of_local(self, local: i64) -> Result<i32, Error> {
        let instant = self.zone().to_instant(local)?;
        let own = i32::try_from((local - instant) / MICROS_PER_SECOND).unwrap_or_default();
        Ok(self.used(instant).unwrap_or(own))
    }

    /// `pg_interpret_timezone_abbrev`: the last meaning until an instant, or the first one after it.
    fn used(self, micros: i64) -> Option<i32> {
        let uses = self.0.uses.get_or_init(|| uses(self.0));
        let until = uses.partition_point(|used| used.from <= micros);
        uses.get(until.saturating_sub(1)).map(|used| used.east)
    }
}

/// Every change of the zone's clock to the abbreviation. Clocks change less often than once in a week.
fn uses(entry: &Entry) -> Vec<Use> {
    let Meaning::Zone(zone) = entry.meaning else { return Vec::new() };
    let look = |second: i64| {
        let offset = zone.offset_from_utc_datetime(&naive(second * MICROS_PER_SECOND).ok()?);
        Some((offset.fix().local_minus_utc(), offset.abbreviation() == Some(entry.name)))
    };
    let week = 7 * MICROS_PER_DAY / MICROS_PER_SECOND;
    let second = |year: i64| civil::to_days(year, 1, 1) * (MICROS_PER_DAY / MICROS_PER_SECOND);
    let (mut at, end) = (second(1_850), second(2_038));
    let mut uses = Vec::new();
    while at < end {
        let before = look(at);
        let (mut low, mut high) = (at, at + week);
        at = high;
        let after = look(high);
        if before == after {
            continue;
        }
        while high - low > 1 {
            let middle = low.midpoint(high);
            if look(middle) == before { low = middle } else { high = middle }
        }
        if let Some((east, true)) = after {
            uses.push(Use { from: high * MICROS_PER_SECOND, east });
        }
    }
    uses
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn the_set_is_whole_and_in_order() {
        assert_eq!(TABLE.len(), include_str!("abbreviations.tsv").lines().count());
        assert!(TABLE.is_sorted_by(|one, other| one.name < other.name));
        for (name, east, is_summer) in [("ut", 0, false), ("Edt", -14_400, true), ("ACWST", 31_500, false)] {
            assert_eq!(abbreviation(name), Some(Abbreviation::Fixed { east, is_summer }), "{name}");
        }
        assert_eq!(abbreviation("nowhere"), None);
    }

    #[test]
    fn a_zone_s_abbreviation_means_what_it_meant_then() {
        let Some(Abbreviation::Dynamic(moscow)) = abbreviation("msk") else { panic!("a zone's") };
        for (local, hours) in [
            ("1900-01-01T10:00:00", 3),
            ("1991-05-01T10:00:00", 3),
            ("2010-07-01T10:00:00", 3),
            ("2011-03-27T02:30:00", 4),
            ("2013-09-25T19:41:00", 4),
            ("2014-10-26T01:30:00", 3),
            ("2030-05-01T10:00:00", 3),
        ] {
            let micros = DateTime::parse_from_rfc3339(&format!("{local}Z")).unwrap().timestamp_micros();
            assert_eq!(moscow.offset_of_local(micros), Ok(hours * 3_600), "{local}");
        }
        // The zone has offsets for names now; its clock of 1948 was three hours ahead.
        let Some(Abbreviation::Dynamic(tbilisi)) = abbreviation("get") else { panic!("a zone's") };
        let micros = DateTime::parse_from_rfc3339("1948-05-08T00:24:23Z").unwrap().timestamp_micros();
        assert_eq!(tbilisi.offset_of_local(micros), Ok(3 * 3_600));
    }
}
