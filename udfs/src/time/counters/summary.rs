//! What the points of a counter or a gauge come to, in one pass.

use crate::time::points::{Point, one_of_each_time};

/// A series from its first to its last point.
#[derive(Debug)]
pub(super) struct Summary {
    pub(super) first: Point,
    pub(super) last: Point,
    /// The change from the first to the last point, of a counter without its resets.
    pub(super) delta: f64,
    pub(super) elements: i64,
    pub(super) changes: i64,
    pub(super) resets: i64,
    line: Line,
}

impl Summary {
    /// Of points in order of time, with resets if they are a counter's.
    pub(super) fn of(points: &[Point], resets: bool) -> Option<Self> {
        let mut points = one_of_each_time(points);
        let first = points.next()?;
        let mut before_reset = 0.0;
        let mut line = Line::default();
        line.add(0.0, first.value);
        let mut of = Self { first, last: first, delta: 0.0, elements: 1, changes: 0, resets: 0, line };
        for point in points {
            if resets && point.value < of.last.value {
                before_reset += of.last.value;
                of.resets += 1;
            }
            of.changes += i64::from(point.value != of.last.value);
            of.elements += 1;
            of.line.add(point.seconds_since(&first), point.value + before_reset);
            of.last = point;
        }
        of.delta = of.last.value + before_reset - first.value;
        Some(of)
    }

    /// The slope of the line of least squares, per second.
    pub(super) fn slope(&self) -> Option<f64> {
        (self.elements > 1).then(|| self.line.products / self.line.squares)
    }
}

/// The sums of a linear regression around the means, as Welford adds them.
#[derive(Debug, Default)]
struct Line {
    count: f64,
    mean_x: f64,
    mean_y: f64,
    squares: f64,
    products: f64,
}

impl Line {
    fn add(&mut self, x: f64, y: f64) {
        self.count += 1.0;
        let from_mean = x - self.mean_x;
        self.mean_x += from_mean / self.count;
        self.squares += from_mean * (x - self.mean_x);
        self.mean_y += (y - self.mean_y) / self.count;
        self.products += from_mean * (y - self.mean_y);
    }
}
