//! `interpolate(value)` - a value that filled rows take from the line between their neighbours.

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::function::{Args, Overload, Returns, Ty, function, overload, overload_of};
use crate::manual::Manual;

/// Its name, by which a plan knows the values that are interpolated.
pub const NAME: &str = "interpolate";

/// Its page.
pub(crate) static MANUAL: Manual = Manual {
    name: NAME,
    calls: &[
        ("(value smallint)", "smallint"),
        ("(value integer)", "integer"),
        ("(value bigint)", "bigint"),
        ("(value real)", "real"),
        ("(value double precision)", "double precision"),
    ],
    meaning: "Beside time_bucket_gapfill, the value on the straight line over time between the rows before and behind a \
              bucket that is filled in; of integers, the nearest one. Anywhere else it is the value.",
    nulls: "NULL where the series has no row before or behind the bucket, or where the value of either is NULL.",
    example: ("SELECT interpolate(21.5::double precision)", "21.5"),
    source: "https://docs.timescale.com/api/latest/hyperfunctions/gapfilling/time_bucket_gapfill/#interpolate",
};

/// The function of one row, which is its value. What is interpolated is the plan's.
pub fn interpolate() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 7] = [
        overload(&[Ty::Int2], Ty::Int2, value),
        overload(&[Ty::Int4], Ty::Int4, value),
        overload(&[Ty::Int], Ty::Int, value),
        overload(&[Ty::Float4], Ty::Float4, value),
        overload(&[Ty::Float], Ty::Float, value),
        // The neighbours of a whole range are the plan's to refuse.
        overload_of(&[Ty::Any, Ty::Any], Returns::Same(0), value),
        overload_of(&[Ty::Any, Ty::Any, Ty::Any], Returns::Same(0), value),
    ];
    function(NAME, &OVERLOADS)
}

fn value(args: &Args<'_>) -> Result<ArrayRef> {
    args.expanded(0)
}
