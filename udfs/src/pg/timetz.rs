//! `lakegate_timetz(timestamptz | time | text)` - the cast to `time with time zone`, which Arrow does not have.
//!
//! Its value is PostgreSQL's text of it. A timestamptz gives the session's wall clock and offset then, a time takes the
//! session's offset of now, a text its own offset if it has one. NULL gives NULL; a bad text is 22007.
//! <https://www.postgresql.org/docs/16/datatype-datetime.html>
//!
//! ```sql
//! SELECT TIMESTAMPTZ '2024-01-01 10:00:00+02'::timetz;  -- 08:00:00+00
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, Time64MicrosecondArray};
use chrono_tz::Tz;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::civil::Civil;
use super::moment::{self, Order};
use super::zone::Zone;
use crate::function::{Args, Overload, Returns, Ty, overload_of, some, stable};

pub(super) const RETURNS: Returns = Returns::Tagged(Ty::Text, "timetz");

/// The function.
pub fn timetz() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 3] = [
        overload_of(&[Ty::TimestampTz], RETURNS, of_instant),
        overload_of(&[Ty::Time], RETURNS, of_time),
        overload_of(&[Ty::Text], RETURNS, of_text),
    ];
    stable("lakegate_timetz", &OVERLOADS)
}

fn of_instant(args: &Args<'_>) -> Result<ArrayRef> {
    let (zone, instants) = (Zone::of_session(args.zone)?, args.timestamp(0)?);
    args.build_text(|row| {
        let at = some!(instants.get(row));
        Ok(Some(shown(Civil::from_micros(zone.to_local(at)?).micros, zone.offset_at(at)?)))
    })
}

fn of_time(args: &Args<'_>) -> Result<ArrayRef> {
    let (offset, times) = (offset_now(args)?, args.column::<Time64MicrosecondArray>(0)?);
    args.build_text(|row| Ok(Some(shown(some!(times.get(row)), offset))))
}

/// Literals; a column of texts is read by `text_in`, which knows the session's order of fields.
fn of_text(args: &Args<'_>) -> Result<ArrayRef> {
    let (zone, texts) = (Zone::of_session(args.zone)?, args.text(0)?);
    let here = if let Zone::Named(zone) = zone { zone } else { Tz::UTC };
    args.build_text(|row| {
        let (micros, east) = moment::time_with_zone(some!(texts.get(row)), Order::default(), here)?;
        Ok(Some(shown(micros, east)))
    })
}

fn offset_now(args: &Args<'_>) -> Result<i32> {
    let now = chrono::Utc::now().timestamp_micros();
    Ok(Zone::of_session(args.zone)?.offset_at(now)?)
}

/// `10:20:30.5+05:30`
pub fn shown(micros: i64, offset: i32) -> String {
    let (seconds, fraction) = (micros / moment::SECOND_MICROS, micros % moment::SECOND_MICROS);
    let mut text = format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if fraction != 0 {
        text += format!(".{fraction:06}").trim_end_matches('0');
    }
    let east = offset.unsigned_abs();
    text += &format!("{}{:02}", if offset < 0 { '-' } else { '+' }, east / 3_600);
    if !east.is_multiple_of(3_600) {
        text += &format!(":{:02}", east / 60 % 60);
    }
    if !east.is_multiple_of(60) {
        text += &format!(":{:02}", east % 60);
    }
    text
}

/// What [`shown`] has written: microseconds of the day, and seconds east of Greenwich.
pub fn read(text: &str) -> Option<(i64, i32)> {
    let (time, zone) = text.split_at(text.rfind(['+', '-'])?);
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut seconds = 0;
    for (field, unit) in time.split(':').zip([3_600, 60, 1]) {
        seconds += field.parse::<i64>().ok()? * unit;
    }
    let digits = i32::try_from(fraction.len()).ok().filter(|digits| *digits <= 6)?;
    let fraction = if digits == 0 { 0 } else { fraction.parse::<i64>().ok()? * 10_i64.pow(6 - digits.unsigned_abs()) };
    let mut east = 0;
    for (field, unit) in zone.get(1..)?.split(':').zip([3_600, 60, 1]) {
        east += field.parse::<i32>().ok()? * unit;
    }
    Some((seconds * moment::SECOND_MICROS + fraction, if zone.starts_with('-') { -east } else { east }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_postgres() {
        assert_eq!(shown(36_000_500_000, 19_800), "10:00:00.5+05:30");
        assert_eq!(shown(0, -1), "00:00:00-00:00:01");
        for (micros, east) in [(36_000_500_000, 19_800), (0, -1), (86_400_000_000, -57_599), (1, 0)] {
            assert_eq!(read(&shown(micros, east)), Some((micros, east)));
        }
    }
}
