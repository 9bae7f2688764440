//! The record of a sketch, and what is asked of it: `approx_percentile`, `approx_percentile_rank`, `mean`, `num_vals`, `error`.
//!
//! Owns: the columns of the record. Must never know: how a sketch counts.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int32Array, Int64Array, Int64Builder, ListBuilder, StructArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Fields, Float64Type, Int32Type, Int64Type};
use datafusion::common::Result;

use super::kept::{Summary, column};
use super::sketch::{Bucket, Setting, Sketch};
use super::{Kind, float, is_kind, no_summary};
use crate::Error;
use crate::time::accessors::{Accessor, Record, Shape, Takes};

/// What is asked of a sketch.
pub(super) fn accessors() -> Vec<Accessor> {
    let of = |name, takes, of| Accessor { name, shape: Shape::Is(|of| is_kind(of, Kind::Sketch)), takes, of };
    vec![
        of("lakegate_summary_approx_percentile", Takes::NumberFirst, |record| {
            of_number(record, |sketch, part| match (0.0..=1.0).contains(&part) {
                true => Ok(sketch.percentile(part)),
                false => Err(Error::PercentileOutOfRange(part.to_string())),
            })
        }),
        of("approx_percentile_rank", Takes::NumberFirst, |record| {
            of_number(record, |sketch, value| Ok(Some(sketch.rank(value))))
        }),
        of("mean", Takes::Nothing, |record| of_each(record, Sketch::mean)),
        of("num_vals", Takes::Nothing, |record| of_each(record, |sketch| float(sketch.count))),
        of("error", Takes::Nothing, |record| of_each(record, Sketch::error)),
    ]
}

fn of_each(record: &Record<'_>, of: fn(&Sketch) -> f64) -> Result<ArrayRef> {
    let all = Sketch::read(record.rows())?;
    Ok(Arc::new(all.iter().map(|sketch| sketch.as_ref().map(of)).collect::<Float64Array>()))
}

fn of_number(record: &Record<'_>, of: fn(&Sketch, f64) -> Result<Option<f64>, Error>) -> Result<ArrayRef> {
    let (all, numbers) = (Sketch::read(record.rows())?, record.numbers()?);
    let values = all.iter().zip(&numbers).map(|(sketch, number)| match (sketch, number) {
        (Some(sketch), Some(number)) => of(sketch, number),
        _ => Ok(None),
    });
    Ok(Arc::new(values.collect::<Result<Float64Array, Error>>()?))
}

fn list() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Int64, true)))
}

/// The lists of a sketch: the buckets of both signs with their counts.
const LISTS: [(&str, i8, bool); 4] = [
    ("negative_indexes", -1, false),
    ("negative_counts", -1, true),
    ("positive_indexes", 1, false),
    ("positive_counts", 1, true),
];

impl Sketch {
    fn numbers(&self, sign: i8, counts: bool) -> impl Iterator<Item = Option<i64>> {
        let of_sign = self.buckets.iter().filter(move |(bucket, _)| bucket.sign == sign);
        of_sign.map(move |(bucket, count)| Some(if counts { *count } else { bucket.index() }))
    }
}

impl Summary for Sketch {
    type Setting = Setting;

    fn fields() -> Fields {
        let field = |name: &str, of: DataType| Field::new(name, of, true);
        let scalars = [
            field("max_buckets", DataType::Int32),
            field("max_error", DataType::Float64),
            field("compactions", DataType::Int32),
            field("count", DataType::Int64),
            field("sum", DataType::Float64),
            field("zero_bucket_count", DataType::Int64),
        ];
        scalars.into_iter().chain(LISTS.iter().map(|(name, ..)| field(name, list()))).collect()
    }

    fn new(setting: &Setting) -> Self {
        Self::empty(*setting)
    }

    /// NaN has no place among the values.
    fn counts(row: &[f64]) -> bool {
        row.iter().all(|value| !value.is_nan())
    }

    fn add(&mut self, row: &[f64]) -> Result<(), Error> {
        row.iter().try_for_each(|value| self.added(*value))
    }

    fn merge(&mut self, other: &Self) -> Result<(), Error> {
        self.merged(other)
    }

    fn read(records: &StructArray) -> Result<Vec<Option<Self>>> {
        let columns = Columns::of(records)?;
        let row = |at: usize| match records.is_null(at) {
            true => Ok(None),
            false => columns.sketch(at).map(Some).ok_or_else(|| no_summary("uddsketch").into()),
        };
        (0..records.len()).map(row).collect()
    }

    fn write(all: &[Option<Self>]) -> Result<ArrayRef> {
        let ints = |of: fn(&Self) -> Option<i32>| -> ArrayRef {
            Arc::new(all.iter().map(|sketch| of(sketch.as_ref()?)).collect::<Int32Array>())
        };
        let longs = |of: fn(&Self) -> i64| -> ArrayRef {
            Arc::new(all.iter().map(|sketch| sketch.as_ref().map(of)).collect::<Int64Array>())
        };
        let floats = |of: fn(&Self) -> f64| -> ArrayRef {
            Arc::new(all.iter().map(|sketch| sketch.as_ref().map(of)).collect::<Float64Array>())
        };
        let zero = |of: &Self| of.numbers(0, true).flatten().sum();
        let mut columns = vec![
            ints(|of| i32::try_from(of.setting.size).ok()),
            floats(|of| of.setting.error),
            ints(|of| i32::try_from(of.collapses).ok()),
            longs(|of| of.count),
            floats(|of| of.sum),
            longs(zero),
        ];
        for (_, sign, counts) in LISTS {
            let mut lists = ListBuilder::new(Int64Builder::new());
            for sketch in all {
                match sketch {
                    Some(sketch) => lists.append_value(sketch.numbers(sign, counts)),
                    None => lists.append_null(),
                }
            }
            columns.push(Arc::new(lists.finish()));
        }
        let known: NullBuffer = all.iter().map(Option::is_some).collect();
        Ok(Arc::new(StructArray::try_new(Self::fields(), columns, Some(known))?))
    }

    fn heap(&self) -> usize {
        self.bytes()
    }
}

/// The columns of records.
struct Columns {
    sizes: ArrayRef,
    errors: ArrayRef,
    collapses: ArrayRef,
    counts: ArrayRef,
    sums: ArrayRef,
    zeros: ArrayRef,
    lists: Vec<ArrayRef>,
}

impl Columns {
    fn of(records: &StructArray) -> Result<Self> {
        let column = |name: &str, of: &DataType| column(records, name, of);
        Ok(Self {
            sizes: column("max_buckets", &DataType::Int32)?,
            errors: column("max_error", &DataType::Float64)?,
            collapses: column("compactions", &DataType::Int32)?,
            counts: column("count", &DataType::Int64)?,
            sums: column("sum", &DataType::Float64)?,
            zeros: column("zero_bucket_count", &DataType::Int64)?,
            lists: LISTS.iter().map(|(name, ..)| column(name, &list())).collect::<Result<_>>()?,
        })
    }

    /// `None` if the row is no sketch.
    fn sketch(&self, at: usize) -> Option<Sketch> {
        let int = |of: &ArrayRef| of.is_valid(at).then(|| of.as_primitive::<Int32Type>().value(at));
        let long = |of: &ArrayRef| of.is_valid(at).then(|| of.as_primitive::<Int64Type>().value(at));
        let float = |of: &ArrayRef| of.is_valid(at).then(|| of.as_primitive::<Float64Type>().value(at));
        let setting = Setting { size: int(&self.sizes)?.into(), error: float(&self.errors)? };
        let lists: Vec<Vec<i64>> = self.lists.iter().map(|lists| numbers(lists, at)).collect::<Option<_>>()?;
        let [negative, negative_counts, positive, positive_counts] = lists.as_slice() else { return None };
        if negative.len() != negative_counts.len() || positive.len() != positive_counts.len() {
            return None;
        }
        let side = |sign, indexes: &[i64], counts: &[i64]| -> Vec<(Bucket, i64)> {
            indexes.iter().zip(counts).map(|(index, count)| (Bucket::new(sign, *index), *count)).collect()
        };
        let mut buckets = side(-1, negative, negative_counts);
        let zeros = long(&self.zeros)?;
        if zeros != 0 {
            buckets.push((Bucket::ZERO, zeros));
        }
        buckets.extend(side(1, positive, positive_counts));
        let collapses = u32::try_from(int(&self.collapses)?).ok()?;
        Sketch { setting, collapses, count: long(&self.counts)?, sum: float(&self.sums)?, buckets }.checked()
    }
}

fn numbers(lists: &ArrayRef, at: usize) -> Option<Vec<i64>> {
    let lists = lists.as_list::<i32>();
    let items = lists.is_valid(at).then(|| lists.value(at))?;
    let items = items.as_primitive::<Int64Type>();
    // No index is the least integer, whose negative there is not.
    items.iter().map(|item| item.filter(|item| *item != i64::MIN)).collect()
}
