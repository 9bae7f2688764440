//! `time_bucket_gapfill(width, ts [, timezone] [, start, finish])` - the start of the bucket of a time, and in GROUP BY every bucket.

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::time_bucket;
use crate::function::{Args, Overload, Returns, Ty, function, overload, overload_of};
use crate::manual::Manual;

/// Its name, by which a plan is known to fill gaps.
pub const NAME: &str = "time_bucket_gapfill";

/// Its page.
pub(crate) static MANUAL: Manual = Manual {
    name: NAME,
    calls: &[
        ("(bucket_width interval | text, ts timestamp [, start timestamp, finish timestamp])", "timestamp"),
        ("(bucket_width interval | text, ts timestamptz [, start timestamptz, finish timestamptz])", "timestamptz"),
        (
            "(bucket_width interval | text, ts timestamptz, timezone text [, start timestamptz, finish timestamptz])",
            "timestamptz",
        ),
        ("(bucket_width interval | text, ts date [, start date, finish date])", "date"),
        ("(bucket_width bigint, ts bigint [, start bigint, finish bigint])", "bigint"),
    ],
    meaning: "The start of the bucket of a time, as time_bucket has it. In GROUP BY, each combination of the other keys \
              gets a row for every bucket from that of start to the last that begins before finish; aggregates are NULL \
              in the rows that are filled in. With a time zone buckets follow its clock. What is not given is taken from conditions on ts in WHERE.",
    nulls: "In GROUP BY a time that is NULL is 22023, and so is a range without a start or a finish.",
    example: ("SELECT time_bucket_gapfill('15 min', TIMESTAMP '2024-03-05 14:07:09')", "2024-03-05 14:00:00"),
    source: "https://docs.timescale.com/api/latest/hyperfunctions/gapfilling/time_bucket_gapfill/",
};

/// The function of one row. The rows that are missing are the plan's.
pub fn time_bucket_gapfill() -> Arc<ScalarUDF> {
    use Ty::{Date, Int, Interval, Text, Timestamp as Clock, TimestampTz as Instant};
    static OVERLOADS: [Overload; 25] = [
        overload(&[Interval, Clock], Clock, timestamp),
        overload(&[Interval, Clock, Clock], Clock, timestamp),
        overload(&[Interval, Clock, Clock, Clock], Clock, timestamp),
        overload_of(&[Interval, Instant], Returns::Same(1), timestamp),
        overload_of(&[Interval, Instant, Instant], Returns::Same(1), timestamp),
        overload_of(&[Interval, Instant, Instant, Instant], Returns::Same(1), timestamp),
        overload_of(&[Interval, Instant, Text], Returns::Same(1), in_zone),
        overload_of(&[Interval, Instant, Text, Instant, Instant], Returns::Same(1), in_zone),
        overload(&[Interval, Date], Date, date),
        overload(&[Interval, Date, Date], Date, date),
        overload(&[Interval, Date, Date, Date], Date, date),
        overload(&[Text, Clock], Clock, timestamp),
        overload(&[Text, Clock, Clock], Clock, timestamp),
        overload(&[Text, Clock, Clock, Clock], Clock, timestamp),
        overload_of(&[Text, Instant], Returns::Same(1), timestamp),
        overload_of(&[Text, Instant, Instant], Returns::Same(1), timestamp),
        overload_of(&[Text, Instant, Instant, Instant], Returns::Same(1), timestamp),
        overload_of(&[Text, Instant, Text], Returns::Same(1), in_zone),
        overload_of(&[Text, Instant, Text, Instant, Instant], Returns::Same(1), in_zone),
        overload(&[Text, Date], Date, date),
        overload(&[Text, Date, Date], Date, date),
        overload(&[Text, Date, Date, Date], Date, date),
        overload(&[Int, Int], Int, integer),
        overload(&[Int, Int, Int], Int, integer),
        overload(&[Int, Int, Int, Int], Int, integer),
    ];
    function(NAME, &OVERLOADS)
}

fn timestamp(args: &Args<'_>) -> Result<ArrayRef> {
    time_bucket::timestamps(args, false)
}

fn in_zone(args: &Args<'_>) -> Result<ArrayRef> {
    time_bucket::starts_in_zone(args, false)
}

fn date(args: &Args<'_>) -> Result<ArrayRef> {
    time_bucket::dates(args, false)
}

fn integer(args: &Args<'_>) -> Result<ArrayRef> {
    time_bucket::integers(args, false)
}
