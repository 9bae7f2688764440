//! `spi(precipitation) OVER (PARTITION BY station, month)` - the standardized precipitation index.
//!
//! Owns: the fit and the index. Must never know: over how many months precipitation was added.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::WindowUDF;

use super::special::{gamma_tails, quantile};
use crate::Error;
use crate::manual::Manual;
use crate::numbers::columns;
use crate::partition::{Partition, window};

pub(super) static SPI: Manual = Manual {
    name: "spi",
    calls: &[("(precipitation double precision)", "double precision")],
    meaning: "The standardized precipitation index: how many standard deviations an amount is above what is usual in its \
              partition, by a gamma distribution and the share of amounts that are 0. Drought is below -1, extreme drought \
              below -2. The partition is to have one place and one month of all years, some thirty; for the index of three \
              months, add the amounts first. The order and frame of the window do not matter.",
    nulls: "NULL of NULL, which does not count. All are NULL where the partition has not two different amounts above 0, and \
            NaN where one is. A negative amount is 22023, infinity 22003.",
    example: (
        "SELECT round(max(i)::numeric, 4) FROM (SELECT spi(p) OVER () AS i FROM (VALUES (12.5), (30.1), (45.2), (8.8), (60.3), (0)) AS r(p)) AS q",
        "1.4032",
    ),
    source: "T. B. McKee, N. J. Doesken and J. Kleist, The relationship of drought frequency and duration to time scales, 8th \
             Conference on Applied Climatology (1993); H. C. S. Thom, A note on the gamma distribution, Monthly Weather \
             Review 86 (1958); WMO-No. 1090, Standardized Precipitation Index User Guide",
};

/// The window function.
pub(super) fn spi() -> Arc<WindowUDF> {
    window(Index)
}

/// From this shape on the distribution is a normal one of cube roots (Wilson and Hilferty, 1931), within 1e-7.
const SHAPE_MAX: f64 = 1e5;

#[derive(Debug, PartialEq, Eq, Hash)]
struct Index;

impl Partition for Index {
    fn name(&self) -> &'static str {
        "spi"
    }

    fn takes(&self, arguments: usize) -> bool {
        arguments == 1
    }

    fn returns(&self) -> DataType {
        DataType::Float64
    }

    fn values(&self, arguments: &[ArrayRef]) -> Result<ArrayRef> {
        let columns = columns(arguments)?;
        let [amounts] = columns.as_slice() else { return exec_err!("spi takes an amount") };
        let fitted = Gamma::fitted(amounts)?;
        let nan = amounts.iter().flatten().any(f64::is_nan);
        let of = |amount: f64| if nan { Some(f64::NAN) } else { fitted.as_ref().map(|gamma| gamma.index(amount)) };
        Ok(Arc::new(amounts.iter().map(|amount| amount.and_then(of)).collect::<Float64Array>()))
    }
}

/// The distribution of the amounts of a partition.
#[derive(Debug)]
struct Gamma {
    shape: f64,
    scale: f64,
    /// The share of amounts that are 0.
    dry: f64,
}

impl Gamma {
    /// Thom's approximation of the greatest likelihood.
    fn fitted(amounts: &Float64Array) -> Result<Option<Self>, Error> {
        let (mut count, mut wet, mut sum, mut logarithms) = (0.0, 0.0, 0.0, 0.0);
        for amount in amounts.iter().flatten() {
            if amount < 0.0 {
                return Err(Error::InvalidParameter(format!("precipitation {amount} is negative")));
            }
            if amount.is_infinite() {
                return Err(Error::NumericOverflow("input is"));
            }
            count += 1.0;
            if amount > 0.0 {
                wet += 1.0;
                sum += amount;
                logarithms += amount.ln();
            }
        }
        let mut above = amounts.iter().flatten().filter(|amount| *amount > 0.0);
        let first = above.next();
        let apart = (sum / wet).ln() - logarithms / wet;
        if above.all(|amount| Some(amount) == first) || apart.is_nan() || apart <= 0.0 {
            return Ok(None);
        }
        let shape = (1.0 + (1.0 + 4.0 * apart / 3.0).sqrt()) / (4.0 * apart);
        Ok(Some(Self { shape, scale: sum / wet / shape, dry: 1.0 - wet / count }))
    }

    fn index(&self, amount: f64) -> f64 {
        let wet = 1.0 - self.dry;
        if self.shape > SHAPE_MAX && self.dry == 0.0 {
            let ninth = 1.0 / (9.0 * self.shape);
            return ((amount / self.scale / self.shape).cbrt() - 1.0 + ninth) / ninth.sqrt();
        }
        let (below, above) = gamma_tails(self.shape, amount / self.scale);
        quantile(self.dry + wet * below, wet * above)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indices(of: &[Option<f64>]) -> Result<Vec<Option<f64>>> {
        let values = Index.values(&[Arc::new(Float64Array::from(of.to_vec()))])?;
        Ok(crate::numbers::columns(&[values])?.iter().flat_map(|column| column.iter()).collect())
    }

    /// SciPy 1.17: `norm.ppf(q + (1 - q) * gamma.cdf(x, alpha, scale=beta))` with Thom's alpha and beta.
    #[test]
    fn the_index_is_that_of_the_distributions_of_scipy() {
        let amounts = [0.0, 12.5, 30.1, 45.2, 8.8, 60.3, 0.0, 22.4, 17.9, 75.0, 33.3, 5.1];
        let expect = [
            -0.967422, -0.419731, 0.386526, 0.915889, -0.619091, 1.355953, -0.967422, 0.064928, -0.144757, 1.727956,
            0.508511, -0.811694,
        ];
        let given: Vec<Option<f64>> = amounts.iter().copied().map(Some).chain([None]).collect();
        let gives = indices(&given).unwrap();
        for (gives, expect) in gives.iter().zip(expect) {
            assert!(gives.is_some_and(|gives| (gives - expect).abs() < 1e-6), "{gives:?}, not {expect}");
        }
        assert_eq!(gives.last(), Some(&None));
    }

    #[test]
    fn amounts_that_have_no_distribution_have_no_index() {
        assert_eq!(indices(&[Some(3.0), Some(3.0), Some(0.0)]).unwrap(), [None; 3]);
        assert_eq!(indices(&[Some(0.0), None]).unwrap(), [None; 2]);
        assert!(indices(&[Some(1.0), Some(f64::NAN)]).unwrap()[0].is_some_and(f64::is_nan));
        assert!(indices(&[Some(1.0), Some(-2.0)]).is_err());
        // Amounts that hardly differ: the normal distribution, in which those at either end are as far from the mean.
        let narrow = indices(&[Some(999.0), Some(1000.0), Some(1001.0)]).unwrap();
        assert!(narrow[1].is_some_and(|middle| middle.abs() < 0.01), "{narrow:?}");
        assert!(narrow[2].is_some_and(|high| (high - 1.2247).abs() < 0.01), "{narrow:?}");
    }
}
