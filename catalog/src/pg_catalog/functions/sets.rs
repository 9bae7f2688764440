//! Functions that return rows, as lists of rows: the query unnests them.
//!
//! Owns: how such a list is made. Must never know: what a row means.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field as ArrowField, Fields};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use super::function::{Argument, Column, argument_type};
use super::scope::Scope;
use crate::pg_catalog::columns;
use crate::pg_catalog::rows::{Cell, ColumnBuilder};
use crate::pg_catalog::view::View;

/// A column of the rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) name: &'static str,
    /// `pg_type.typname`.
    pub(super) of: &'static str,
}

/// A function that returns rows; a NULL argument makes none.
#[derive(Debug, Clone, Copy)]
pub(super) struct SetSpec {
    pub(super) name: &'static str,
    pub(super) fields: &'static [Field],
    pub(super) rows: RowsOf,
}

type RowsOf = for<'a> fn(&'a Scope, &[Argument<'_>]) -> Result<Vec<Vec<Cell<'a>>>>;

pub(super) const PARTITIONS: &[SetSpec] = &[SetSpec {
    name: "lakegate_partition_tree",
    fields: &[
        Field { name: "relid", of: "regclass" },
        Field { name: "parentrelid", of: "regclass" },
        Field { name: "isleaf", of: "bool" },
        Field { name: "level", of: "int4" },
    ],
    // No relation here has partitions or is one.
    rows: |_, _| Ok(Vec::new()),
}];

#[derive(Debug)]
pub(super) struct Set {
    spec: SetSpec,
    view: Arc<View>,
    signature: Signature,
}

impl Set {
    pub(super) fn udf(spec: SetSpec, view: &Arc<View>) -> Arc<ScalarUDF> {
        let signature = Signature::user_defined(Volatility::Stable);
        Arc::new(ScalarUDF::new_from_impl(Self { spec, view: Arc::clone(view), signature }))
    }

    fn fields(&self) -> Fields {
        self.spec.fields.iter().map(|field| columns::field(field.name, field.of)).collect::<Vec<ArrowField>>().into()
    }

    fn lists(&self, args: &[ArrayRef], count: usize) -> Result<ArrayRef> {
        let arrays = args.iter().map(Column::new).collect::<Result<Vec<_>>>()?;
        let scope = Scope::new(&self.view);
        let fields = self.fields();
        let mut builders: Vec<ColumnBuilder> = fields.iter().map(|field| ColumnBuilder::new(field)).collect();
        let (mut lengths, mut valid) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for row in 0..count {
            let arguments: Vec<Argument<'_>> = arrays.iter().map(|array| array.at(row)).collect();
            let is_null = arguments.contains(&Argument::Null);
            let rows = if is_null { Vec::new() } else { (self.spec.rows)(&scope, &arguments)? };
            lengths.push(rows.len());
            valid.push(!is_null);
            for cells in rows {
                for (builder, cell) in builders.iter_mut().zip(cells) {
                    builder.append(cell)?;
                }
            }
        }
        let columns = builders.iter_mut().map(ColumnBuilder::finish).collect();
        let rows = StructArray::try_new(fields.clone(), columns, None)?;
        let item = Arc::new(ArrowField::new_list_field(DataType::Struct(fields), true));
        let nulls = Some(NullBuffer::from(valid)).filter(|nulls| nulls.null_count() > 0);
        Ok(Arc::new(ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), Arc::new(rows), nulls)?))
    }
}

impl PartialEq for Set {
    fn eq(&self, other: &Self) -> bool {
        self.spec.name == other.spec.name && Arc::ptr_eq(&self.view, &other.view)
    }
}

impl Eq for Set {}

impl Hash for Set {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.spec.name.hash(state);
    }
}

impl ScalarUDFImpl for Set {
    fn name(&self) -> &str {
        self.spec.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::List(Arc::new(ArrowField::new_list_field(DataType::Struct(self.fields()), true))))
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(given.iter().map(argument_type).collect())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let count = if constant { 1 } else { args.number_rows };
        let arrays = args.args.iter().map(|arg| arg.to_array(count)).collect::<Result<Vec<_>>>()?;
        let lists = self.lists(&arrays, count)?;
        match constant {
            true => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&lists, 0)?)),
            false => Ok(ColumnarValue::Array(lists)),
        }
    }
}
