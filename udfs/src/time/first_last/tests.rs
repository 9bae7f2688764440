//! The winners are those of a plain search, in every way that rows can come.

use super::*;
use crate::time::testing::{Dice, in_every_way, made};
use arrow::array::{
    Array, Date32Array, Decimal128Array, Float64Array, Int64Array, IntervalMonthDayNanoArray, StringArray,
    StringViewArray, TimestampMicrosecondArray,
};
use arrow::datatypes::IntervalMonthDayNano;

fn text(of: &str) -> ScalarValue {
    ScalarValue::Utf8(Some(of.to_owned()))
}

fn ends(times: ArrayRef) -> (ScalarValue, ScalarValue) {
    let values: StringArray = (0..times.len()).map(|row| Some(format!("v{row}"))).collect();
    let columns = [Arc::new(values) as ArrayRef, times];
    (in_every_way(&first(), &columns, &[]), in_every_way(&last(), &columns, &[]))
}

#[test]
fn the_value_of_the_least_and_of_the_greatest_time_is_found_whatever_times_are() {
    let span = |months, days, nanoseconds| Some(IntervalMonthDayNano::new(months, days, nanoseconds));
    let types: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![None, Some(5), Some(-2), Some(7), None])),
        Arc::new(TimestampMicrosecondArray::from(vec![None, Some(5), Some(-2), Some(7), None]).with_timezone("UTC")),
        Arc::new(Date32Array::from(vec![None, Some(5), Some(-2), Some(7), None])),
        Arc::new(Float64Array::from(vec![None, Some(5.0), Some(f64::NEG_INFINITY), Some(-f64::NAN), None])),
        Arc::new(Decimal128Array::from(vec![None, Some(5), Some(-2), Some(7), None])),
        Arc::new(StringArray::from(vec![None, Some("b"), Some("a"), Some("ba"), None])),
        Arc::new(StringViewArray::from(vec![None, Some("b"), Some("a"), Some("ba"), None])),
        Arc::new(IntervalMonthDayNanoArray::from(vec![None, span(0, 31, 0), span(1, -1, 0), span(1, 1, 1), None])),
    ];
    for times in types {
        let of = times.data_type().clone();
        assert_eq!(ends(times), (text("v2"), text("v3")), "{of}");
    }
    assert_eq!(
        ends(arrow::array::new_null_array(&DataType::Null, 3)),
        (ScalarValue::Utf8(None), ScalarValue::Utf8(None))
    );
}

#[test]
fn a_value_that_is_null_counts_and_of_one_time_the_first_row() {
    let values: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(3), Some(4)]));
    let times: ArrayRef = Arc::new(Int64Array::from(vec![Some(9), Some(2), Some(2), Some(9)]));
    let of = |udaf: Arc<AggregateUDF>| {
        let mut all =
            made(&udaf, &[Arc::clone(&values), Arc::clone(&times)], &[], |args| udaf.accumulator(args).unwrap());
        all.update_batch(&[Arc::clone(&values), Arc::clone(&times)]).unwrap();
        all.evaluate().unwrap()
    };
    assert_eq!(of(first()), ScalarValue::Int64(None));
    assert_eq!(of(last()), ScalarValue::Int64(Some(1)));
}

/// Many groups over many batches, against a search through all rows; the memory follows what is kept.
#[test]
fn many_groups_are_those_of_a_plain_search() {
    let mut dice = Dice(7);
    let count = 500;
    for is_text in [false, true] {
        let udaf = last();
        let mut best: Vec<Option<(i64, i64)>> = vec![None; count];
        let mut all: Option<Box<dyn GroupsAccumulator>> = None;
        for batch in 0..200_i64 {
            let rows = 0..64_i64;
            let groups: Vec<usize> = rows.clone().map(|_| usize::try_from(dice.roll(count as u64)).unwrap()).collect();
            // No time comes twice, so that no row ties.
            let times: Vec<i64> = rows.clone().map(|row| (batch * 64 + row) * 7_919 % 12_801).collect();
            let values: Int64Array = rows.clone().map(|row| batch * 64 + row).collect();
            for ((group, time), value) in groups.iter().zip(&times).zip(values.values()) {
                if best[*group].is_none_or(|(found, _)| *time > found) {
                    best[*group] = Some((*time, *value));
                }
            }
            let times: ArrayRef = match is_text {
                true => Arc::new(StringArray::from_iter_values(times.iter().map(|time| format!("{time:06}")))),
                false => Arc::new(Int64Array::from(times)),
            };
            let columns = [Arc::new(values) as ArrayRef, times];
            let all = all.get_or_insert_with(|| {
                made(&udaf, &columns, &[], |args| udaf.create_groups_accumulator(args).unwrap())
            });
            all.update_batch(&columns, &groups, None, count).unwrap();
            assert!(all.size() < 200_000, "{}", all.size());
        }
        let mut all = all.unwrap();
        let few = all.evaluate(EmitTo::First(123)).unwrap();
        let rest = all.evaluate(EmitTo::All).unwrap();
        let found = arrow::compute::concat(&[few.as_ref(), rest.as_ref()]).unwrap();
        let expect: Int64Array = best.iter().map(|best| best.map(|(_, value)| value)).collect();
        assert_eq!(found.to_data(), expect.to_data());
        assert!(all.size() < 20_000);
    }
}

#[test]
fn a_window_moves() {
    let udaf = first();
    let column = |of: &[Option<i64>]| {
        [Arc::new(Int64Array::from(of.to_vec())) as ArrayRef, Arc::new(Int64Array::from(of.to_vec()))]
    };
    let mut window = made(&udaf, &column(&[]), &[], |args| udaf.create_sliding_accumulator(args).unwrap());
    let rows = [Some(5), None, Some(2), Some(2), Some(9)];
    window.update_batch(&column(&rows[..3])).unwrap();
    assert_eq!(window.evaluate().unwrap(), ScalarValue::Int64(Some(2)));
    window.update_batch(&column(&rows[3..])).unwrap();
    window.retract_batch(&column(&rows[..4])).unwrap();
    assert_eq!(window.evaluate().unwrap(), ScalarValue::Int64(Some(9)));
    window.retract_batch(&column(&rows[4..])).unwrap();
    assert_eq!(window.evaluate().unwrap(), ScalarValue::Int64(None));
}
