//! `overlaps(start1, end1, start2, end2) -> boolean` - the function behind `(s1, e1) OVERLAPS (s2, e2)`.
//!
//! Times may be timestamps, timestamptz or dates. A period holds its earlier end but not its later one, unless both are
//! equal; the order of its two ends does not matter. Unknown when NULL could decide.
//! <https://www.postgresql.org/docs/16/functions-datetime.html>
//!
//! ```sql
//! SELECT overlaps(DATE '2001-02-16', DATE '2001-12-21', DATE '2001-10-30', DATE '2002-10-30');  -- true
//! ```

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::function::{Args, Overload, Ty, function, overload, some};

/// The function.
pub fn overlaps() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] =
        [overload(&[Ty::Timestamp; 4], Ty::Bool, kernel), overload(&[Ty::TimestampTz; 4], Ty::Bool, kernel)];
    function("overlaps", &OVERLOADS)
}

fn kernel(args: &Args<'_>) -> Result<ArrayRef> {
    let (start1, end1, start2, end2) = (args.timestamp(0)?, args.timestamp(1)?, args.timestamp(2)?, args.timestamp(3)?);
    args.build_bool(|row| {
        // As PostgreSQL: a period with one known end is taken at that end.
        let period = |start: Option<i64>, end: Option<i64>| match (start, end) {
            (Some(start), Some(end)) => Some((start.min(end), Some(start.max(end)))),
            (Some(known), None) | (None, Some(known)) => Some((known, None)),
            (None, None) => None,
        };
        let first = some!(period(start1.get(row), end1.get(row)));
        let second = some!(period(start2.get(row), end2.get(row)));
        let (early, late) = if first.0 <= second.0 { (first, second) } else { (second, first) };
        if early.0 == late.0 {
            return Ok(early.1.and(late.1).map(|_| true));
        }
        match early.1 {
            Some(end) if late.0 < end => Ok(late.1.map(|_| true)),
            Some(_) => Ok(late.1.map(|_| false)),
            None => Ok(None),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{moment, shown};

    #[test]
    fn a_period_does_not_hold_its_later_end() {
        let check = |times: [&str; 4], expect: &str| {
            assert_eq!(shown(&overlaps(), &times.map(moment)), expect, "{times:?}");
        };
        check(["2001-02-16T00:00:00", "2001-12-21T00:00:00", "2001-10-30T00:00:00", "2002-10-30T00:00:00"], "true");
        check(["2001-10-29T00:00:00", "2001-10-30T00:00:00", "2001-10-30T00:00:00", "2001-10-31T00:00:00"], "false");
        check(["2001-10-30T00:00:00", "2001-10-30T00:00:00", "2001-10-30T00:00:00", "2001-10-31T00:00:00"], "true");
    }
}
