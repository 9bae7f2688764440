//! The count, the sum and the central sums of numbers, and of pairs of numbers: enough for mean, variance, skewness,
//! kurtosis and a line of least squares.
//!
//! Owns: how two of them make one, by the formulas of Philippe Pébay (SAND2008-6212), which subtract no large numbers that
//! are almost equal. Must never know: SQL.
//! <https://www.osti.gov/servlets/purl/1028931>

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Fields, Float64Type, Int64Type};
use datafusion::common::Result;

use super::kept::{Summary, column};
use super::{float, no_summary};
use crate::Error;

/// What is divided by: the values, or one less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Population,
    Sample,
}

/// The sums of one column, with the powers of the distance to the mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Moments {
    pub(super) n: i64,
    pub(super) sum: f64,
    pub(super) two: f64,
    pub(super) three: f64,
    pub(super) four: f64,
}

/// Those of two columns, and the products of both distances.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pairs {
    pub(super) x: Moments,
    pub(super) y: Moments,
    pub(super) xy: f64,
}

impl Moments {
    const NONE: Self = Self { n: 0, sum: 0.0, two: 0.0, three: 0.0, four: 0.0 };

    /// Of one value. What is not finite has no distance to any mean, so that from then on all but the sum is NaN.
    fn one(value: f64) -> Self {
        let spread = if value.is_finite() { 0.0 } else { f64::NAN };
        Self { n: 1, sum: value, two: spread, three: spread, four: spread }
    }

    fn joined(&self, other: &Self) -> Result<Self, Error> {
        if self.n == 0 || other.n == 0 {
            return Ok(if self.n == 0 { *other } else { *self });
        }
        let n = self.n.checked_add(other.n).ok_or(Error::NumericOverflow("bigint"))?;
        let sum = self.sum + other.sum;
        if self.two.is_nan() || other.two.is_nan() {
            return Ok(Self { n, sum, two: f64::NAN, three: f64::NAN, four: f64::NAN });
        }
        let (a, b, all) = (float(self.n), float(other.n), float(n));
        let delta = other.average() - self.average();
        // The part of the distance that each mean moves.
        let (ours, theirs) = (delta * (b / all), delta * (a / all));
        let product = delta * ours * a;
        let two = self.two + other.two + product;
        let three = self.three + other.three + product * (theirs - ours) + 3.0 * (theirs * other.two - ours * self.two);
        let four = self.four
            + other.four
            + product * (theirs * theirs - theirs * ours + ours * ours)
            + 6.0 * (theirs * theirs * other.two + ours * ours * self.two)
            + 4.0 * (theirs * other.three - ours * self.three);
        match [sum, two, three, four].iter().all(|of| of.is_finite()) {
            true => Ok(Self { n, sum, two, three, four }),
            false => Err(Error::Overflow),
        }
    }

    pub(super) fn average(&self) -> f64 {
        self.sum / float(self.n)
    }

    /// What the sums are divided by; `None` for a sample of one.
    fn divisor(&self, method: Method) -> Option<f64> {
        match method {
            Method::Population => Some(float(self.n)),
            Method::Sample => (self.n > 1).then(|| float(self.n) - 1.0),
        }
    }

    pub(super) fn variance(&self, method: Method) -> Option<f64> {
        Some(self.two / self.divisor(method)?)
    }

    pub(super) fn stddev(&self, method: Method) -> Option<f64> {
        Some(self.variance(method)?.sqrt())
    }

    pub(super) fn skewness(&self, method: Method) -> Option<f64> {
        Some(self.three / self.divisor(method)? / self.stddev(method)?.powi(3))
    }

    pub(super) fn kurtosis(&self, method: Method) -> Option<f64> {
        Some(self.four / self.divisor(method)? / self.variance(method)?.powi(2))
    }

    fn columns(all: &[Option<Self>]) -> [ArrayRef; 4] {
        let column = |of: fn(&Self) -> f64| -> ArrayRef {
            Arc::new(all.iter().map(|moments| moments.as_ref().map(of)).collect::<Float64Array>())
        };
        [column(|of| of.sum), column(|of| of.two), column(|of| of.three), column(|of| of.four)]
    }
}

impl Pairs {
    pub(super) fn covariance(&self, method: Method) -> Option<f64> {
        Some(self.xy / self.x.divisor(method)?)
    }

    pub(super) fn slope(&self) -> Option<f64> {
        (self.x.two != 0.0).then(|| self.xy / self.x.two)
    }

    pub(super) fn intercept(&self) -> Option<f64> {
        Some(self.y.average() - self.slope()? * self.x.average())
    }

    /// Where the line is 0: also of a vertical line, and not of a level one.
    pub(super) fn x_intercept(&self) -> Option<f64> {
        if self.x.n > 1 && self.x.two == 0.0 {
            return Some(self.x.average());
        }
        if self.y.two == 0.0 {
            return None;
        }
        Some(self.x.average() - self.y.average() / self.slope()?)
    }

    pub(super) fn corr(&self) -> Option<f64> {
        if self.x.two == 0.0 || self.y.two == 0.0 {
            return None;
        }
        // Roots first: the product of two large sums would be infinite.
        Some((self.xy / (self.x.two.sqrt() * self.y.two.sqrt())).clamp(-1.0, 1.0))
    }

    /// 1 for a level line, which is met exactly.
    pub(super) fn determination(&self) -> Option<f64> {
        if self.x.two != 0.0 && self.y.two == 0.0 {
            return Some(1.0);
        }
        // Quotients first: the product of two large sums would be infinite.
        (self.x.two != 0.0).then(|| ((self.xy / self.x.two) * (self.xy / self.y.two)).min(1.0))
    }
}

fn fields(names: &[&str]) -> Fields {
    let field = |name: &&str| Field::new(*name, if *name == "n" { DataType::Int64 } else { DataType::Float64 }, true);
    names.iter().map(field).collect()
}

const OF_ONE: &[&str] = &["n", "sx", "sx2", "sx3", "sx4"];
const OF_TWO: &[&str] = &["n", "sx", "sx2", "sx3", "sx4", "sy", "sy2", "sy3", "sy4", "sxy"];

/// The count and the sums of a record; `None` where it is NULL.
type Row<const N: usize> = Option<(i64, [f64; N])>;

fn rows<const N: usize>(records: &StructArray, names: &[&str]) -> Result<Vec<Row<N>>> {
    let counts = column(records, "n", &DataType::Int64)?;
    let sums =
        names.iter().skip(1).map(|name| column(records, name, &DataType::Float64)).collect::<Result<Vec<_>>>()?;
    let row = |at: usize| {
        if records.is_null(at) {
            return Ok(None);
        }
        let known = |column: &ArrayRef| column.is_valid(at);
        let mut numbers = [0.0; N];
        for (number, column) in numbers.iter_mut().zip(&sums) {
            *number = column.as_primitive::<Float64Type>().value(at);
        }
        let n = counts.as_primitive::<Int64Type>().value(at);
        match known(&counts) && sums.iter().all(known) && n > 0 {
            true => Ok(Some((n, numbers))),
            false => Err(no_summary("stats_agg").into()),
        }
    };
    (0..records.len()).map(row).collect()
}

impl Summary for Moments {
    type Setting = ();

    fn fields() -> Fields {
        fields(OF_ONE)
    }

    fn new((): &()) -> Self {
        Self::NONE
    }

    fn add(&mut self, row: &[f64]) -> Result<(), Error> {
        let [value] = row else { return Ok(()) };
        *self = self.joined(&Self::one(*value))?;
        Ok(())
    }

    fn merge(&mut self, other: &Self) -> Result<(), Error> {
        *self = self.joined(other)?;
        Ok(())
    }

    fn read(records: &StructArray) -> Result<Vec<Option<Self>>> {
        let of = |(n, [sum, two, three, four]): (i64, [f64; 4])| Self { n, sum, two, three, four };
        Ok(rows(records, OF_ONE)?.into_iter().map(|row| row.map(of)).collect())
    }

    fn write(all: &[Option<Self>]) -> Result<ArrayRef> {
        let counts: Int64Array = all.iter().map(|moments| Some(moments.as_ref()?.n)).collect();
        let columns = [Arc::new(counts) as ArrayRef].into_iter().chain(Self::columns(all)).collect();
        let known: NullBuffer = all.iter().map(Option::is_some).collect();
        Ok(Arc::new(StructArray::try_new(Self::fields(), columns, Some(known))?))
    }
}

impl Summary for Pairs {
    type Setting = ();

    fn fields() -> Fields {
        fields(OF_TWO)
    }

    fn new((): &()) -> Self {
        Self { x: Moments::NONE, y: Moments::NONE, xy: 0.0 }
    }

    /// A row is y and x, as in SQL.
    fn add(&mut self, row: &[f64]) -> Result<(), Error> {
        let [y, x] = row else { return Ok(()) };
        let xy = if x.is_finite() && y.is_finite() { 0.0 } else { f64::NAN };
        self.merge(&Self { x: Moments::one(*x), y: Moments::one(*y), xy })
    }

    fn merge(&mut self, other: &Self) -> Result<(), Error> {
        let (x, y) = (self.x.joined(&other.x)?, self.y.joined(&other.y)?);
        let xy = if self.x.n == 0 || other.x.n == 0 {
            self.xy + other.xy
        } else if self.xy.is_nan() || other.xy.is_nan() {
            f64::NAN
        } else {
            let moved = (other.x.average() - self.x.average()) * (float(other.x.n) / float(x.n));
            self.xy + other.xy + moved * (other.y.average() - self.y.average()) * float(self.x.n)
        };
        if xy.is_infinite() {
            return Err(Error::Overflow);
        }
        *self = Self { x, y, xy };
        Ok(())
    }

    fn read(records: &StructArray) -> Result<Vec<Option<Self>>> {
        let of = |(n, [sx, sx2, sx3, sx4, sy, sy2, sy3, sy4, xy]): (i64, [f64; 9])| Self {
            x: Moments { n, sum: sx, two: sx2, three: sx3, four: sx4 },
            y: Moments { n, sum: sy, two: sy2, three: sy3, four: sy4 },
            xy,
        };
        Ok(rows(records, OF_TWO)?.into_iter().map(|row| row.map(of)).collect())
    }

    fn write(all: &[Option<Self>]) -> Result<ArrayRef> {
        let side = |of: fn(&Self) -> Moments| all.iter().map(|pairs| pairs.as_ref().map(of)).collect::<Vec<_>>();
        let (x, y) = (side(|pairs| pairs.x), side(|pairs| pairs.y));
        let counts: Int64Array = x.iter().map(|moments| Some(moments.as_ref()?.n)).collect();
        let products: Float64Array = all.iter().map(|pairs| Some(pairs.as_ref()?.xy)).collect();
        let mut columns: Vec<ArrayRef> = vec![Arc::new(counts)];
        columns.extend(Moments::columns(&x));
        columns.extend(Moments::columns(&y));
        columns.push(Arc::new(products));
        let known: NullBuffer = all.iter().map(Option::is_some).collect();
        Ok(Arc::new(StructArray::try_new(Self::fields(), columns, Some(known))?))
    }
}
