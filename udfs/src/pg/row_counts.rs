//! `lakegate_limit(n)`, `lakegate_offset(n)` - `n`, as what LIMIT and OFFSET count.
//!
//! 2201W and 2201X where it is negative. NULL gives NULL. Users never name these functions.
//! <https://www.postgresql.org/docs/16/sql-select.html#SQL-LIMIT>

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::Int64Type;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::Error;
use crate::function::{Args, Overload, Ty, function, overload, some};

/// `lakegate_limit`.
pub fn limit() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Int], Ty::Int, |args| checked(args, Error::NegativeLimit))];
    function("lakegate_limit", &OVERLOADS)
}

/// `lakegate_offset`.
pub fn offset() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Int], Ty::Int, |args| checked(args, Error::NegativeOffset))];
    function("lakegate_offset", &OVERLOADS)
}

fn checked(args: &Args<'_>, negative: Error) -> Result<ArrayRef> {
    let counts = args.int(0)?;
    args.build::<Int64Type>(|row| {
        let count = some!(counts.get(row));
        if count < 0 { Err(negative.clone().into()) } else { Ok(Some(count)) }
    })
}
