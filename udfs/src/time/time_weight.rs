//! `time_weight(method, time, value)` with `average` and `integral`, and `time_weighted_average(method, time, value)`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::AggregateUDF;

use super::accessors::Accessor;
use super::points::{Arg, Point, Series, aggregate, not_null, one_of_each_time, times_of};
use crate::Error;
use crate::manual::Manual;

const SOURCE: &str = "https://docs.timescale.com/api/latest/hyperfunctions/time-weighted-calculations/time_weight/";
const POINTS: &str = "Rows whose time or value is NULL do not count; NULL when no row counts. Of rows of one time the \
                      least value counts. Another method is 22023, a method that is NULL 22004.";
const RECORD: &[&str] = &["first_time", "last_time", "weighted_sum"];

/// The pages.
pub(crate) static MANUALS: [Manual; 4] = [
    Manual {
        name: "time_weight",
        calls: &[
            ("(method text, time timestamp with time zone, value double precision)", "record"),
            ("(method text, time timestamp, value double precision)", "record"),
        ],
        meaning: "What a value comes to over time, as the record (first_time, first_val, last_time, last_val, \
                  weighted_sum), which average() and integral() read. By the method 'LOCF' a value stays until the next \
                  point, by 'Linear' it goes to the next in a line. weighted_sum is in units of the value times seconds. \
                  Points may come in any order; all of a group are kept in memory until the group is done.",
        nulls: POINTS,
        example: (
            "SELECT average(time_weight('Linear', t, v)) FROM (VALUES (TIMESTAMP '2024-01-01 00:00:00', 10), (TIMESTAMP '2024-01-01 \
             00:01:00', 20), (TIMESTAMP '2024-01-01 00:04:00', 20)) AS m(t, v)",
            "18.75",
        ),
        source: SOURCE,
    },
    Manual {
        name: "time_weighted_average",
        calls: &[
            ("(method text, time timestamp with time zone, value double precision)", "double precision"),
            ("(method text, time timestamp, value double precision)", "double precision"),
        ],
        meaning: "The average over the time from the first to the last point: average(time_weight(method, time, value)).",
        nulls: "Rows whose time or value is NULL do not count; NULL when fewer than two times remain. Of rows of one time \
                the least value counts. Another method is 22023, a method that is NULL 22004.",
        example: (
            "SELECT time_weighted_average('LOCF', t, v) FROM (VALUES (TIMESTAMP '2024-01-01 00:00:00', 10), (TIMESTAMP '2024-01-01 \
             00:01:00', 20), (TIMESTAMP '2024-01-01 00:04:00', 20)) AS m(t, v)",
            "17.5",
        ),
        source: SOURCE,
    },
    Manual {
        name: "average",
        calls: &[("(summary record)", "double precision")],
        meaning: "The average over time of what time_weight made, and the mean of what stats_agg made of one column.",
        nulls: "NULL gives NULL, and so does a record of one point.",
        example: ("SELECT average(time_weight('LOCF', to_timestamp(g), g)) FROM generate_series(1, 4) AS s(g)", "2.0"),
        source: SOURCE,
    },
    Manual {
        name: "integral",
        calls: &[("(summary record)", "double precision")],
        meaning: "The area below what time_weight made, in units of the value times seconds.",
        nulls: "NULL gives NULL; a record of one point gives 0.",
        example: (
            "SELECT integral(time_weight('LOCF', to_timestamp(60 * g), g)) FROM \
             generate_series(1, 4) AS s(g)",
            "360.0",
        ),
        source: "https://docs.timescale.com/api/latest/hyperfunctions/time-weighted-calculations/time_weight/#integral",
    },
];

/// The aggregates.
pub(crate) fn aggregates() -> Vec<Arc<AggregateUDF>> {
    vec![aggregate(TimeWeight { average: false }), aggregate(TimeWeight { average: true })]
}

/// What is asked of their records.
pub(crate) fn accessors() -> Vec<Accessor> {
    let average = |record: &super::accessors::Record<'_>| -> Result<ArrayRef> {
        let (sums, seconds) = (record.floats("weighted_sum")?, record.seconds()?);
        let averages = sums.iter().zip(&seconds).map(|(sum, seconds)| averaged(sum?, seconds?));
        Ok(Arc::new(averages.collect::<Float64Array>()))
    };
    vec![
        Accessor::new("average", RECORD, average),
        Accessor::new("integral", RECORD, |record| record.field("weighted_sum")),
    ]
}

fn averaged(sum: f64, seconds: f64) -> Option<f64> {
    (seconds != 0.0).then(|| sum / seconds)
}

/// What a value is between two points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    LastCarriedForward,
    Linear,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct TimeWeight {
    /// Whether the average is asked for, not the record.
    average: bool,
}

/// The first and the last point, and the sum of values times seconds between them.
struct Area {
    first: Point,
    last: Point,
    sum: f64,
}

impl Area {
    fn of(points: &[Point], method: Method) -> Option<Self> {
        let mut points = one_of_each_time(points);
        let first = points.next()?;
        let mut area = Self { first, last: first, sum: 0.0 };
        for point in points {
            let height = match method {
                Method::LastCarriedForward => area.last.value,
                // Halves first: the sum of two large values would be infinite.
                Method::Linear => area.last.value / 2.0 + point.value / 2.0,
            };
            area.sum += height * point.seconds_since(&area.last);
            area.last = point;
        }
        Some(area)
    }
}

impl Series for TimeWeight {
    type Setting = Method;

    fn name(&self) -> &'static str {
        if self.average { "time_weighted_average" } else { "time_weight" }
    }

    fn args(&self) -> &'static [Arg] {
        &[Arg::Text, Arg::Time, Arg::Value]
    }

    fn setting(&self, constant: Option<&ScalarValue>) -> Result<Method> {
        let Some(ScalarValue::Utf8(Some(method))) = constant else {
            return Err(not_null(self.name(), "the method").into());
        };
        match method.to_ascii_lowercase().as_str() {
            "locf" => Ok(Method::LastCarriedForward),
            "linear" | "trapezoidal" => Ok(Method::Linear),
            _ => Err(Error::InvalidParameter(format!("unknown method of {}: \"{method}\"", self.name())).into()),
        }
    }

    fn returns(&self, time: &DataType) -> DataType {
        if self.average {
            return DataType::Float64;
        }
        let field = |(name, of): (&str, &DataType)| Field::new(name, of.clone(), true);
        let fields = [
            ("first_time", time),
            ("first_val", &DataType::Float64),
            ("last_time", time),
            ("last_val", &DataType::Float64),
            ("weighted_sum", &DataType::Float64),
        ];
        DataType::Struct(fields.into_iter().map(field).collect::<Fields>())
    }

    fn finish(&self, method: &Method, groups: &[&[Point]], to: &DataType) -> Result<ArrayRef> {
        let areas: Vec<Option<Area>> = groups.iter().map(|points| Area::of(points, *method)).collect();
        let floats = |of: fn(&Area) -> Option<f64>| -> ArrayRef {
            Arc::new(areas.iter().map(|area| of(area.as_ref()?)).collect::<Float64Array>())
        };
        if self.average {
            return Ok(floats(|of| averaged(of.sum, of.last.seconds_since(&of.first))));
        }
        let DataType::Struct(fields) = to else { return exec_err!("time_weight gives records") };
        let time = fields.first().map_or(&DataType::Null, |field| field.data_type());
        let times = |of: fn(&Area) -> i64| times_of(areas.iter().map(|area| Some(of(area.as_ref()?))).collect(), time);
        let columns = vec![
            times(|of| of.first.time)?,
            floats(|of| Some(of.first.value)),
            times(|of| of.last.time)?,
            floats(|of| Some(of.last.value)),
            floats(|of| Some(of.sum)),
        ];
        let known: NullBuffer = areas.iter().map(Option::is_some).collect();
        debug_assert!(columns.iter().all(|column| column.len() == areas.len()));
        Ok(Arc::new(StructArray::try_new(fields.clone(), columns, Some(known))?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::testing::{Dice, in_every_way, times};
    use arrow::array::StringArray;

    fn average(method: &str, points: &[(i64, f64)]) -> Option<f64> {
        let methods: StringArray = points.iter().map(|_| Some(method)).collect();
        let values: Float64Array = points.iter().map(|(_, value)| Some(*value)).collect();
        let at = times(points.iter().map(|(second, _)| Some(second * 1_000_000)));
        match in_every_way(&aggregates()[1], &[Arc::new(methods), at, Arc::new(values)], &[0]) {
            ScalarValue::Float64(average) => average,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_value_stays_or_goes_in_a_line_to_the_next() {
        let points = [(0, 10.0), (60, 20.0), (240, 20.0)];
        assert_eq!(average("locf", &points), Some(17.5));
        assert_eq!(average("Linear", &points), Some(18.75));
        assert_eq!(average("LOCF", &[(7, 1.0), (7, 3.0)]), None);
        assert_eq!(average("Linear", &[(0, f64::MAX), (1, f64::MAX)]), Some(f64::MAX));
        assert!(average("Linear", &[(0, f64::NAN), (1, 1.0)]).unwrap().is_nan());
    }

    /// A series of whole seconds is an average of one value for each second.
    #[test]
    fn an_average_is_that_of_every_second() {
        let mut dice = Dice(3);
        for _ in 0..30 {
            let mut points: Vec<(i64, f64)> = Vec::new();
            let mut second = 0;
            for _ in 0..dice.roll(20) + 2 {
                points.push((second, u32::try_from(dice.roll(16)).unwrap().into()));
                second += 2 * i64::try_from(dice.roll(5) + 1).unwrap();
            }
            let (mut stays, mut line) = (Vec::new(), Vec::new());
            for pair in points.windows(2) {
                let steps = i32::try_from(pair[1].0 - pair[0].0).unwrap();
                for step in 0..steps {
                    stays.push(pair[0].1);
                    line.push(pair[0].1 + (pair[1].1 - pair[0].1) * (f64::from(step) + 0.5) / f64::from(steps));
                }
            }
            let mean = |of: &[f64]| of.iter().sum::<f64>() / f64::from(u32::try_from(of.len()).unwrap());
            points.reverse();
            assert!((average("LOCF", &points).unwrap() - mean(&stays)).abs() < 1e-9);
            assert!((average("Linear", &points).unwrap() - mean(&line)).abs() < 1e-9);
        }
    }

    #[test]
    fn other_methods_are_refused() {
        let of = TimeWeight { average: true };
        assert!(of.setting(Some(&ScalarValue::Utf8(Some("spline".to_owned())))).is_err());
        assert!(of.setting(Some(&ScalarValue::Utf8(None))).is_err());
    }
}
