//! `locf(value [, prev [, treat_null_as_missing]])` - a value that filled rows take from the row before.

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::function::{Args, Overload, Returns, Ty, function, overload_of};
use crate::manual::Manual;

/// Its name, by which a plan knows the values that are carried forward.
pub const NAME: &str = "locf";

/// Its page.
pub(crate) static MANUAL: Manual = Manual {
    name: NAME,
    calls: &[("(value anyelement [, prev anyelement [, treat_null_as_missing boolean]])", "anyelement")],
    meaning: "Beside time_bucket_gapfill, the last value of the series before a bucket that is filled in, or prev where the \
              series begins with such a bucket. Anywhere else it is the value.",
    nulls: "A value that is NULL is carried as any other, unless treat_null_as_missing.",
    example: ("SELECT locf(21.5)", "21.5"),
    source: "https://docs.timescale.com/api/latest/hyperfunctions/gapfilling/time_bucket_gapfill/#locf",
};

/// The function of one row, which is its value. What is carried is the plan's.
pub fn locf() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 3] = [
        overload_of(&[Ty::Any], Returns::Same(0), value),
        overload_of(&[Ty::Any, Ty::Any], Returns::Same(0), value),
        overload_of(&[Ty::Any, Ty::Any, Ty::Bool], Returns::Same(0), value),
    ];
    function(NAME, &OVERLOADS)
}

fn value(args: &Args<'_>) -> Result<ArrayRef> {
    args.expanded(0)
}
