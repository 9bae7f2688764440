//! What is usual: `climate_normal`, the mean of a base period, and `anomaly`, how far a value is from it.
//!
//! Owns: the base period. Must never know: how rows are gathered.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array};
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{AggregateUDF, WindowUDF};

use crate::Error;
use crate::manual::Manual;
use crate::numbers::columns;
use crate::partition::{Partition, window};
use crate::sums::{Sums, Three, aggregate};

const SOURCE: &str = "WMO-No. 1203, Guidelines on the Calculation of Climate Normals (2017); the base period of FAOSTAT's \
                      Temperature change on land is 1951 to 1980";

pub(super) static CLIMATE_NORMAL: Manual = Manual {
    name: "climate_normal",
    calls: &[(
        "(value double precision, year double precision [, from_year double precision, to_year double precision])",
        "double precision",
    )],
    meaning: "The mean of the values of a base period, both years of which belong to it: 1951 to 1980 unless it is given, as \
              FAOSTAT has it. WMO's standard normals are of 1991 to 2020.",
    nulls: "Rows with a NULL do not count; a NaN of the base period gives NaN. It is NULL where the base period has no value. \
            A first year above the last is 22023.",
    example: (
        "SELECT climate_normal(t, year, 1961, 1990) FROM (VALUES (1960, 9.0), (1961, 10.0), (1990, 11.0), (1991, 15.0)) AS r(year, t)",
        "10.5",
    ),
    source: SOURCE,
};

pub(super) static ANOMALY: Manual = Manual {
    name: "anomaly",
    calls: &[(
        "(value double precision, year double precision [, from_year double precision, to_year double precision])",
        "double precision",
    )],
    meaning: "How far a value is above the mean of the base period of its partition, in the unit of the value: \
              anomaly(t, year) OVER (PARTITION BY area, month). The base period is as that of climate_normal. The order and \
              frame of the window do not matter.",
    nulls: "NULL of a value that is NULL, and where the base period of the partition has no value; a NaN of the base period \
            gives NaN. A first year above the last, or a base period that differs within a partition, is 22023.",
    example: (
        "SELECT max(a) FROM (SELECT anomaly(t, year) OVER () AS a FROM (VALUES (1951, 9.0), (1980, 10.0), (2020, 11.0)) AS r(year, t)) AS q",
        "1.5",
    ),
    source: SOURCE,
};

/// The aggregate.
pub(super) fn climate_normal() -> Arc<AggregateUDF> {
    aggregate(Normal)
}

/// The window function.
pub(super) fn anomaly() -> Arc<WindowUDF> {
    window(Anomaly)
}

const BASE: (f64, f64) = (1951.0, 1980.0);

fn base_period(years: &[f64]) -> Result<(f64, f64), Error> {
    match years {
        [from, to, ..] if from > to => {
            Err(Error::InvalidParameter(format!("base period from {from} to {to} ends before it begins")))
        }
        [from, to, ..] => Ok((*from, *to)),
        _ => Ok(BASE),
    }
}

fn takes(arguments: usize) -> bool {
    matches!(arguments, 2 | 4)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Normal;

impl Sums for Normal {
    fn name(&self) -> &'static str {
        "climate_normal"
    }

    fn takes(&self, arguments: usize) -> bool {
        takes(arguments)
    }

    fn adds(&self, row: &[f64]) -> Result<Option<Three>, Error> {
        let [value, year, years @ ..] = row else { return Ok(None) };
        let (from, to) = base_period(years)?;
        Ok((from..=to).contains(year).then_some([*value, 1.0, 0.0]))
    }

    fn value(&self, [sum, count, _]: Three) -> Option<f64> {
        (count > 0.0).then(|| sum / count)
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Anomaly;

impl Partition for Anomaly {
    fn name(&self) -> &'static str {
        "anomaly"
    }

    fn takes(&self, arguments: usize) -> bool {
        takes(arguments)
    }

    fn returns(&self) -> DataType {
        DataType::Float64
    }

    fn values(&self, arguments: &[ArrayRef]) -> Result<ArrayRef> {
        let columns = columns(arguments)?;
        let [values, years, base @ ..] = columns.as_slice() else {
            return exec_err!("anomaly takes a value and a year");
        };
        let given = base.iter().map(|column| constant(column)).collect::<Result<Option<Vec<f64>>, Error>>()?;
        // A base period that is NULL has no value.
        let Some(given) = given else { return Ok(Arc::new(Float64Array::new_null(values.len()))) };
        let (from, to) = base_period(&given)?;
        let (mut sum, mut count) = (0.0, 0.0);
        for (value, year) in values.iter().zip(years.iter()) {
            if let (Some(value), Some(year)) = (value, year)
                && (from..=to).contains(&year)
            {
                sum += value;
                count += 1.0;
            }
        }
        let of = |value: Option<f64>| value.filter(|_| count > 0.0).map(|value| value - sum / count);
        Ok(Arc::new(values.iter().map(of).collect::<Float64Array>()))
    }
}

/// The one value of a column.
fn constant(column: &Float64Array) -> Result<Option<f64>, Error> {
    let first = column.iter().next().flatten();
    if column.iter().any(|value| value != first) {
        return Err(Error::InvalidParameter(
            "base period of anomaly must be the same in all rows of a partition".to_owned(),
        ));
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anomalies(columns: &[&[Option<f64>]]) -> Result<Vec<Option<f64>>> {
        let columns: Vec<ArrayRef> =
            columns.iter().map(|column| Arc::new(Float64Array::from(column.to_vec())) as ArrayRef).collect();
        let values = Anomaly.values(&columns)?;
        Ok(crate::numbers::columns(&[values])?.iter().flat_map(|column| column.iter()).collect())
    }

    #[test]
    fn anomalies_are_from_the_mean_of_the_base_period() {
        let years = [Some(1950.0), Some(1951.0), Some(1980.0), None, Some(2000.0), Some(1960.0)];
        let values = [Some(1.0), Some(2.0), Some(4.0), Some(5.0), Some(6.0), None];
        let expect = [Some(-2.0), Some(-1.0), Some(1.0), Some(2.0), Some(3.0), None];
        assert_eq!(anomalies(&[&values, &years]).unwrap(), expect);
        let (from, to) = ([Some(2000.0); 6], [Some(2001.0); 6]);
        assert_eq!(anomalies(&[&values, &years, &from, &to]).unwrap()[0], Some(-5.0));
        assert_eq!(anomalies(&[&values, &years, &to, &to]).unwrap(), [None; 6]);
        assert!(anomalies(&[&values, &years, &to, &from]).is_err());
        assert!(anomalies(&[&values, &years, &years, &to]).is_err());
    }
}
