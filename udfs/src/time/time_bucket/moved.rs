//! Buckets of the clock of a zone, and buckets that an offset moves.
//!
//! Owns: what is moved there and back, as TimescaleDB does: a moment becomes the wall clock of the zone, the offset is
//! taken away, and both are undone with the start of the bucket. Must never know: where a bucket begins.

use arrow::array::ArrayRef;
use arrow::datatypes::{Date32Type, IntervalMonthDayNano};
use datafusion::common::Result;

use super::Widths;
use crate::Error;
use crate::error::timestamp_out_of_range;
use crate::function::{Args, some};
use crate::pg::generate_series::later;
use crate::pg::interval::MICROS_PER_DAY;
use crate::pg::zone::Zone;

/// `(width, ts timestamptz, timezone text [, origin timestamptz [, offset interval]])`. An origin and an offset may be NULL.
pub(super) fn in_zone(args: &Args<'_>) -> Result<ArrayRef> {
    starts_in_zone(args, true)
}

/// The same, whose further arguments may mean something else.
pub(in super::super) fn starts_in_zone(args: &Args<'_>, has_origin: bool) -> Result<ArrayRef> {
    let (widths, moments, names) = (Widths::read(args)?, args.timestamp(1)?, args.text(2)?);
    let origins = if has_origin && args.len() > 3 { Some(args.timestamp(3)?) } else { None };
    let offsets = if has_origin && args.len() > 4 { Some(args.interval(4)?) } else { None };
    let (mut last, mut last_zone) = (None, None);
    args.build_timestamp(|row| {
        let (width, at) = (some!(widths.get(row, &mut last)?), some!(moments.get(row)));
        let zone = Zone::named_again(some!(names.get(row)), &mut last_zone)?;
        let origin = origins.as_ref().and_then(|origins| origins.get(row));
        let origin = origin.map(|origin| zone.to_local(origin)).transpose()?;
        let offset = offsets.as_ref().and_then(|offsets| offsets.get(row));
        let start = moved(zone.to_local(at)?, offset, None, |at| width.start(at, origin))?;
        Ok(Some(zone.to_instant(start)?))
    })
}

/// `(width, ts timestamp, offset interval)`
pub(super) fn by_offset(args: &Args<'_>) -> Result<ArrayRef> {
    starts(args, None)
}

/// The same of a timestamptz: the days and months of the offset are those of the session's zone.
pub(super) fn by_offset_of_session(args: &Args<'_>) -> Result<ArrayRef> {
    starts(args, Some(Zone::of_session(args.zone)?))
}

fn starts(args: &Args<'_>, zone: Option<Zone>) -> Result<ArrayRef> {
    let (widths, moments, offsets) = (Widths::read(args)?, args.timestamp(1)?, args.interval(2)?);
    let mut last = None;
    args.build_timestamp(|row| {
        let (width, at) = (some!(widths.get(row, &mut last)?), some!(moments.get(row)));
        let offset = some!(offsets.get(row));
        Ok(Some(moved(at, Some(offset), zone, |at| width.start(at, None))?))
    })
}

/// `(width, ts date, offset interval)`
pub(super) fn dates_by_offset(args: &Args<'_>) -> Result<ArrayRef> {
    let (widths, dates, offsets) = (Widths::read(args)?, args.date(1)?, args.interval(2)?);
    let mut last = None;
    args.build::<Date32Type>(|row| {
        let (width, day) = (some!(widths.get(row, &mut last)?), some!(dates.get(row)));
        let offset = some!(offsets.get(row));
        let at = i64::from(day).checked_mul(MICROS_PER_DAY).ok_or_else(timestamp_out_of_range)?;
        let start = moved(at, Some(offset), None, |at| width.start(at, None))?.div_euclid(MICROS_PER_DAY);
        Ok(Some(i32::try_from(start).map_err(|_| timestamp_out_of_range())?))
    })
}

/// `start` of a moment without the offset, with the offset again.
fn moved(
    at: i64,
    offset: Option<IntervalMonthDayNano>,
    zone: Option<Zone>,
    start: impl Fn(i64) -> Result<i64, Error>,
) -> Result<i64, Error> {
    let Some(offset) = offset else { return start(at) };
    later(start(later(at, negative(offset)?, zone)?)?, offset, zone)
}

fn negative(span: IntervalMonthDayNano) -> Result<IntervalMonthDayNano, Error> {
    match (span.months.checked_neg(), span.days.checked_neg(), span.nanoseconds.checked_neg()) {
        (Some(months), Some(days), Some(nanoseconds)) => Ok(IntervalMonthDayNano { months, days, nanoseconds }),
        _ => Err(Error::IntervalOverflow),
    }
}
