//! Aggregates of numbers that are double precision: which calls there are, and those that need all rows of a group.
//!
//! Owns: that NULL in any argument leaves a row out and NaN makes the value NaN. Must never know: any formula.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Float64Builder};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::{DataFusionError, Result, exec_err};
use datafusion::logical_expr::AggregateUDF;

use crate::Error;
use crate::collect::{Collection, aggregate};
use crate::function::pg_name;

/// What the arguments are read as; what is no number stays what it is.
pub(crate) fn coerced(given: &[DataType]) -> Vec<DataType> {
    let of = |of: &DataType| if of.is_numeric() || *of == DataType::Null { DataType::Float64 } else { of.clone() };
    given.iter().map(of).collect()
}

/// Whether these are so many numbers.
pub(crate) fn are_numbers(given: &[DataType]) -> bool {
    coerced(given).iter().all(|of| *of == DataType::Float64)
}

/// 42883: there is no function of these types.
pub(crate) fn undefined(name: &str, given: &[DataType]) -> DataFusionError {
    let types: Vec<_> = given.iter().map(pg_name).collect();
    Error::UndefinedFunction(format!("function {name}({}) does not exist", types.join(", "))).into()
}

/// The columns of a call.
pub(crate) fn columns(arguments: &[ArrayRef]) -> Result<Vec<&Float64Array>> {
    let of = |column: &ArrayRef| column.data_type().clone();
    let column = |column| AsArray::as_primitive_opt::<Float64Type>(column);
    match arguments.iter().map(column).collect::<Option<Vec<_>>>() {
        Some(columns) => Ok(columns),
        None => exec_err!("columns of {:?} are no numbers", arguments.iter().map(of).collect::<Vec<_>>()),
    }
}

/// The numbers of a row, unless one is NULL.
pub(crate) fn row(columns: &[&Float64Array], at: usize, into: &mut Vec<f64>) -> bool {
    into.clear();
    into.extend(columns.iter().filter(|column| column.is_valid(at)).map(|column| column.value(at)));
    into.len() == columns.len()
}

/// An aggregate whose value needs all rows of a group.
pub(crate) trait Series: Debug + Send + Sync + Eq + Hash + 'static {
    fn name(&self) -> &'static str;
    /// How many arguments it takes.
    fn arguments(&self) -> usize;
    /// The value of the rows of a group, by columns, of which there is one at least and each has no NaN.
    fn value(&self, columns: &[Vec<f64>]) -> Result<Option<f64>, Error>;
}

/// The aggregate of a series.
pub(crate) fn series(of: impl Series) -> Arc<AggregateUDF> {
    aggregate(All(of))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct All<S>(S);

impl<S: Series> Collection for All<S> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn coerced(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(coerced(given))
    }

    fn returns(&self, given: &[FieldRef]) -> Result<FieldRef> {
        let types: Vec<DataType> = given.iter().map(|field| field.data_type().clone()).collect();
        if types.len() != self.0.arguments() || !are_numbers(&types) {
            return Err(undefined(self.name(), &types));
        }
        Ok(Arc::new(Field::new(self.name(), DataType::Float64, true)))
    }

    fn skips_nulls(&self) -> bool {
        true
    }

    fn finish(&self, arguments: &[ArrayRef], groups: &OffsetBuffer<i32>, _: &DataType) -> Result<ArrayRef> {
        let columns = columns(arguments)?;
        let mut out = Float64Builder::with_capacity(groups.len());
        let (mut values, mut numbers) = (vec![Vec::new(); columns.len()], Vec::new());
        let mut at = 0;
        for rows in groups.lengths() {
            values.iter_mut().for_each(Vec::clear);
            for at in at..at + rows {
                if row(&columns, at, &mut numbers) {
                    values.iter_mut().zip(&numbers).for_each(|(column, number)| column.push(*number));
                }
            }
            at += rows;
            out.append_option(self.of_group(&values)?);
        }
        Ok(Arc::new(out.finish()))
    }
}

impl<S: Series> All<S> {
    fn of_group(&self, columns: &[Vec<f64>]) -> Result<Option<f64>, Error> {
        let all = || columns.iter().flatten();
        if columns.first().is_none_or(Vec::is_empty) {
            return Ok(None);
        }
        if all().any(|value| value.is_nan()) {
            return Ok(Some(f64::NAN));
        }
        if all().any(|value| value.is_infinite()) {
            return Err(Error::NumericOverflow("input is"));
        }
        match self.0.value(columns)? {
            Some(value) if !value.is_finite() => Err(Error::Overflow),
            value => Ok(value),
        }
    }
}
