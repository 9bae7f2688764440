//! A function that reads the catalogs, as DataFusion calls it.
//!
//! Owns: arguments of any integer or text type, and NULLs. Must never know: what a function means.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::scope::Scope;
use crate::pg_catalog::columns;
use crate::pg_catalog::rows::{Cell, ColumnBuilder};
use crate::pg_catalog::view::View;

/// What a function is called, takes and gives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spec {
    pub(super) name: &'static str,
    /// The least and the most arguments.
    pub(super) arguments: (usize, usize),
    /// `pg_type.typname` of the result.
    pub(super) returns: &'static str,
    /// Whether a NULL argument makes the result NULL.
    pub(super) strict: bool,
    pub(super) call: Call,
}

pub(super) type Call = for<'a> fn(&'a Scope, &[Argument<'_>]) -> Result<Cell<'a>>;

impl Spec {
    /// A strict function.
    pub(super) const fn new(name: &'static str, arguments: (usize, usize), returns: &'static str, call: Call) -> Self {
        Self { name, arguments, returns, strict: true, call }
    }

    /// A function that sees its NULLs.
    pub(super) const fn lax(name: &'static str, arguments: (usize, usize), returns: &'static str, call: Call) -> Self {
        Self { name, arguments, returns, strict: false, call }
    }
}

/// One argument of one call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Argument<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    Bool(bool),
}

/// A function with the view that it reads.
#[derive(Debug)]
pub(super) struct Function {
    spec: Spec,
    view: Arc<View>,
    signature: Signature,
}

impl Function {
    pub(super) fn udf(spec: Spec, view: &Arc<View>) -> Arc<ScalarUDF> {
        let signature = Signature::user_defined(Volatility::Stable);
        Arc::new(ScalarUDF::new_from_impl(Self { spec, view: Arc::clone(view), signature }))
    }

    fn field(&self) -> Field {
        columns::field(self.spec.name, self.spec.returns)
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.spec.name == other.spec.name && Arc::ptr_eq(&self.view, &other.view)
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.spec.name.hash(state);
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.spec.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.field().data_type().clone())
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(self.field()))
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let (least, most) = self.spec.arguments;
        if given.len() < least || given.len() > most {
            return plan_err!("function {} does not take {} arguments", self.spec.name, given.len());
        }
        Ok(given.iter().map(argument_type).collect())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        // Constants are computed once.
        let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let arrays = args.args.iter().map(|arg| Column::new(&arg.to_array(rows)?)).collect::<Result<Vec<_>>>()?;
        let scope = Scope::new(&self.view);
        let mut results = ColumnBuilder::new(&self.field());
        let mut arguments = Vec::with_capacity(arrays.len());
        for row in 0..rows {
            arguments.clear();
            arguments.extend(arrays.iter().map(|array| array.at(row)));
            let null = self.spec.strict && arguments.contains(&Argument::Null);
            results.append(if null { Cell::Null } else { (self.spec.call)(&scope, &arguments)? })?;
        }
        let results: ArrayRef = results.finish();
        match constant {
            true => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&results, 0)?)),
            false => Ok(ColumnarValue::Array(results)),
        }
    }
}

/// Integers become Int64, everything else text; OIDs come as any integer or as text.
pub(super) fn argument_type(given: &DataType) -> DataType {
    match given {
        DataType::List(_) => given.clone(),
        DataType::Boolean => DataType::Boolean,
        DataType::Dictionary(_, value) => argument_type(value),
        given if given.is_integer() => DataType::Int64,
        _ => DataType::Utf8,
    }
}

/// Stands between the elements of an array that is read as one text.
const BETWEEN: char = '\u{1f}';

/// The elements of an array, as texts.
pub(super) fn elements<'a>(list: Argument<'a>) -> Vec<&'a str> {
    match list {
        Argument::Text("") => Vec::new(),
        Argument::Text(text) => text.split(BETWEEN).collect(),
        _ => Vec::new(),
    }
}

/// The elements of each array of a column as one text.
fn joined(array: &ArrayRef) -> Result<StringArray> {
    let lists = array.as_list::<i32>();
    let texts = (0..lists.len()).map(|row| {
        if lists.is_null(row) {
            return Ok(None);
        }
        let list = cast(&lists.value(row), &DataType::Utf8)?;
        let texts: Vec<&str> = list.as_string::<i32>().iter().map(Option::unwrap_or_default).collect();
        Ok(Some(texts.join(&BETWEEN.to_string())))
    });
    texts.collect()
}

pub(super) enum Column {
    Ints(Int64Array),
    Texts(StringArray),
    Bools(BooleanArray),
}

impl Column {
    pub(super) fn new(array: &ArrayRef) -> Result<Self> {
        Ok(match argument_type(array.data_type()) {
            DataType::List(_) => Self::Texts(joined(array)?),
            DataType::Int64 => Self::Ints(cast(array, &DataType::Int64)?.as_primitive::<Int64Type>().clone()),
            DataType::Boolean => Self::Bools(cast(array, &DataType::Boolean)?.as_boolean().clone()),
            _ => Self::Texts(cast(array, &DataType::Utf8)?.as_string::<i32>().clone()),
        })
    }

    pub(super) fn at(&self, row: usize) -> Argument<'_> {
        match self {
            Self::Ints(array) if array.is_valid(row) => Argument::Int(array.value(row)),
            Self::Texts(array) if array.is_valid(row) => Argument::Text(array.value(row)),
            Self::Bools(array) if array.is_valid(row) => Argument::Bool(array.value(row)),
            _ => Argument::Null,
        }
    }
}
