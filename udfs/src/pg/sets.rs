//! Functions that return rows, as lists of rows: `_pg_expandarray`, `pg_options_to_table`; and one field of such a list.
//!
//! A query calls them by PostgreSQL's names; the rewrite of the AST unnests what these give. Users never name them.
//! <https://www.postgresql.org/docs/16/xfunc-sql.html#XFUNC-SQL-FUNCTIONS-RETURNING-SET>

use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, ListArray, StringBuilder, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// The functions.
pub fn functions() -> Vec<Arc<ScalarUDF>> {
    let signature = || Signature::any(1, Volatility::Immutable);
    vec![
        Arc::new(ScalarUDF::new_from_impl(Rows { of: Of::ExpandArray, signature: signature() })),
        Arc::new(ScalarUDF::new_from_impl(Rows { of: Of::Options, signature: signature() })),
        Arc::new(ScalarUDF::new_from_impl(FieldOf { signature: Signature::any(2, Volatility::Immutable) })),
    ]
}

#[derive(Debug, PartialEq, Eq, Hash, Clone, Copy)]
enum Of {
    /// Each element `x` of an array with its number `n` from 1.
    ExpandArray,
    /// Each `name=value` of an array.
    Options,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Rows {
    of: Of,
    signature: Signature,
}

impl Rows {
    fn fields(&self, item: &DataType) -> Fields {
        match self.of {
            Of::ExpandArray => vec![Field::new("x", item.clone(), true), Field::new("n", DataType::Int32, true)].into(),
            Of::Options => {
                let text = |name| Field::new(name, DataType::Utf8, true);
                vec![text("option_name"), text("option_value")].into()
            }
        }
    }

    fn rows(&self, values: &ArrayRef) -> Result<ArrayRef> {
        let Some(lists) = values.as_list_opt::<i32>() else { return exec_err!("{} takes an array", self.name()) };
        let (mut lengths, mut kept) = (Vec::with_capacity(lists.len()), Vec::new());
        for row in 0..lists.len() {
            let list = lists.is_valid(row).then(|| lists.value(row));
            lengths.push(list.as_ref().map_or(0, |list| list.len()));
            kept.extend(list.filter(|list| !list.is_empty()));
        }
        let item = list_item(values.data_type())?;
        let parts: Vec<&dyn Array> = kept.iter().map(AsRef::as_ref).collect();
        let elements = match parts.is_empty() {
            true => arrow::array::new_empty_array(item),
            false => arrow::compute::concat(&parts)?,
        };
        let columns = match self.of {
            Of::ExpandArray => {
                let numbers = lengths.iter().flat_map(|length| 1..=i32::try_from(*length).unwrap_or(i32::MAX));
                vec![elements, Arc::new(Int32Array::from_iter_values(numbers)) as ArrayRef]
            }
            Of::Options => options(&elements)?,
        };
        let fields = self.fields(item);
        let rows = StructArray::try_new(fields.clone(), columns, None)?;
        let item = Arc::new(Field::new_list_field(DataType::Struct(fields), true));
        let offsets = OffsetBuffer::from_lengths(lengths);
        Ok(Arc::new(ListArray::try_new(item, offsets, Arc::new(rows), lists.nulls().cloned())?))
    }
}

fn list_item(data_type: &DataType) -> Result<&DataType> {
    match data_type {
        DataType::List(item) => Ok(item.data_type()),
        other => plan_err!("{other} is no array"),
    }
}

fn options(texts: &ArrayRef) -> Result<Vec<ArrayRef>> {
    let texts = arrow::compute::cast(texts, &DataType::Utf8)?;
    let (mut names, mut values) = (StringBuilder::new(), StringBuilder::new());
    for text in texts.as_string::<i32>() {
        let parts = text.map(|text| text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value))));
        names.append_option(parts.map(|(name, _)| name));
        values.append_option(parts.and_then(|(_, value)| value));
    }
    Ok(vec![Arc::new(names.finish()), Arc::new(values.finish())])
}

impl ScalarUDFImpl for Rows {
    fn name(&self) -> &str {
        match self.of {
            Of::ExpandArray => "lakegate_expandarray",
            Of::Options => "lakegate_options_to_table",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let [list] = given else { return plan_err!("{} takes one array", self.name()) };
        let rows = DataType::Struct(self.fields(list_item(list)?));
        Ok(DataType::List(Arc::new(Field::new_list_field(rows, true))))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.as_slice() {
            [ColumnarValue::Array(values)] => Ok(ColumnarValue::Array(self.rows(values)?)),
            [ColumnarValue::Scalar(value)] => {
                let rows = self.rows(&value.to_array_of_size(1)?)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&rows, 0)?))
            }
            _ => exec_err!("{} takes one array", self.name()),
        }
    }
}

/// `lakegate_field_of(rows, name)`: one field of each of the rows of a list.
#[derive(Debug, PartialEq, Eq, Hash)]
struct FieldOf {
    signature: Signature,
}

impl ScalarUDFImpl for FieldOf {
    fn name(&self) -> &str {
        "lakegate_field_of"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        plan_err!("the field decides the type")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let (Some(list), Some(Some(ScalarValue::Utf8(Some(name))))) =
            (args.arg_fields.first(), args.scalar_arguments.get(1))
        else {
            return plan_err!("{} takes rows and a name", self.name());
        };
        let DataType::Struct(fields) = list_item(list.data_type())? else { return plan_err!("these are no rows") };
        let Some((_, field)) = fields.find(name) else { return plan_err!("the rows have no field {name}") };
        let list = DataType::new_list(field.data_type().clone(), true);
        Ok(Arc::new(match crate::pg_type::tag(field) {
            Some(tag) => crate::pg_type::tagged(self.name(), list, &format!("_{tag}")),
            None => Field::new(self.name(), list, true),
        }))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [rows, ColumnarValue::Scalar(ScalarValue::Utf8(Some(name)))] = args.args.as_slice() else {
            return exec_err!("{} takes rows and a name", self.name());
        };
        match rows {
            ColumnarValue::Array(rows) => Ok(ColumnarValue::Array(field_of(rows, name)?)),
            ColumnarValue::Scalar(value) => {
                let field = field_of(&value.to_array_of_size(1)?, name)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&field, 0)?))
            }
        }
    }
}

fn field_of(rows: &ArrayRef, name: &str) -> Result<ArrayRef> {
    let Some(lists) = rows.as_list_opt::<i32>() else { return exec_err!("these are no rows") };
    let Some(column) = lists.values().as_struct_opt().and_then(|rows| rows.column_by_name(name)) else {
        return exec_err!("the rows have no field {name}");
    };
    let item = Arc::new(Field::new_list_field(column.data_type().clone(), true));
    Ok(Arc::new(ListArray::try_new(item, lists.offsets().clone(), Arc::clone(column), lists.nulls().cloned())?))
}
