//! How the tests of aggregates on time series run them: whole, in parts, in groups.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, UInt32Array};
use arrow::compute::{concat, take};
use arrow::datatypes::{Field, FieldRef, Schema};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::{AggregateUDF, EmitTo};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{Column, Literal};

/// The arguments of an accumulator over these columns; a column of one value that is named constant is a literal.
pub(crate) fn made<R>(
    udaf: &AggregateUDF,
    columns: &[ArrayRef],
    constants: &[usize],
    make: impl FnOnce(AccumulatorArgs<'_>) -> R,
) -> R {
    let field = |(at, column): (usize, &ArrayRef)| {
        Arc::new(Field::new(format!("c{at}"), column.data_type().clone(), true)) as FieldRef
    };
    let fields: Vec<FieldRef> = columns.iter().enumerate().map(field).collect();
    let schema = Schema::new(fields.clone());
    let expr = |(at, column): (usize, &ArrayRef)| match constants.contains(&at) {
        true => Arc::new(Literal::new(ScalarValue::try_from_array(column, 0).unwrap())) as Arc<dyn PhysicalExpr>,
        false => Arc::new(Column::new(&format!("c{at}"), at)),
    };
    let exprs: Vec<_> = columns.iter().enumerate().map(expr).collect();
    make(AccumulatorArgs {
        return_field: udaf.return_field(&fields).unwrap(),
        schema: &schema,
        ignore_nulls: false,
        order_bys: &[],
        is_reversed: false,
        name: "x",
        is_distinct: false,
        exprs: &exprs,
        expr_fields: &fields,
    })
}

fn rows(columns: &[ArrayRef], rows: &[u32]) -> Vec<ArrayRef> {
    let rows = UInt32Array::from(rows.to_vec());
    columns.iter().map(|column| take(column, &rows, None).unwrap()).collect()
}

/// The value of all rows, which is the same in one piece, in parts that are merged, and in groups, however these come out.
pub(crate) fn in_every_way(udaf: &AggregateUDF, columns: &[ArrayRef], constants: &[usize]) -> ScalarValue {
    let count = u32::try_from(columns[0].len()).unwrap();
    let alone = || made(udaf, columns, constants, |args| udaf.accumulator(args).unwrap());
    let none = alone().evaluate().unwrap();
    let mut whole = alone();
    whole.update_batch(columns).unwrap();
    let value = whole.evaluate().unwrap();
    assert_eq!(whole.evaluate().unwrap(), value, "a value that is asked for twice");
    assert!(whole.size() > 0);

    let mut merged = alone();
    for part in (0..3).rev() {
        let mut piece = alone();
        let picked: Vec<u32> = (0..count).filter(|row| (row * 7 + row / 5) % 3 == part).collect();
        for few in picked.chunks(4) {
            piece.update_batch(&rows(columns, few)).unwrap();
        }
        let state: Vec<ArrayRef> = piece.state().unwrap().iter().map(|of| of.to_array().unwrap()).collect();
        merged.merge_batch(&state).unwrap();
    }
    assert_eq!(merged.evaluate().unwrap(), value, "parts");

    if made(udaf, columns, constants, |args| udaf.groups_accumulator_supported(args)) {
        in_groups(udaf, columns, constants, (&value, &none));
    }
    value
}

/// Groups 0 and 2 have all rows, group 1 has none, and a row that is filtered out.
fn in_groups(
    udaf: &AggregateUDF,
    columns: &[ArrayRef],
    constants: &[usize],
    (value, none): (&ScalarValue, &ScalarValue),
) {
    let grouped = || made(udaf, columns, constants, |args| udaf.create_groups_accumulator(args).unwrap());
    let count = columns[0].len();
    let half = u32::try_from(count / 2).unwrap();
    let all: Vec<u32> = (0..u32::try_from(count).unwrap()).collect();
    let (first, second) = all.split_at(half as usize);
    let mut merged = grouped();
    for piece in [second, first] {
        let mut part = grouped();
        for few in piece.chunks(5) {
            let columns = rows(columns, few);
            for group in [2, 0] {
                part.update_batch(&columns, &vec![group; few.len()], None, 3).unwrap();
            }
            let unknown: BooleanArray = (0..few.len()).map(|row| (row % 2 == 0).then_some(false)).collect();
            part.update_batch(&columns, &vec![1; few.len()], Some(&unknown), 3).unwrap();
        }
        let before = part.size();
        let one = part.state(EmitTo::First(1)).unwrap();
        merged.merge_batch(&one, &[0], 1).unwrap();
        let rest = part.state(EmitTo::All).unwrap();
        merged.merge_batch(&rest, &[1, 2], 3).unwrap();
        assert!(before > 0);
    }
    let converted = merged.convert_to_state(columns, None).unwrap();
    let mut singles = grouped();
    singles.merge_batch(&converted, &vec![0; count], 1).unwrap();
    assert_eq!(&ScalarValue::try_from_array(&singles.evaluate(EmitTo::All).unwrap(), 0).unwrap(), value, "single rows");
    let nothing: BooleanArray = vec![Some(false); count].into();
    let converted = merged.convert_to_state(columns, Some(&nothing)).unwrap();
    let mut singles = grouped();
    singles.merge_batch(&converted, &vec![0; count], 1).unwrap();
    assert_eq!(&ScalarValue::try_from_array(&singles.evaluate(EmitTo::All).unwrap(), 0).unwrap(), none, "no rows");

    let two = merged.evaluate(EmitTo::First(2)).unwrap();
    let last = merged.evaluate(EmitTo::All).unwrap();
    let values = concat(&[two.as_ref(), last.as_ref()]).unwrap();
    let of = |row| ScalarValue::try_from_array(&values, row).unwrap();
    assert_eq!([&of(0), &of(1), &of(2)], [value, none, value], "groups");
    assert_eq!(merged.evaluate(EmitTo::All).unwrap().len(), 0);
}

/// Numbers that look random and are the same in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// A column of timestamps, in microseconds.
pub(crate) fn times(of: impl IntoIterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(of.into_iter().collect::<arrow::array::TimestampMicrosecondArray>())
}
