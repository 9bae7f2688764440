//! Functions of one record that an aggregate made, such as `rate(counter_agg(...))`.
//!
//! Owns: which records a function takes, and what it is called where PostgreSQL has an aggregate of its name. Must never
//! know: what the fields of a record mean.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, StructArray};
use arrow::buffer::NullBuffer;
use arrow::compute::{cast, nullif};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::points::Point;
use crate::Error;
use crate::function::pg_name;
use crate::pg_type;

/// Before the name of a function that is also that of an aggregate: the planner knows functions by name alone. SQL has
/// `summary -> sum()` for it.
const HIDDEN: &str = "lakegate_summary_";

/// What `summary -> name(...)` calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    pub function: String,
    /// Whether an aggregate has the name alone.
    pub is_hidden: bool,
    /// Whether the argument stands before the record.
    pub number_first: bool,
}

/// What a name with so many arguments beside the record calls; `None` if no function of a record has it.
pub(super) fn called(all: &[Accessor], name: &str, beside: usize) -> Option<Called> {
    let of = all.iter().find(|of| of.name.strip_prefix(HIDDEN).unwrap_or(of.name) == name)?;
    let (function, is_hidden) = (of.name.to_owned(), of.name.starts_with(HIDDEN));
    let fits = match of.takes {
        Takes::Nothing => beside == 0,
        Takes::Method => beside <= 1,
        Takes::NumberFirst => beside == 1,
    };
    fits.then_some(Called { function, is_hidden, number_first: of.takes == Takes::NumberFirst })
}

/// A function of a record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Accessor {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) takes: Takes,
    pub(crate) of: fn(&Record<'_>) -> Result<ArrayRef>,
}

impl Accessor {
    /// Of every record that has these fields.
    pub(crate) fn new(
        name: &'static str,
        fields: &'static [&'static str],
        of: fn(&Record<'_>) -> Result<ArrayRef>,
    ) -> Self {
        Self { name, shape: Shape::Has(fields), takes: Takes::Nothing, of }
    }

    /// The place of the record among so many arguments; `None` if there may not be so many.
    fn place(&self, arguments: usize) -> Option<usize> {
        match (self.takes, arguments) {
            (_, 1) if self.takes != Takes::NumberFirst => Some(0),
            (Takes::Method, 2) => Some(0),
            (Takes::NumberFirst, 2) => Some(1),
            _ => None,
        }
    }

    /// Whether the function is called so, its arguments coerced.
    fn fits(&self, given: &[DataType]) -> bool {
        let Some(place) = self.place(given.len()) else { return false };
        given.iter().enumerate().all(|(at, of)| match (at == place, self.takes) {
            (true, _) => self.shape.fits(of),
            (false, Takes::Method) => *of == DataType::Utf8,
            (false, _) => *of == DataType::Float64,
        })
    }

    /// An argument beside the record, as it is read; what is nothing of the kind stays what it is.
    fn coerced(&self, of: &DataType) -> DataType {
        match self.takes {
            Takes::Method if of.is_null() || pg_name(of) == "text" => DataType::Utf8,
            Takes::NumberFirst if of.is_numeric() || of.is_null() => DataType::Float64,
            _ => of.clone(),
        }
    }
}

/// Which records a function takes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// Those with these fields.
    Has(&'static [&'static str]),
    Is(fn(&DataType) -> bool),
}

impl Shape {
    fn fits(self, given: &DataType) -> bool {
        match (self, given) {
            (Self::Has(names), DataType::Struct(fields)) => names.iter().all(|name| fields.find(name).is_some()),
            (Self::Is(is), given) => is(given),
            _ => false,
        }
    }
}

/// What a function takes beside the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    Nothing,
    /// The name of a method, which may be left out, behind it.
    Method,
    /// A number before it.
    NumberFirst,
}

/// The functions, one of each name.
pub(crate) fn functions(all: &[Accessor]) -> Vec<Arc<ScalarUDF>> {
    let mut names: Vec<&'static str> = Vec::new();
    for of in all {
        if !names.contains(&of.name) {
            names.push(of.name);
        }
    }
    let function = |name: &'static str| {
        let ways = all.iter().filter(|of| of.name == name).copied().collect();
        let signature = Signature::user_defined(Volatility::Immutable);
        Arc::new(ScalarUDF::new_from_impl(Function { name, ways, signature }))
    };
    names.into_iter().map(function).collect()
}

/// A column of records, with what stands beside it.
pub(crate) struct Record<'a> {
    rows: &'a StructArray,
    beside: Option<&'a ArrayRef>,
}

impl<'a> Record<'a> {
    pub(crate) fn rows(&self) -> &'a StructArray {
        self.rows
    }

    /// The names of methods, if one is given.
    pub(crate) fn method(&self) -> Option<&'a ArrayRef> {
        self.beside
    }

    pub(crate) fn numbers(&self) -> Result<Float64Array> {
        match self.beside.and_then(|numbers| numbers.as_primitive_opt::<Float64Type>()) {
            Some(numbers) => Ok(numbers.clone()),
            None => exec_err!("a record without a number"),
        }
    }

    pub(crate) fn field(&self, name: &str) -> Result<ArrayRef> {
        match self.rows.column_by_name(name) {
            Some(column) => Ok(Arc::clone(column)),
            None => exec_err!("a record without {name}"),
        }
    }

    pub(crate) fn floats(&self, name: &str) -> Result<Float64Array> {
        Ok(self.field(name)?.as_primitive::<Float64Type>().clone())
    }

    /// The seconds from the first to the last time.
    pub(crate) fn seconds(&self) -> Result<Float64Array> {
        let [first, last] = ["first_time", "last_time"].map(|name| cast(&self.field(name)?, &DataType::Int64));
        let (first, last) = (first?, last?);
        let point = |time: Option<i64>| Some(Point { time: time?, value: 0.0 });
        let pairs = first.as_primitive::<Int64Type>().iter().zip(last.as_primitive::<Int64Type>());
        Ok(pairs.map(|(first, last)| Some(point(last)?.seconds_since(&point(first)?))).collect())
    }
}

#[derive(Debug)]
struct Function {
    name: &'static str,
    /// One for each kind of record.
    ways: Vec<Accessor>,
    signature: Signature,
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl Function {
    fn value(&self, args: &[ArrayRef]) -> Result<ArrayRef> {
        let types: Vec<DataType> = args.iter().map(|arg| arg.data_type().clone()).collect();
        let found = self.ways.iter().find(|way| way.fits(&types));
        let Some((way, place)) = found.and_then(|way| Some((way, way.place(args.len())?))) else {
            return exec_err!("{} takes one record", self.name);
        };
        let records = args.get(place).and_then(|records| records.as_struct_opt());
        let Some(rows) = records else { return exec_err!("{} takes one record", self.name) };
        let beside = args.iter().enumerate().find(|(at, _)| *at != place).map(|(_, arg)| arg);
        let values = (way.of)(&Record { rows, beside })?;
        Ok(match rows.nulls().map(NullBuffer::inner) {
            Some(known) => nullif(&values, &arrow::array::BooleanArray::new(!known, None))?,
            None => values,
        })
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// What no way takes is refused by `return_field_from_args`, whose error keeps its type.
    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let coerced = |way: &Accessor| -> Vec<DataType> {
            let place = way.place(given.len());
            let of = |(at, of): (usize, &DataType)| if Some(at) == place { of.clone() } else { way.coerced(of) };
            given.iter().enumerate().map(of).collect()
        };
        let fitting = self.ways.iter().find_map(|way| Some(coerced(way)).filter(|coerced| way.fits(coerced)));
        Ok(fitting.unwrap_or_else(|| given.to_vec()))
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let fields: Vec<FieldRef> = given.iter().map(|of| Arc::new(Field::new("x", of.clone(), true))).collect();
        let args = ReturnFieldArgs { arg_fields: &fields, scalar_arguments: &vec![None; given.len()] };
        Ok(self.return_field_from_args(args)?.data_type().clone())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types: Vec<DataType> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        if !self.ways.iter().any(|way| way.fits(&types)) {
            let types: Vec<_> = args.arg_fields.iter().map(|field| pg_type::sql_name(field)).collect();
            let name = self.name.strip_prefix(HIDDEN).unwrap_or(self.name);
            let message = format!("function {name}({}) does not exist", types.join(", "));
            return Err(Error::UndefinedFunction(message).into());
        }
        let empty: Vec<ArrayRef> = types.iter().map(arrow::array::new_empty_array).collect();
        Ok(Arc::new(Field::new(self.name, self.value(&empty)?.data_type().clone(), true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let are_constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if are_constant { 1 } else { args.number_rows };
        let columns = args.args.iter().map(|arg| arg.to_array(rows)).collect::<Result<Vec<_>>>()?;
        let values = self.value(&columns)?;
        Ok(match are_constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&values, 0)?),
            false => ColumnarValue::Array(values),
        })
    }
}
