//! `lakegate_byte_length(bytea)` - the number of bytes: `length` of bytea.
//!
//! The planner's function of this name counts characters. NULL gives NULL. Users never name it.
//! <https://www.postgresql.org/docs/16/functions-binarystring.html>

use std::sync::Arc;

use arrow::datatypes::Int32Type;
use datafusion::logical_expr::ScalarUDF;

use crate::Error;
use crate::function::{Overload, Ty, function, overload, some};

/// The function.
pub fn byte_length() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Bytea], Ty::Int4, |args| {
        let values = args.bytes(0)?;
        args.build::<Int32Type>(|row| {
            let bytes = some!(values.get(row)).len();
            Ok(Some(i32::try_from(bytes).map_err(|_| Error::NumericOverflow("integer"))?))
        })
    })];
    function("lakegate_byte_length", &OVERLOADS)
}
