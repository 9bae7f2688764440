//! `lakegate_row(name, value, ...)` - a row of named fields, which `ROW(...)` stands for; `lakegate_relation_row(...)` - the
//! same for the name of a relation, whose rows compare as a whole;
//! `lakegate_outer_row(...)` - the same, but NULL where every field is: the row of a relation that an outer join has none
//! of; `lakegate_row_is_null(row)`, `lakegate_row_is_not_null(row)`.
//!
//! `lakegate_row_cmp(row, row) -> int`, `lakegate_row_is_distinct(row, row)` - the order of whole rows.
//!
//! Rows compare by their fields from the left; unlike in ROW(...) = ROW(...), NULL fields are equal and above all others.
//! A row is null where all its fields are, and not null where none is; both may be false. Users never name these.
//! <https://www.postgresql.org/docs/16/functions-comparison.html>

use std::cmp::Ordering;
use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, DynComparator, Int32Array, StructArray, make_comparator};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::{SortOptions, cast};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};

use crate::Error;
use crate::function::pg_name;

/// Every function of this file.
pub(crate) fn functions() -> Vec<Arc<ScalarUDF>> {
    vec![
        row("lakegate_row", false),
        row("lakegate_relation_row", false),
        row("lakegate_outer_row", true),
        is_null(true),
        is_null(false),
        compare(),
        distinct(),
    ]
}

fn row(name: &'static str, outer: bool) -> Arc<ScalarUDF> {
    let any = vec![TypeSignature::Nullary, TypeSignature::VariadicAny];
    Arc::new(ScalarUDF::new_from_impl(Row { name, outer, signature: Signature::one_of(any, Volatility::Immutable) }))
}

/// The question whether a row is null, or is not.
pub fn is_null(null: bool) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(IsNull { null, signature: Signature::any(1, Volatility::Immutable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Row {
    name: &'static str,
    outer: bool,
    signature: Signature,
}

impl ScalarUDFImpl for Row {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        exec_err!("{} depends on the names of its fields", self.name)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let mut fields = Vec::with_capacity(args.arg_fields.len() / 2);
        for (names, values) in args.scalar_arguments.chunks(2).zip(args.arg_fields.chunks(2)) {
            let ([Some(ScalarValue::Utf8(Some(name))), _], [_, value]) = (names, values) else {
                return exec_err!("{} takes names and values in turns", self.name);
            };
            fields.push(Field::clone(value).with_name(name).with_nullable(true));
        }
        Ok(Arc::new(Field::new(self.name, DataType::Struct(Fields::from(fields)), self.outer)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let DataType::Struct(fields) = args.return_field.data_type() else {
            return exec_err!("{} gives rows", self.name);
        };
        let values: Vec<_> = args.args.iter().skip(1).step_by(2).collect();
        let constant = values.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let columns = values.into_iter().map(|value| value.to_array(rows)).collect::<Result<Vec<ArrayRef>>>()?;
        let nulls =
            if self.outer && !columns.is_empty() { Some(NullBuffer::new(any_value(&columns, rows))) } else { None };
        let array: ArrayRef = match columns.is_empty() {
            true => Arc::new(StructArray::new_empty_fields(rows, nulls)),
            false => Arc::new(StructArray::try_new(fields.clone(), columns, nulls)?),
        };
        Ok(if constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?)
        } else {
            ColumnarValue::Array(array)
        })
    }
}

/// Which rows have a value that is not NULL.
fn any_value(columns: &[ArrayRef], rows: usize) -> BooleanBuffer {
    columns.iter().fold(BooleanBuffer::new_unset(rows), |any, column| match column.logical_nulls() {
        Some(nulls) => &any | nulls.inner(),
        None => BooleanBuffer::new_set(rows),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct IsNull {
    null: bool,
    signature: Signature,
}

impl ScalarUDFImpl for IsNull {
    fn name(&self) -> &str {
        if self.null { "lakegate_row_is_null" } else { "lakegate_row_is_not_null" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(match args.args.as_slice() {
            [ColumnarValue::Array(rows)] => ColumnarValue::Array(self.answer(rows)?),
            [ColumnarValue::Scalar(row)] => {
                let answer = self.answer(&row.to_array_of_size(1)?)?;
                ColumnarValue::Scalar(ScalarValue::try_from_array(&answer, 0)?)
            }
            _ => return exec_err!("{} takes one row", self.name()),
        })
    }
}

impl IsNull {
    /// A row that is NULL as a whole has no field that is not.
    fn answer(&self, rows: &ArrayRef) -> Result<ArrayRef> {
        let Some(array) = rows.as_struct_opt() else { return exec_err!("{} is no row", rows.data_type()) };
        let whole = array.nulls().map_or_else(|| BooleanBuffer::new_set(array.len()), |nulls| nulls.inner().clone());
        let answer = match self.null {
            true => !&(&any_value(array.columns(), array.len()) & &whole),
            false => array.columns().iter().fold(whole, |all, column| match column.logical_nulls() {
                Some(nulls) => &all & nulls.inner(),
                None => all,
            }),
        };
        Ok(Arc::new(BooleanArray::new(answer, None)))
    }
}

/// The order of two rows.
pub fn compare() -> Arc<ScalarUDF> {
    order("lakegate_row_cmp", DataType::Int32)
}

/// Whether two rows differ; NULL is a row like others.
pub fn distinct() -> Arc<ScalarUDF> {
    order("lakegate_row_is_distinct", DataType::Boolean)
}

fn order(name: &'static str, returns: DataType) -> Arc<ScalarUDF> {
    let signature = Signature::any(2, Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(Order { name, returns, signature }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Order {
    name: &'static str,
    returns: DataType,
    signature: Signature,
}

impl ScalarUDFImpl for Order {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(self.returns.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, right] = args.args.as_slice() else { return exec_err!("{} takes two rows", self.name) };
        let rows = args.number_rows;
        let (left, right) = (left.to_array(rows)?, right.to_array(rows)?);
        let comparators = comparators(&left, &right)?;
        let order = |row: usize| {
            comparators.iter().map(|compare| compare(row, row)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        };
        let array: ArrayRef = match self.returns {
            DataType::Boolean => Arc::new(BooleanArray::from_iter((0..rows).map(|row| {
                Some(match (left.is_null(row), right.is_null(row)) {
                    (false, false) => order(row).is_ne(),
                    (one, other) => one != other,
                })
            }))),
            _ => Arc::new(Int32Array::from_iter(
                (0..rows).map(|row| (left.is_valid(row) && right.is_valid(row)).then(|| order(row) as i32)),
            )),
        };
        Ok(ColumnarValue::Array(array))
    }
}

/// Compares the fields of rows; 42804 where their types or numbers differ.
fn comparators(left: &ArrayRef, right: &ArrayRef) -> Result<Vec<DynComparator>> {
    let (Some(left), Some(right)) = (left.as_struct_opt(), right.as_struct_opt()) else {
        return exec_err!("rows compare with rows");
    };
    if left.num_columns() != right.num_columns() {
        let message = "cannot compare record types with different numbers of columns";
        return Err(Error::DatatypeMismatch(message.to_owned()).into());
    }
    let options = SortOptions { descending: false, nulls_first: false };
    let columns = left.columns().iter().zip(right.columns()).enumerate();
    columns
        .map(|(at, (one, other))| {
            let (from, to) = (other.data_type(), one.data_type());
            let alike = from == to
                || from.is_null()
                || to.is_null()
                || from.is_numeric() && to.is_numeric()
                || from.is_string() && to.is_string();
            if !alike {
                let names = (pg_name(to), pg_name(from));
                let message = format!(
                    "cannot compare dissimilar column types {} and {} at record column {}",
                    names.0,
                    names.1,
                    at + 1
                );
                return Err(Error::DatatypeMismatch(message).into());
            }
            let common = if to.is_null() { from.clone() } else { wider(to, from) };
            Ok(make_comparator(&cast(one, &common)?, &cast(other, &common)?, options)?)
        })
        .collect()
}

/// Of two types of numbers one that holds both, so far as there is one.
fn wider(one: &DataType, other: &DataType) -> DataType {
    let rank = |data_type: &DataType| match data_type {
        DataType::Float64 => 4,
        DataType::Float16 | DataType::Float32 => 3,
        decimal if decimal.is_decimal() => 2,
        _ => data_type.primitive_width().map_or(0, |width| usize::from(width > 4)),
    };
    let scale = |data_type: &DataType| match data_type {
        DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) => *scale,
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => *scale,
        _ => 0,
    };
    match (one.is_decimal(), other.is_decimal()) {
        _ if one == other => one.clone(),
        (true, true) => DataType::Decimal256(76, scale(one).max(scale(other))),
        _ if rank(other) > rank(one) => other.clone(),
        _ => one.clone(),
    }
}
