//! `lttb(time, value, n)`, `m4(time, value, n)` - fewer points that look the same in a chart, as an array of records.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, ListArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::AggregateUDF;

use super::points::{Arg, Point, Series, aggregate, not_null, times_of};
use crate::Error;
use crate::manual::Manual;

/// The page of `lttb`.
pub(crate) static LTTB: Manual = Manual {
    name: "lttb",
    calls: &[
        ("(time timestamp with time zone, value double precision, n integer)", "record[]"),
        ("(time timestamp, value double precision, n integer)", "record[]"),
    ],
    meaning: "n of the points, by largest triangle three buckets: the first and the last, and of each of n - 2 buckets of \
              equally many points the one that makes the largest triangle with the point chosen before and the mean of \
              the next bucket. All points where there are no more than n. The records are (time, value), in order of \
              time: SELECT p.time, p.value FROM unnest((SELECT lttb(t, v, 100) FROM m)) AS p. Points may come in \
              any order; all of a group are kept in memory until the group is done (53200 where that is too much).",
    nulls: "Rows whose time or value is NULL do not count; NULL when no row counts. n of 2 or less is 22023, n that is NULL \
            22004. NaN is never chosen but at the ends, or where its bucket or the next has it.",
    example: ("SELECT cardinality(lttb(to_timestamp(g), g % 7, 50)) FROM generate_series(1, 900) AS s(g)", "50"),
    source: "https://skemman.is/bitstream/1946/15343/3/SS_MSthesis.pdf",
};

/// The page of `m4`.
pub(crate) static M4: Manual = Manual {
    name: "m4",
    calls: &[
        ("(time timestamp with time zone, value double precision, n integer)", "record[]"),
        ("(time timestamp, value double precision, n integer)", "record[]"),
    ],
    meaning: "Of each of n parts of the time from the first to the last point: the first and the last point, and the first \
              of those with the least and with the greatest value - what a line chart of n pixels needs to look as with \
              all points. The records are (time, value), in order of time, and at most 4 times n: SELECT p.time, \
              p.value FROM unnest((SELECT m4(t, v, 100) FROM m)) AS p. Points may come in any order; all of a group \
              are kept in memory until the group is done (53200 where that is too much).",
    nulls: "Rows whose time or value is NULL do not count; NULL when no row counts. n below 1 is 22023, n that is NULL \
            22004. NaN is neither least nor greatest.",
    example: ("SELECT cardinality(m4(to_timestamp(g), g % 7, 3)) FROM generate_series(1, 900) AS s(g)", "10"),
    source: "https://www.vldb.org/pvldb/vol7/p797-jugel.pdf",
};

/// The aggregates.
pub(crate) fn aggregates() -> Vec<Arc<AggregateUDF>> {
    vec![aggregate(Fewer { name: "lttb", least: 3, pick: lttb }), aggregate(Fewer { name: "m4", least: 1, pick: m4 })]
}

#[derive(Debug)]
struct Fewer {
    name: &'static str,
    /// The least number that may be asked for.
    least: i64,
    pick: fn(&[Point], usize) -> Vec<Point>,
}

impl PartialEq for Fewer {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Fewer {}

impl std::hash::Hash for Fewer {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl Series for Fewer {
    type Setting = usize;

    fn name(&self) -> &'static str {
        self.name
    }

    fn args(&self) -> &'static [Arg] {
        &[Arg::Time, Arg::Value, Arg::Int]
    }

    fn setting(&self, constant: Option<&ScalarValue>) -> Result<usize> {
        match constant {
            Some(ScalarValue::Int64(Some(count))) if *count >= self.least => {
                Ok(usize::try_from(*count).unwrap_or(usize::MAX))
            }
            Some(ScalarValue::Int64(Some(_))) => {
                let message = format!("resolution of {} must be greater than {}", self.name, self.least - 1);
                Err(Error::InvalidParameter(message).into())
            }
            _ => Err(not_null(self.name, "the resolution").into()),
        }
    }

    fn returns(&self, time: &DataType) -> DataType {
        let fields = [Field::new("time", time.clone(), true), Field::new("value", DataType::Float64, true)];
        DataType::List(Arc::new(Field::new_list_field(DataType::Struct(Fields::from(fields.to_vec())), true)))
    }

    fn finish(&self, count: &usize, groups: &[&[Point]], to: &DataType) -> Result<ArrayRef> {
        let DataType::List(item) = to else { return exec_err!("{} gives arrays", self.name) };
        let DataType::Struct(fields) = item.data_type() else { return exec_err!("{} gives records", self.name) };
        let picked: Vec<Vec<Point>> = groups.iter().map(|points| (self.pick)(points, *count)).collect();
        if i32::try_from(picked.iter().map(Vec::len).sum::<usize>()).is_err() {
            return Err(Error::LimitExceeded(format!("{} gives more than 2147483647 points", self.name)).into());
        }
        let all = || picked.iter().flatten();
        let time = fields.first().map_or(&DataType::Null, |field| field.data_type());
        let times = times_of(all().map(|point| Some(point.time)).collect(), time)?;
        let values: ArrayRef = Arc::new(all().map(|point| Some(point.value)).collect::<Float64Array>());
        let records = StructArray::try_new(fields.clone(), vec![times, values], None)?;
        let offsets = OffsetBuffer::from_lengths(picked.iter().map(Vec::len));
        let known: NullBuffer = groups.iter().map(|points| !points.is_empty()).collect();
        Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, Arc::new(records), Some(known))?))
    }
}

/// Largest triangle three buckets.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "rows")]
fn lttb(points: &[Point], count: usize) -> Vec<Point> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    if points.len() <= count {
        return points.to_vec();
    }
    let every = (points.len() - 2) as f64 / (count - 2) as f64;
    let start = |bucket: usize| (bucket as f64 * every) as usize + 1;
    let bucket = |of: usize| points.get(start(of)..start(of + 1).min(points.len())).unwrap_or_default();
    let mut picked = Vec::with_capacity(count);
    picked.push(*first);
    let mut before = *first;
    for at in 0..count - 2 {
        // Behind the last bucket there is the last point.
        let next = match bucket(at + 1) {
            [] => std::slice::from_ref(last),
            next => next,
        };
        let mean = |of: &dyn Fn(&Point) -> f64| next.iter().map(of).sum::<f64>() / next.len() as f64;
        let (x, y) = (mean(&|point| point.seconds_since(&before)), mean(&|point| point.value - before.value));
        let area = |point: &Point| (x * (point.value - before.value) - point.seconds_since(&before) * y).abs();
        let mut best: Option<(f64, Point)> = None;
        for point in bucket(at) {
            let area = area(point);
            if best.is_none_or(|(largest, _)| area > largest || largest.is_nan()) {
                best = Some((area, *point));
            }
        }
        if let Some((_, point)) = best {
            picked.push(point);
            before = point;
        }
    }
    picked.push(*last);
    picked
}

/// First, last, least and greatest of each part of the time.
fn m4(points: &[Point], count: usize) -> Vec<Point> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    let (begin, span) = (i128::from(first.time), i128::from(last.time) - i128::from(first.time));
    // Fewer than microseconds, so that the product fits.
    let parts = i128::try_from(count).unwrap_or(i128::MAX).min(1 << 62);
    let part = |point: &Point| {
        let passed = i128::from(point.time) - begin;
        // The last point belongs to the last part.
        (passed * parts).checked_div(span).map_or(0, |part| part.min(parts - 1))
    };
    let mut picked = Vec::new();
    for points in points.chunk_by(|one, other| part(one) == part(other)) {
        let extreme = |is_better: fn(f64, f64) -> bool| {
            let known = points.iter().enumerate().filter(|(_, point)| !point.value.is_nan());
            known.reduce(|best, next| if is_better(next.1.value, best.1.value) { next } else { best }).map(|(at, _)| at)
        };
        let (least, greatest) = (extreme(|next, best| next < best), extreme(|next, best| next > best));
        let mut rows = [Some(0), least, greatest, points.len().checked_sub(1)];
        rows.sort_unstable();
        let mut before = None;
        for row in rows.into_iter().flatten() {
            if before.replace(row) != Some(row) {
                picked.extend(points.get(row));
            }
        }
    }
    picked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::testing::{Dice, in_every_way, times};
    use arrow::array::{Array, AsArray, Int64Array};
    use arrow::datatypes::{Float64Type, TimestampMicrosecondType};

    fn picked(at: usize, points: &[(i64, f64)], count: i64) -> Option<Vec<(i64, f64)>> {
        let values: Float64Array = points.iter().map(|(_, value)| Some(*value)).collect();
        let counts = Int64Array::from(vec![count; points.len()]);
        let columns =
            [times(points.iter().map(|(time, _)| Some(*time))), Arc::new(values) as ArrayRef, Arc::new(counts)];
        let value = in_every_way(&aggregates()[at], &columns, &[2]).to_array().unwrap();
        let lists: &ListArray = value.as_list();
        let records = lists.is_valid(0).then(|| lists.value(0))?;
        let records: &StructArray = records.as_struct();
        let times = records.column(0).as_primitive::<TimestampMicrosecondType>().values().to_vec();
        Some(times.into_iter().zip(records.column(1).as_primitive::<Float64Type>().values().to_vec()).collect())
    }

    fn walk(dice: &mut Dice, count: u64) -> Vec<(i64, f64)> {
        let (mut time, mut value) = (0, 0.0);
        let step = |_| {
            time += i64::try_from(dice.roll(1_000) + 1).unwrap();
            value += f64::from(u32::try_from(dice.roll(21)).unwrap()) - 10.0;
            (time, value)
        };
        (0..count).map(step).collect()
    }

    /// The loops of the thesis, with the coordinates that it has.
    fn thesis(points: &[(i64, f64)], count: usize) -> Vec<(i64, f64)> {
        let x = |at: usize| f64::from(i32::try_from(points[at].0).unwrap());
        let every = f64::from(u32::try_from(points.len() - 2).unwrap()) / f64::from(u32::try_from(count - 2).unwrap());
        let floor =
            |of: f64| (0..points.len() + 9).rev().find(|at| f64::from(u32::try_from(*at).unwrap()) <= of).unwrap();
        let (mut a, mut out) = (0, vec![points[0]]);
        for i in 0..u32::try_from(count - 2).unwrap() {
            let edge = |by: u32| (floor(f64::from(i + by) * every) + 1).min(points.len());
            let next = edge(1)..edge(2);
            let length = f64::from(u32::try_from(next.len()).unwrap());
            let mean_x = next.clone().map(x).sum::<f64>() / length;
            let mean_y = next.map(|at| points[at].1).sum::<f64>() / length;
            let mut largest = -1.0;
            let mut chosen = 0;
            for at in edge(0)..edge(1) {
                let area =
                    ((x(a) - mean_x) * (points[at].1 - points[a].1) - (x(a) - x(at)) * (mean_y - points[a].1)).abs();
                if area > largest {
                    (largest, chosen) = (area, at);
                }
            }
            out.push(points[chosen]);
            a = chosen;
        }
        out.push(points[points.len() - 1]);
        out
    }

    #[test]
    fn triangles_are_those_of_the_thesis_whatever_the_order_of_rows() {
        let mut dice = Dice(1);
        for count in [3, 4, 7, 20, 39] {
            let points = walk(&mut dice, 40);
            let mut mixed = points.clone();
            mixed.reverse();
            mixed.swap(3, 17);
            let expect = thesis(&points, usize::try_from(count).unwrap());
            assert_eq!(picked(0, &mixed, count), Some(expect), "{count}");
            assert_eq!(picked(0, &mixed, 40), Some(points), "{count}");
        }
    }

    /// Each part has its ends and its extremes, so that no line of a chart is lost.
    #[test]
    fn parts_keep_their_ends_and_extremes() {
        let mut dice = Dice(2);
        for count in [1_i64, 2, 5, 30] {
            let mut points = walk(&mut dice, 200);
            let (begin, end) = (points[0].0, points[199].0);
            let mut expect = Vec::new();
            for part in 0..count {
                let inside = |of: &&(i64, f64)| ((of.0 - begin) * count / (end - begin)).min(count - 1) == part;
                let of: Vec<_> = points.iter().filter(inside).copied().collect();
                let (Some(first), Some(last)) = (of.first(), of.last()) else { continue };
                let low = of.iter().map(|of| of.1).fold(f64::INFINITY, f64::min);
                let high = of.iter().map(|of| of.1).fold(f64::NEG_INFINITY, f64::max);
                let at = |value: f64| *of.iter().find(|of| of.1.total_cmp(&value).is_eq()).unwrap();
                let mut four = vec![*first, at(low), at(high), *last];
                four.sort_by_key(|of| of.0);
                four.dedup();
                expect.extend(four);
            }
            points.rotate_left(77);
            assert_eq!(picked(1, &points, count), Some(expect), "{count}");
        }
    }

    #[test]
    fn few_points_stay_and_none_give_null() {
        for at in [0, 1] {
            assert_eq!(picked(at, &[(5, 1.0)], 3), Some(vec![(5, 1.0)]));
            assert_eq!(picked(at, &[(5, 1.0), (5, 2.0)], 3), Some(vec![(5, 1.0), (5, 2.0)]));
            assert!(picked(at, &[(5, f64::NAN), (6, f64::NAN), (7, 1.0), (8, f64::NAN)], 3).is_some());
        }
        let no_value: [ArrayRef; 3] =
            [times([Some(1)]), Arc::new(Float64Array::from(vec![None])), Arc::new(Int64Array::from(vec![3]))];
        assert!(in_every_way(&aggregates()[0], &no_value, &[2]).is_null());
    }

    #[test]
    fn a_resolution_that_is_too_small_is_refused() {
        let of = |name, least| Fewer { name, least, pick: m4 };
        let count = |count| Some(ScalarValue::Int64(count));
        assert!(of("lttb", 3).setting(count(Some(2)).as_ref()).is_err());
        assert!(of("m4", 1).setting(count(Some(0)).as_ref()).is_err());
        assert!(of("m4", 1).setting(count(None).as_ref()).is_err());
        assert_eq!(of("m4", 1).setting(count(Some(1)).as_ref()).unwrap(), 1);
    }
}
