//! `abc_class(value [, a_share, b_share]) OVER (...)` - whether a value belongs to the few that matter most.
//!
//! Owns: the classes. Must never know: what is valued.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::WindowUDF;

use crate::Error;
use crate::manual::Manual;
use crate::numbers::columns;
use crate::partition::{Partition, window};

pub(super) static ABC_CLASS: Manual = Manual {
    name: "abc_class",
    calls: &[("(value double precision [, a_share double precision, b_share double precision])", "text")],
    meaning: "The class of a value, such as the revenue of a product, among those of its partition, from the greatest on: A \
              while those that are greater have less than the first share of the sum (0.8), B while they have less than the \
              second (0.95), then C. Equal values have one class. The order and frame of the window do not matter.",
    nulls: "NULL of NULL, which does not count. All are C where the sum is 0. A value that is negative or NaN is 22023, infinity \
            22003; shares that are not 0 <= a_share <= b_share <= 1, or differ within a partition, are 22023.",
    example: (
        "SELECT string_agg(c, '' ORDER BY v DESC) FROM (SELECT v, abc_class(v) OVER () AS c FROM (VALUES (50), (35), (10), (5)) AS r(v)) AS q",
        "AABC",
    ),
    source: "H. F. Dickie, ABC Inventory Analysis Shoots for Dollars, not Pennies, Factory Management and Maintenance 109 (1951)",
};

/// The function.
pub(super) fn abc_class() -> Arc<WindowUDF> {
    window(Classes)
}

const SHARES: [f64; 2] = [0.8, 0.95];

#[derive(Debug, PartialEq, Eq, Hash)]
struct Classes;

impl Partition for Classes {
    fn name(&self) -> &'static str {
        "abc_class"
    }

    fn takes(&self, arguments: usize) -> bool {
        matches!(arguments, 1 | 3)
    }

    fn returns(&self) -> DataType {
        DataType::Utf8
    }

    fn values(&self, arguments: &[ArrayRef]) -> Result<ArrayRef> {
        let columns = columns(arguments)?;
        let [values, shares @ ..] = columns.as_slice() else { return exec_err!("abc_class takes a value") };
        let [a, b] = limits(shares)?;
        for value in values.iter().flatten() {
            if value.is_nan() || value < 0.0 {
                return Err(Error::InvalidParameter(format!("value {value} of abc_class is not 0 or above")).into());
            }
            if value.is_infinite() {
                return Err(Error::NumericOverflow("input is").into());
            }
        }
        let mut rows: Vec<(usize, f64)> =
            values.iter().enumerate().filter_map(|(row, value)| value.map(|value| (row, value))).collect();
        rows.sort_unstable_by(|one, other| other.1.total_cmp(&one.1));
        let sum: f64 = rows.iter().map(|(_, value)| value).sum();
        let mut classes = vec![None; values.len()];
        let mut greater = 0.0;
        for equal in rows.chunk_by(|one, other| one.1 == other.1) {
            let class = match greater / sum {
                share if share < a => "A",
                share if share < b => "B",
                _ => "C",
            };
            for (row, value) in equal {
                classes.get_mut(*row).into_iter().for_each(|of| *of = Some(class));
                greater += value;
            }
        }
        Ok(Arc::new(classes.into_iter().collect::<StringArray>()))
    }
}

/// The shares of A, and of A and B.
fn limits(given: &[&Float64Array]) -> Result<[f64; 2], Error> {
    let [a, b] = given else { return Ok(SHARES) };
    let first = |of: &Float64Array| of.iter().next().flatten();
    let one = |of: &Float64Array| of.iter().all(|value| value == first(of));
    match (first(a), first(b)) {
        (Some(least), Some(most)) if one(a) && one(b) && 0.0 <= least && least <= most && most <= 1.0 => {
            Ok([least, most])
        }
        _ => Err(Error::InvalidParameter(
            "shares of abc_class must rise from 0 to 1 and be the same in all rows of a partition".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(columns: &[&[Option<f64>]]) -> Result<String> {
        let columns: Vec<ArrayRef> =
            columns.iter().map(|column| Arc::new(Float64Array::from(column.to_vec())) as ArrayRef).collect();
        let values = Classes.values(&columns)?;
        let texts = values.as_any().downcast_ref::<StringArray>().unwrap();
        Ok(texts.iter().map(|class| class.unwrap_or("-")).collect())
    }

    #[test]
    fn the_few_that_make_the_most_are_a() {
        let values = [70.0, 5.0, 15.0, 4.0, 4.0, 2.0].map(Some);
        assert_eq!(classes(&[&values]).unwrap(), "ABABBC");
        let (a, b) = ([Some(0.5); 6], [Some(0.7); 6]);
        assert_eq!(classes(&[&values, &a, &b]).unwrap(), "ACCCCC");
        assert_eq!(classes(&[&[Some(95.0), None, Some(5.0)]]).unwrap(), "A-C");
        assert_eq!(classes(&[&[Some(0.0), Some(0.0)]]).unwrap(), "CC");
        assert!(classes(&[&[Some(-1.0)]]).is_err() && classes(&[&[Some(f64::NAN)]]).is_err());
        assert!(classes(&[&values, &b, &a]).is_err());
    }
}
