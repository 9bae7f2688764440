//! Dates, times and timestamps of text parameters.
//!
//! Owns: the place of a wall clock in the session. How texts read is `udfs::pg::moment`'s.

use udfs::pg::moment::{self, Clock, Day, Offset, SECOND_MICROS};

use super::fit;
use super::value::When;
use crate::error::Result;
use crate::pg::encode;
use crate::session::vars::Display;

/// The day that a text names, counted from 1970-01-01.
pub(super) fn date(text: &str, display: &Display) -> Result<When> {
    Ok(match moment::date(text, display.date_style.order(), display.time_zone)? {
        Day::Early => When::Early,
        Day::Late => When::Late,
        Day::At(day) => When::At(day),
    })
}

/// The microseconds since midnight that a text names.
pub(super) fn time(text: &str, display: &Display) -> Result<i64> {
    Ok(moment::time(text, display.date_style.order(), display.time_zone)?)
}

/// The text of a time with its offset, as `timetz` is held.
pub(super) fn time_with_zone(text: &str, display: &Display) -> Result<String> {
    let (micros, east) = moment::time_with_zone(text, display.date_style.order(), display.time_zone)?;
    Ok(udfs::pg::timetz::shown(micros, east))
}

/// The instant that a text names: of UTC if `zoned`, where a text without an offset means the session's wall clock; else
/// of the wall clock, where an offset is dropped.
pub(super) fn timestamp(text: &str, zoned: bool, display: &Display) -> Result<When> {
    let (micros, offset) = match moment::timestamp(text, zoned, display.date_style.order(), display.time_zone)? {
        Clock::Early => return Ok(When::Early),
        Clock::Late => return Ok(When::Late),
        Clock::At { micros, offset } => (micros, offset),
    };
    let seconds = micros.div_euclid(SECOND_MICROS);
    let offset = match (zoned, offset) {
        (false, _) => 0,
        (true, Some(Offset::Fixed(seconds))) => seconds,
        (true, Some(Offset::Named(tz))) => encode::offset_of_local(tz, seconds),
        (true, Some(Offset::Posix(zone))) => zone.offset_of_local(micros),
        (true, Some(Offset::Abbreviated(zone))) => zone.offset_of_local(micros)?,
        (true, None) => encode::offset_of_local(display.time_zone, seconds),
    };
    let instant = fit::micros_in_range(micros.checked_sub(i64::from(offset) * SECOND_MICROS));
    Ok(When::At(instant.map_err(|_| moment::timestamp_out_of_range(text))?))
}
