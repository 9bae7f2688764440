//! `to_timestamp(text, pattern) -> timestamptz`, `to_timestamp(double precision)`, `to_date(text, pattern) -> date`.
//!
//! Patterns are those of `to_char`; the wall clock is the session's. The number counts seconds since 1970. Separators match any
//! separator; fields that are absent are the least. NULL gives NULL; a text that does not follow is 22007, a field out of
//! range 22008.
//! <https://www.postgresql.org/docs/16/functions-formatting.html>
//!
//! ```sql
//! SELECT to_date('05 Mar 2024', 'DD Mon YYYY'), to_timestamp(1709647629.25);
//! ```

mod read;

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::Date32Type;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::civil::Civil;
use super::to_char::pattern::{self, Node};
use super::zone::Zone;
use crate::error::timestamp_out_of_range;
use crate::function::{Args, Overload, Ty, overload, some, stable};

/// `to_timestamp`.
pub fn to_timestamp() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 4] = [
        overload(&[Ty::Text, Ty::Text], Ty::TimestampTz, timestamps),
        overload(&[Ty::Float], Ty::TimestampTz, seconds),
        overload(&[Ty::TimestampTz], Ty::TimestampTz, unchanged),
        overload(&[Ty::Timestamp], Ty::TimestampTz, unchanged_local),
    ];
    stable("to_timestamp", &OVERLOADS)
}

/// `to_date`.
pub fn to_date() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] =
        [overload(&[Ty::Text, Ty::Text], Ty::Date, dates), overload(&[Ty::Date], Ty::Date, |args| args.expanded(0))];
    stable("to_date", &OVERLOADS)
}

fn timestamps(args: &Args<'_>) -> Result<ArrayRef> {
    let session = Zone::of_session(args.zone)?;
    let mut parsed = Parsed::default();
    let (texts, patterns) = (args.text(0)?, args.text(1)?);
    args.build_timestamp(|row| {
        let (text, pattern) = (some!(texts.get(row)), some!(patterns.get(row)));
        let (local, offset) = read::moment(parsed.nodes(pattern), text)?;
        let zone = offset.map_or(session, Zone::Fixed);
        Ok(Some(zone.to_instant(local.to_micros()?)?))
    })
}

fn dates(args: &Args<'_>) -> Result<ArrayRef> {
    let mut parsed = Parsed::default();
    let (texts, patterns) = (args.text(0)?, args.text(1)?);
    args.build::<Date32Type>(|row| {
        let (text, pattern) = (some!(texts.get(row)), some!(patterns.get(row)));
        let (local, _) = read::moment(parsed.nodes(pattern), text)?;
        Ok(Some(i32::try_from(local.days()).map_err(|_| timestamp_out_of_range())?))
    })
}

/// Seconds between the two epochs.
const FROM_1970_TO_2000: f64 = 946_684_800.0;

fn seconds(args: &Args<'_>) -> Result<ArrayRef> {
    let seconds = args.float(0)?;
    args.build_timestamp(|row| {
        // PostgreSQL counts from 2000, and so rounds there.
        let micros = ((some!(seconds.get(row)) - FROM_1970_TO_2000) * 1e6).round_ties_even();
        if !micros.is_finite() || micros.abs() > 9.2e18 {
            return Err(timestamp_out_of_range().into());
        }
        #[expect(clippy::cast_possible_truncation, reason = "bounded just above")]
        let micros = micros as i64 + FROM_1970_TO_2000 as i64 * 1_000_000;
        Ok(Some(micros))
    })
}

fn unchanged(args: &Args<'_>) -> Result<ArrayRef> {
    let moments = args.timestamp(0)?;
    args.build_timestamp(|row| Ok(moments.get(row)))
}

fn unchanged_local(args: &Args<'_>) -> Result<ArrayRef> {
    let (moments, zone) = (args.timestamp(0)?, Zone::of_session(args.zone)?);
    args.build_timestamp(|row| Ok(Some(zone.to_instant(some!(moments.get(row)))?)))
}

/// The pattern of the row before, read once.
#[derive(Default)]
struct Parsed(Option<(String, Vec<Node>)>);

impl Parsed {
    fn nodes(&mut self, pattern: &str) -> &[Node] {
        if self.0.as_ref().is_none_or(|(known, _)| known != pattern) {
            self.0 = Some((pattern.to_owned(), pattern::parse(pattern)));
        }
        self.0.as_ref().map(|(_, nodes)| nodes.as_slice()).unwrap_or_default()
    }
}

/// Year 1 BC, which PostgreSQL gives where a pattern names no year.
pub(super) const EPOCH: Civil = Civil { year: 0, month: 1, day: 1, micros: 0 };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call, call_in, moment_tz, shown, text};
    use datafusion::common::ScalarValue;

    #[test]
    fn texts_are_read_as_postgres_reads() {
        for (given, pattern, expect) in [
            ("05 Mar 2024", "DD Mon YYYY", "2024-03-05"),
            ("20240305", "YYYYMMDD", "2024-03-05"),
            ("24/3/5", "YY/MM/DD", "2024-03-05"),
            ("2024-060", "YYYY-DDD", "2024-02-29"),
            ("2024-10", "IYYY-IW", "2024-03-04"),
            ("2024-13-01", "YYYY-MM-DD", "date/time field value out of range: \"2024-13-01\""),
            ("x", "YYYY", "invalid value \"x\" for \"YYYY\""),
            ("05 Foo 2024", "DD Mon YYYY", "invalid value \"Foo\" for \"Mon\""),
        ] {
            assert_eq!(shown(&to_date(), &[text(given), text(pattern)]), expect, "{given} {pattern}");
        }
        let read = [text("2024-03-05 14:07:09.5"), text("YYYY-MM-DD HH24:MI:SS.MS")];
        assert_eq!(call(&to_timestamp(), &read, true), Ok(moment_tz("2024-03-05 14:07:09.5")));
        assert_eq!(call_in("Europe/Paris", &to_timestamp(), &read, true), Ok(moment_tz("2024-03-05 13:07:09.5")));
        let number = [ScalarValue::Float64(Some(1_709_647_629.25))];
        assert_eq!(call(&to_timestamp(), &number, false), Ok(moment_tz("2024-03-05 14:07:09.25")));
    }
}
