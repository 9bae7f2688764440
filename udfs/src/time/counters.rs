//! `counter_agg(time, value)`, `gauge_agg(time, value)` and what is asked of them: `delta`, `rate`, `slope` and others.
//!
//! A counter only rises, so a value below the one before means that it began again at zero. A gauge goes up and down.

mod manuals;
mod summary;

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::AggregateUDF;

use super::accessors::{Accessor, Record};
use super::points::{Arg, Point, Series, aggregate, times_of};
pub(crate) use manuals::manuals;
use summary::Summary;

/// The aggregates.
pub(crate) fn aggregates() -> Vec<Arc<AggregateUDF>> {
    vec![
        aggregate(Summaries { resets: true }),
        aggregate(Summaries { resets: false }),
        aggregate(Figure { name: "counter_delta", resets: true, of: Wanted::Delta }),
        aggregate(Figure { name: "counter_rate", resets: true, of: Wanted::Rate }),
        aggregate(Figure { name: "gauge_delta", resets: false, of: Wanted::Delta }),
        aggregate(Figure { name: "gauge_rate", resets: false, of: Wanted::Rate }),
        aggregate(Figure { name: "derivative", resets: false, of: Wanted::Slope }),
    ]
}

/// What is asked of their records.
pub(crate) fn accessors() -> Vec<Accessor> {
    const DELTA: &[&str] = &["first_time", "last_time", "delta"];
    vec![
        Accessor::new("delta", DELTA, |record| record.field("delta")),
        Accessor::new("increase", DELTA, |record| record.field("delta")),
        Accessor::new("rate", DELTA, rate),
        Accessor::new("slope", &["slope"], |record| record.field("slope")),
        Accessor::new("num_elements", &["num_elements"], |record| record.field("num_elements")),
        Accessor::new("num_changes", &["num_changes"], |record| record.field("num_changes")),
        Accessor::new("num_resets", &["num_resets"], |record| record.field("num_resets")),
        Accessor::new("time_delta", DELTA, |record| Ok(Arc::new(record.seconds()?))),
    ]
}

fn rate(record: &Record<'_>) -> Result<ArrayRef> {
    let (deltas, seconds) = (record.floats("delta")?, record.seconds()?);
    let rates = deltas.iter().zip(&seconds).map(|(delta, seconds)| per_second(delta?, seconds?));
    Ok(Arc::new(rates.collect::<Float64Array>()))
}

/// `None` where no time has passed.
fn per_second(delta: f64, seconds: f64) -> Option<f64> {
    (seconds != 0.0).then(|| delta / seconds)
}

/// All that is known of a counter, or of a gauge, as one record.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Summaries {
    resets: bool,
}

impl Series for Summaries {
    type Setting = ();

    fn name(&self) -> &'static str {
        if self.resets { "counter_agg" } else { "gauge_agg" }
    }

    fn args(&self) -> &'static [Arg] {
        &[Arg::Time, Arg::Value]
    }

    fn setting(&self, _: Option<&ScalarValue>) -> Result<()> {
        Ok(())
    }

    fn returns(&self, time: &DataType) -> DataType {
        let field = |(name, of): (&str, &DataType)| Field::new(name, of.clone(), true);
        let mut fields: Vec<Field> = [
            ("first_time", time),
            ("first_val", &DataType::Float64),
            ("last_time", time),
            ("last_val", &DataType::Float64),
            ("delta", &DataType::Float64),
            ("slope", &DataType::Float64),
            ("num_elements", &DataType::Int64),
            ("num_changes", &DataType::Int64),
        ]
        .map(field)
        .into();
        if self.resets {
            fields.push(field(("num_resets", &DataType::Int64)));
        }
        DataType::Struct(Fields::from(fields))
    }

    fn finish(&self, (): &(), groups: &[&[Point]], to: &DataType) -> Result<ArrayRef> {
        let DataType::Struct(fields) = to else { return exec_err!("{} gives records", self.name()) };
        let all: Vec<Option<Summary>> = groups.iter().map(|points| Summary::of(points, self.resets)).collect();
        let known: NullBuffer = all.iter().map(Option::is_some).collect();
        let floats = |of: fn(&Summary) -> Option<f64>| -> ArrayRef {
            Arc::new(all.iter().map(|summary| of(summary.as_ref()?)).collect::<Float64Array>())
        };
        let counts = |of: fn(&Summary) -> i64| -> ArrayRef {
            Arc::new(all.iter().map(|summary| Some(of(summary.as_ref()?))).collect::<Int64Array>())
        };
        let times = |of: fn(&Summary) -> i64| {
            let time = fields.first().map_or(&DataType::Null, |field| field.data_type());
            times_of(all.iter().map(|summary| Some(of(summary.as_ref()?))).collect(), time)
        };
        let mut columns = vec![
            times(|of| of.first.time)?,
            floats(|of| Some(of.first.value)),
            times(|of| of.last.time)?,
            floats(|of| Some(of.last.value)),
            floats(|of| Some(of.delta)),
            floats(Summary::slope),
            counts(|of| of.elements),
            counts(|of| of.changes),
        ];
        if self.resets {
            columns.push(counts(|of| of.resets));
        }
        Ok(Arc::new(StructArray::try_new(fields.clone(), columns, Some(known))?))
    }
}

/// One figure of a summary.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Figure {
    name: &'static str,
    resets: bool,
    of: Wanted,
}

#[derive(Debug, PartialEq, Eq, Hash)]
enum Wanted {
    Delta,
    Rate,
    Slope,
}

impl Series for Figure {
    type Setting = ();

    fn name(&self) -> &'static str {
        self.name
    }

    fn args(&self) -> &'static [Arg] {
        &[Arg::Time, Arg::Value]
    }

    fn setting(&self, _: Option<&ScalarValue>) -> Result<()> {
        Ok(())
    }

    fn returns(&self, _: &DataType) -> DataType {
        DataType::Float64
    }

    fn finish(&self, (): &(), groups: &[&[Point]], _: &DataType) -> Result<ArrayRef> {
        let figure = |points: &&[Point]| {
            let summary = Summary::of(points, self.resets)?;
            match self.of {
                Wanted::Delta => Some(summary.delta),
                Wanted::Rate => per_second(summary.delta, summary.last.seconds_since(&summary.first)),
                Wanted::Slope => summary.slope(),
            }
        };
        Ok(Arc::new(groups.iter().map(figure).collect::<Float64Array>()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::testing::{Dice, in_every_way, times};
    use arrow::array::AsArray;

    fn columns(points: &[(i64, f64)]) -> [ArrayRef; 2] {
        let values: Float64Array = points.iter().map(|(_, value)| Some(*value)).collect();
        [times(points.iter().map(|(second, _)| Some(second * 1_000_000))), Arc::new(values)]
    }

    fn figure(name: &str, columns: &[ArrayRef]) -> Option<f64> {
        let all = aggregates();
        let udaf = all.iter().find(|udaf| udaf.name() == name).unwrap();
        match in_every_way(udaf, columns, &[]) {
            ScalarValue::Float64(figure) => figure,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_counter_that_begins_again_went_on_from_zero() {
        let points = columns(&[(0, 10.0), (60, 30.0), (120, 5.0), (180, 5.0), (240, 2.0), (300, 12.0)]);
        assert_eq!(figure("counter_delta", &points), Some(20.0 + 5.0 + 0.0 + 2.0 + 10.0));
        assert_eq!(figure("counter_rate", &points), Some(37.0 / 300.0));
        assert_eq!(figure("gauge_delta", &points), Some(2.0));
        assert_eq!(figure("gauge_rate", &points), Some(2.0 / 300.0));
        let record = in_every_way(&aggregates()[0], &points, &[]).to_array().unwrap();
        let record: &StructArray = record.as_struct();
        let count =
            |name: &str| record.column_by_name(name).unwrap().as_primitive::<arrow::datatypes::Int64Type>().value(0);
        assert_eq!([count("num_elements"), count("num_changes"), count("num_resets")], [6, 4, 2]);
    }

    #[test]
    fn one_point_has_a_delta_but_no_rate_and_none_has_nothing() {
        let one = columns(&[(7, 3.0), (7, 4.0)]);
        assert_eq!(figure("counter_delta", &one), Some(0.0));
        assert_eq!((figure("counter_rate", &one), figure("derivative", &one)), (None, None));
        let none: [ArrayRef; 2] = [times([None, Some(1)]), Arc::new(Float64Array::from(vec![Some(1.0), None]))];
        assert_eq!((figure("counter_delta", &none), figure("gauge_rate", &none)), (None, None));
        assert!(in_every_way(&aggregates()[0], &none, &[]).is_null());
    }

    /// The increase is the sum of the steps up, and of the values after a step down, of points in any order.
    #[test]
    fn figures_are_those_of_their_definitions() {
        let mut dice = Dice(11);
        for _ in 0..50 {
            let mut points: Vec<(i64, f64)> = Vec::new();
            for second in 0..dice.roll(40) + 2 {
                points.push((
                    i64::try_from(second * 3 + dice.roll(3)).unwrap(),
                    u32::try_from(dice.roll(9)).unwrap().into(),
                ));
            }
            let increase: f64 =
                points.windows(2).map(|of| if of[1].1 < of[0].1 { of[1].1 } else { of[1].1 - of[0].1 }).sum();
            let count = f64::from(u32::try_from(points.len()).unwrap());
            let seconds: Vec<f64> = points.iter().map(|of| f64::from(i32::try_from(of.0).unwrap())).collect();
            let mean = seconds.iter().sum::<f64>() / count;
            let middle = points.iter().map(|of| of.1).sum::<f64>() / count;
            let above: f64 = points.iter().zip(&seconds).map(|(of, second)| (second - mean) * (of.1 - middle)).sum();
            let below: f64 = seconds.iter().map(|second| (second - mean).powi(2)).sum();
            let change = points.last().unwrap().1 - points[0].1;
            for at in (1..points.len()).rev() {
                points.swap(at, usize::try_from(dice.roll(at as u64 + 1)).unwrap());
            }
            let columns = columns(&points);
            assert_eq!(figure("counter_delta", &columns), Some(increase));
            assert_eq!(figure("gauge_delta", &columns), Some(change));
            assert!((figure("derivative", &columns).unwrap() - above / below).abs() < 1e-9);
        }
    }
}
