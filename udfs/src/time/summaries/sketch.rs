//! A UDDSketch: how many values there are in buckets whose bounds grow by one factor, so that a quantile is known to a
//! relative error. When there are more buckets than it may have, each becomes one with its neighbour, which squares the
//! factor.
//!
//! Owns: the buckets. A value's is found at the finest factor and then halved, so that neither the order of values nor
//! that of merges shows in them. Must never know: SQL.
//! Epicoco, Melle, Cafaro, Pulimeno, Morleo: UDDSketch: Accurate Tracking of Quantiles in Data Streams (2020),
//! <https://arxiv.org/abs/2004.08604>

use super::float;
use crate::Error;

/// Fewer would never do: both signs come to a bucket for less than one and one for more at most, and one of infinity
/// each, and there is one for zero.
pub(super) const SIZE_MIN: i64 = 7;
pub(super) const SIZE_MAX: i64 = 10_000;
/// The least error, as in Toolkit; with less a bucket would be narrower than the steps of double precision.
pub(super) const ERROR_MIN: f64 = 1e-12;
/// The number of the bucket of infinity.
const INFINITE: i64 = i64::MAX;
/// The buckets of the least error come to one of each side of 1 before.
const COLLAPSES_MAX: u32 = 60;

/// What a sketch is asked to be: its most buckets, and its error as long as it has not more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Setting {
    pub(super) size: i64,
    pub(super) error: f64,
}

impl Setting {
    pub(super) const DEFAULT: Self = Self { size: 200, error: 0.001 };

    pub(super) fn checked(size: i64, error: f64) -> Result<Self, Error> {
        if !(SIZE_MIN..=SIZE_MAX).contains(&size) {
            let message = format!("the size of a sketch must be between {SIZE_MIN} and {SIZE_MAX}");
            return Err(Error::InvalidParameter(message));
        }
        if !(ERROR_MIN..1.0).contains(&error) {
            let message = format!("the error of a sketch must be {ERROR_MIN:e} at least and less than 1");
            return Err(Error::InvalidParameter(message));
        }
        Ok(Self { size, error })
    }
}

/// A bucket: its sign, and its number, which is negative where the sign is, so that they are in the order of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bucket {
    pub(super) sign: i8,
    order: i64,
}

impl Bucket {
    pub(super) const ZERO: Self = Self { sign: 0, order: 0 };

    pub(super) fn new(sign: i8, index: i64) -> Self {
        Self { sign, order: if sign < 0 { -index } else { index } }
    }

    pub(super) fn index(self) -> i64 {
        if self.sign < 0 { -self.order } else { self.order }
    }

    /// The bucket that it is in after so many collapses.
    fn collapsed(self, times: u32) -> Self {
        match self.index() {
            _ if self.sign == 0 => self,
            INFINITE => self,
            // Of 1 and 2 comes 1, of -1 and 0 comes 0.
            index => Self::new(self.sign, -((-index) >> times)),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sketch {
    pub(super) setting: Setting,
    pub(super) collapses: u32,
    pub(super) count: i64,
    pub(super) sum: f64,
    /// In the order of values.
    pub(super) buckets: Vec<(Bucket, i64)>,
}

impl Sketch {
    /// The logarithm of the factor between the bounds of a bucket, now.
    fn width(&self) -> f64 {
        2.0 * self.setting.error.atanh() * f64::from(self.collapses).exp2()
    }

    /// How far a quantile may be off, as a part of it: equation 4 of the paper.
    pub(super) fn error(&self) -> f64 {
        (0..self.collapses).fold(self.setting.error, |error, _| 2.0 * error / (1.0 + error * error))
    }

    pub(super) fn mean(&self) -> f64 {
        self.sum / float(self.count)
    }

    #[expect(clippy::cast_possible_truncation, reason = "at most 4e14, see ERROR_MIN")]
    fn bucket(&self, value: f64) -> Bucket {
        let sign = if value > 0.0 { 1 } else { -1 };
        let index = match value.abs() {
            0.0 => return Bucket::ZERO,
            size if size.is_infinite() => INFINITE,
            size => (size.ln() / (2.0 * self.setting.error.atanh())).ceil() as i64,
        };
        Bucket::new(sign, index).collapsed(self.collapses)
    }

    /// What a value of the bucket is taken for: its bounds are as far away, as parts of themselves.
    fn value(&self, bucket: Bucket) -> f64 {
        let size = match bucket.index() {
            _ if bucket.sign == 0 => 0.0,
            INFINITE => f64::INFINITY,
            index => (((float(index) - 1.0) * self.width()).exp() * (1.0 + self.error())).min(f64::MAX),
        };
        f64::from(bucket.sign) * size
    }

    fn put(&mut self, bucket: Bucket, count: i64) {
        match self.buckets.binary_search_by_key(&bucket, |(of, _)| *of) {
            Ok(at) => {
                if let Some((_, have)) = self.buckets.get_mut(at) {
                    *have += count;
                }
            }
            Err(at) => self.buckets.insert(at, (bucket, count)),
        }
    }

    /// Collapses until there are not too many buckets.
    pub(super) fn fit(&mut self) {
        while i64::try_from(self.buckets.len()).unwrap_or(i64::MAX) > self.setting.size
            && self.collapses < COLLAPSES_MAX
        {
            self.collapse();
        }
    }

    fn collapse(&mut self) {
        self.collapses += 1;
        for (bucket, _) in &mut self.buckets {
            *bucket = bucket.collapsed(1);
        }
        self.buckets.dedup_by(|next, kept| {
            let is_same = next.0 == kept.0;
            if is_same {
                kept.1 += next.1;
            }
            is_same
        });
    }

    /// About the value that has the part `p` of the values before it; that of 1 is the last.
    #[expect(clippy::cast_possible_truncation, reason = "a rank is at most the count")]
    pub(super) fn percentile(&self, p: f64) -> Option<f64> {
        let rank = ((float(self.count) * p) as i64).min(self.count - 1);
        let mut before = 0;
        let found = self.buckets.iter().find(|(_, count)| {
            before += count;
            rank < before
        });
        found.map(|(bucket, _)| self.value(*bucket))
    }

    /// About the part of the values that is less than this one: of its own bucket, half. NaN is greater than all.
    pub(super) fn rank(&self, value: f64) -> f64 {
        if value.is_nan() {
            return 1.0;
        }
        let bucket = self.bucket(value);
        let less: i64 = self.buckets.iter().take_while(|(of, _)| *of < bucket).map(|(_, count)| count).sum();
        let own = self.buckets.iter().find(|(of, _)| *of == bucket).map_or(0, |(_, count)| *count);
        (float(less) + float(own) / 2.0) / float(self.count)
    }

    /// A sketch of what a record tells; `None` if there is no such sketch.
    pub(super) fn checked(mut self) -> Option<Self> {
        let Self { setting, collapses, count, buckets, .. } = &self;
        Setting::checked(setting.size, setting.error).ok()?;
        let sorted = buckets.is_sorted_by(|(one, _), (next, _)| one < next);
        let total = buckets.iter().try_fold(0_i64, |total, (_, count)| total.checked_add(*count))?;
        let counts = *count > 0 && total == *count && buckets.iter().all(|(_, count)| *count > 0);
        (sorted && counts && *collapses <= COLLAPSES_MAX).then(|| {
            self.fit();
            self
        })
    }

    pub(super) fn empty(setting: Setting) -> Self {
        Self { setting, collapses: 0, count: 0, sum: 0.0, buckets: Vec::new() }
    }

    pub(super) fn added(&mut self, value: f64) -> Result<(), Error> {
        self.count = self.count.checked_add(1).ok_or(Error::NumericOverflow("bigint"))?;
        self.sum += value;
        let bucket = self.bucket(value);
        self.put(bucket, 1);
        self.fit();
        Ok(())
    }

    pub(super) fn merged(&mut self, other: &Self) -> Result<(), Error> {
        if self.setting != other.setting {
            let message = "sketches of different sizes or errors cannot be rolled up";
            return Err(Error::InvalidParameter(message.to_owned()));
        }
        self.count = self.count.checked_add(other.count).ok_or(Error::NumericOverflow("bigint"))?;
        self.sum += other.sum;
        while self.collapses < other.collapses {
            self.collapse();
        }
        let more = self.collapses - other.collapses;
        for (bucket, count) in &other.buckets {
            self.put(bucket.collapsed(more), *count);
        }
        self.fit();
        Ok(())
    }

    pub(super) fn bytes(&self) -> usize {
        self.buckets.capacity() * size_of::<(Bucket, i64)>()
    }
}
