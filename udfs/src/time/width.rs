//! Widths of buckets, and the buckets of one width, one after the other.
//!
//! Owns: where a bucket begins and where the next does. Must never know: columns, rows.

use arrow::datatypes::{DataType, IntervalMonthDayNano};
use datafusion::common::ScalarValue;

use crate::Error;
use crate::error::timestamp_out_of_range;
use crate::pg::civil::Civil;
use crate::pg::interval::{self, MICROS_PER_DAY};
use crate::pg::zone::Zone;

/// The width of a bucket.
#[derive(Debug, Clone, Copy)]
pub(super) enum Width {
    Months(i64),
    Micros(i64),
}

impl Width {
    pub(super) fn of(span: IntervalMonthDayNano) -> Result<Self, Error> {
        let days = i64::from(span.days).checked_mul(MICROS_PER_DAY);
        let micros = days.and_then(|days| days.checked_add(span.nanoseconds / 1_000)).ok_or(Error::IntervalOverflow)?;
        match (span.months, micros) {
            (0, micros) if micros > 0 => Ok(Self::Micros(micros)),
            (months, 0) if months > 0 => Ok(Self::Months(i64::from(months))),
            (months, micros) if months != 0 && micros != 0 => {
                Err(Error::InvalidParameter("month intervals cannot have day or time component".to_owned()))
            }
            _ => Err(not_positive()),
        }
    }

    /// The start of the bucket of a moment, in microseconds.
    pub(super) fn start(self, at: i64, origin: Option<i64>) -> Result<i64, Error> {
        match self {
            Self::Micros(width) => {
                let origin = origin.unwrap_or(MONDAY).rem_euclid(width);
                let shifted = at.checked_sub(origin).ok_or_else(timestamp_out_of_range)?;
                shifted
                    .checked_sub(shifted.rem_euclid(width))
                    .and_then(|start| start.checked_add(origin))
                    .ok_or_else(timestamp_out_of_range)
            }
            Self::Months(width) => {
                let civil = Civil::from_micros(at);
                let origin = origin.map_or(Civil::midnight(2000, 1, 1), Civil::from_micros);
                let month = |civil: Civil| civil.year * 12 + civil.month - 1;
                let passed = month(civil) - month(origin);
                let mut start = month(origin) + passed - passed.rem_euclid(width);
                let of = |month: i64| {
                    let mut begin = origin.plus_months(month - (origin.year * 12 + origin.month - 1));
                    begin.micros = origin.micros;
                    begin.to_micros()
                };
                if of(start)? > at {
                    start -= width;
                }
                of(start)
            }
        }
    }

    /// The start of the bucket behind the one that begins at `start`. `None` if no time is so late.
    fn next(self, start: i64) -> Option<i64> {
        match self {
            Self::Micros(width) => start.checked_add(width),
            Self::Months(width) => Civil::from_micros(start).plus_months(width).to_micros().ok(),
        }
    }
}

/// What a width of zero or less is refused with.
pub fn not_positive() -> Error {
    Error::InvalidParameter("period must be greater than 0".to_owned())
}

/// Monday 2000-01-03 in microseconds since 1970.
pub(super) const MONDAY: i64 = 10_959 * MICROS_PER_DAY;

/// The start of the bucket of an integer.
pub(super) fn integer_start(width: i64, value: i64, offset: i64) -> Result<i64, Error> {
    if width <= 0 {
        return Err(not_positive());
    }
    let offset = offset.rem_euclid(width);
    let shifted = value.checked_sub(offset).ok_or_else(timestamp_out_of_range)?;
    let start = shifted.checked_sub(shifted.rem_euclid(width)).ok_or_else(timestamp_out_of_range)?;
    Ok(start + offset)
}

/// The buckets of one width that `time_bucket` knows, without an origin.
#[derive(Debug, Clone, Copy)]
pub enum Buckets {
    /// Of integers.
    Integers(i64),
    /// Of days since 1970.
    Days(BucketWidth),
    /// Of microseconds since 1970.
    Micros(BucketWidth),
    /// The same, by the clock of a time zone.
    Zoned(ZonedWidth),
}

/// The width of a bucket of time.
#[derive(Debug, Clone, Copy)]
pub struct BucketWidth(Width);

/// The width of a bucket of a clock.
#[derive(Debug, Clone, Copy)]
pub struct ZonedWidth {
    width: BucketWidth,
    zone: Zone,
}

impl Buckets {
    /// Those of a width as `time_bucket` takes it, over times of a type. `None` if there is no width, or none of them.
    pub fn new(width: &ScalarValue, times: &DataType) -> Result<Option<Self>, Error> {
        let of_time = match width {
            ScalarValue::Int64(Some(width)) if *width > 0 => {
                return Ok((*times == DataType::Int64).then_some(Self::Integers(*width)));
            }
            ScalarValue::Int64(Some(_)) => return Err(not_positive()),
            ScalarValue::IntervalMonthDayNano(Some(span)) => Width::of(*span)?,
            ScalarValue::Utf8(Some(text)) => Width::of(interval::parse(text, interval::Style::default())?)?,
            _ => return Ok(None),
        };
        Ok(match times {
            DataType::Date32 => Some(Self::Days(BucketWidth(of_time))),
            DataType::Timestamp(..) => Some(Self::Micros(BucketWidth(of_time))),
            _ => None,
        })
    }

    /// The same by the clock of a time zone, those of moments. An unknown zone is 22023.
    pub fn of_zone(self, name: &str) -> Result<Self, Error> {
        let zone = Zone::named(name)?;
        Ok(if let Self::Micros(width) = self { Self::Zoned(ZonedWidth { width, zone }) } else { self })
    }

    /// The start of the bucket of a time.
    pub fn start(&self, at: i64) -> Result<i64, Error> {
        match self {
            Self::Integers(width) => integer_start(*width, at, 0),
            Self::Days(width) => Ok(width.start_of_day(at)?.div_euclid(MICROS_PER_DAY)),
            Self::Micros(width) => width.0.start(at, None),
            Self::Zoned(ZonedWidth { width, zone }) => zone.to_instant(width.0.start(zone.to_local(at)?, None)?),
        }
    }

    /// The start of the bucket behind the one that begins at `start`. `None` if no time is so late.
    pub fn next(&self, start: i64) -> Option<i64> {
        match self {
            Self::Integers(width) => start.checked_add(*width),
            Self::Days(width) => {
                // Days of which none is in a bucket begin none.
                let day = start.checked_add(1)?.checked_mul(MICROS_PER_DAY)?;
                let next = width.0.next(width.start_of_day(start).ok()?)?;
                if next >= day {
                    return Some(next.div_euclid(MICROS_PER_DAY));
                }
                let begun = width.0.start(day, None).ok()?;
                let next = if begun < day { width.0.next(begun)? } else { begun };
                Some(next.div_euclid(MICROS_PER_DAY))
            }
            Self::Micros(width) => width.0.next(start),
            Self::Zoned(of) => of.next(start),
        }
    }

    /// How long any bucket is at most: in microseconds, or in integers.
    pub fn longest(&self) -> i64 {
        match self {
            Self::Integers(width) => *width,
            Self::Days(width) | Self::Micros(width) | Self::Zoned(ZonedWidth { width, .. }) => match width.0 {
                Width::Months(months) => months.saturating_mul(31 * MICROS_PER_DAY),
                Width::Micros(micros) => micros,
            },
        }
    }

    /// How many buckets begin from one time to another, about.
    pub fn count(&self, start: i64, finish: i64) -> u128 {
        let span = u128::try_from(i128::from(finish) - i128::from(start)).unwrap_or(0);
        let (span, width) = match self {
            Self::Integers(width) => (span, *width),
            Self::Days(width) => (span, (width.least() / MICROS_PER_DAY).max(1)),
            Self::Micros(width) | Self::Zoned(ZonedWidth { width, .. }) => (span, width.least()),
        };
        span.div_ceil(u128::try_from(width).unwrap_or(1).max(1))
    }
}

impl BucketWidth {
    fn start_of_day(self, day: i64) -> Result<i64, Error> {
        self.0.start(day.checked_mul(MICROS_PER_DAY).ok_or_else(timestamp_out_of_range)?, None)
    }

    /// The microseconds that every bucket has at least.
    fn least(self) -> i64 {
        match self.0 {
            Width::Months(months) => months.saturating_mul(28 * MICROS_PER_DAY),
            Width::Micros(micros) => micros,
        }
    }
}

impl ZonedWidth {
    /// A clock that is put forward skips what would begin in the gap, and shows another time where a bucket begins in it.
    fn next(self, start: i64) -> Option<i64> {
        let mut local = self.width.0.start(self.zone.to_local(start).ok()?, None).ok()?;
        loop {
            local = self.width.0.next(local)?;
            let next = self.zone.to_instant(local).ok()?;
            if next > start {
                return Some(next);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::civil::to_days;

    #[test]
    fn the_first_bucket_is_of_a_monday() {
        assert_eq!(MONDAY, to_days(2000, 1, 3) * MICROS_PER_DAY);
    }

    #[test]
    fn every_time_is_in_the_bucket_that_follows_the_one_before() {
        for (width, times) in [
            ("5 min", DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, None)),
            ("1 month", DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, None)),
            ("7 months", DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, None)),
            ("1 hour", DataType::Date32),
            ("36 hours", DataType::Date32),
            ("1 week", DataType::Date32),
            ("1 month", DataType::Date32),
        ] {
            let buckets = Buckets::new(&ScalarValue::Utf8(Some(width.into())), &times).unwrap().unwrap();
            let step = if times == DataType::Date32 { 1 } else { 60_000_000 };
            let first = buckets.start(-9 * step).unwrap();
            let mut seen = vec![first];
            for at in -9..40_000 {
                let start = buckets.start(at * step).unwrap();
                if seen.last() != Some(&start) {
                    seen.push(start);
                }
            }
            let mut stepped = vec![first];
            while let Some(last) = stepped.last().copied().filter(|last| last < seen.last().unwrap()) {
                stepped.push(buckets.next(last).unwrap());
            }
            assert_eq!(stepped, seen, "{width}");
            let span = buckets.count(first, *seen.last().unwrap());
            assert!(span + 1 >= u128::try_from(seen.len()).unwrap(), "{width}: {span}");
        }
    }

    #[test]
    fn buckets_of_a_clock_follow_each_other_when_it_is_changed() {
        // Berlin, and clocks that are changed at midnight, by half an hour, and never.
        for zone in ["Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu"] {
            for width in ["15 min", "1 hour", "7 hours", "1 day", "1 week", "1 month"] {
                let times = DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, Some("UTC".into()));
                let buckets = Buckets::new(&ScalarValue::Utf8(Some(width.into())), &times).unwrap().unwrap();
                let buckets = buckets.of_zone(zone).unwrap();
                let first = to_days(2017, 1, 1) * MICROS_PER_DAY;
                let seen: std::collections::BTreeSet<i64> =
                    (0..2 * 365 * 96).map(|step| buckets.start(first + step * 900_000_000).unwrap()).collect();
                let (mut at, last) = (*seen.first().unwrap(), *seen.last().unwrap());
                let mut stepped = std::collections::BTreeSet::from([at]);
                while at < last {
                    at = buckets.next(at).unwrap();
                    stepped.insert(at);
                }
                let unvisited: Vec<_> = seen.difference(&stepped).collect();
                assert!(unvisited.is_empty(), "{zone} {width}: {unvisited:?}");
                assert!(stepped.len() <= seen.len() + 2, "{zone} {width}: {} of {}", stepped.len(), seen.len());
            }
        }
    }
}
