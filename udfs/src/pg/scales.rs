//! `scale(numeric)`, `min_scale(numeric)` - integer - and `trim_scale(numeric)` - the decimals that a number shows.
//!
//! `scale` counts the decimals as shown, `min_scale` those without the zeros at the end, which `trim_scale` cuts off. NULL
//! gives NULL, NaN and infinities too.
//! <https://www.postgresql.org/docs/16/functions-math.html>
//!
//! ```sql
//! SELECT scale(8.4100), min_scale(8.4100), trim_scale(8.4100);  -- 4  2  8.41
//! ```

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::numeric::kind::{self, OWN, Shown, shown_as};
use crate::function::{Args, Overload, Returns, Ty, function, overload, overload_of, some};

/// `scale`.
pub fn scale() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] =
        [overload(&[Ty::Numeric], Ty::Int4, |args| count(args, kind::shown(args.array(0)?.data_type())))];
    function("scale", &OVERLOADS)
}

/// `min_scale`.
pub fn min_scale() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Numeric], Ty::Int4, |args| count(args, Shown::Own))];
    function("min_scale", &OVERLOADS)
}

/// `trim_scale`.
pub fn trim_scale() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] =
        [overload_of(&[Ty::Numeric], Returns::From(|_| OWN), |args| Ok(cast(args.array(0)?, &OWN)?))];
    function("trim_scale", &OVERLOADS)
}

fn count(args: &Args<'_>, shown: Shown) -> Result<ArrayRef> {
    let numbers = args.numeric(0)?;
    let DataType::Decimal128(_, scale) = *args.array(0)?.data_type() else {
        return datafusion::common::exec_err!("scale takes a numeric");
    };
    args.build::<Int32Type>(|row| {
        let (_, places) = shown_as(some!(numbers.get(row)), scale, shown);
        Ok(Some(i32::from(places.max(0))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::shown;
    use datafusion::common::ScalarValue;

    #[test]
    fn zeros_at_the_end_count_for_scale_only() {
        let number = || ScalarValue::Decimal128(Some(84_100), 10, 4);
        assert_eq!(shown(&super::scale(), &[number()]), "4");
        assert_eq!(shown(&min_scale(), &[number()]), "2");
        assert_eq!(shown(&min_scale(), &[ScalarValue::Int64(Some(100))]), "0");
        assert_eq!(shown(&trim_scale(), &[number()]), "8.4100000000000000");
    }
}
