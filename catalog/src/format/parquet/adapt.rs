//! Values of files as their tables show them, where a cast of Arrow's would not.
//!
//! Owns: which columns these are: uuids, days in milliseconds, spans, instants in seconds. All others are cast
//! (`format/normal`), which the pruning of row groups sees through.

use std::sync::Arc;

use super::nan;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_expr_adapter::{
    DefaultPhysicalExprAdapterFactory, PhysicalExprAdapter, PhysicalExprAdapterFactory,
};

/// Makes the adapter of each file.
#[derive(Debug)]
pub(crate) struct Adapters;

/// What adapts expressions over a table to one of its files.
#[derive(Debug)]
struct Adapter {
    table: SchemaRef,
    conditions: Columns,
    values: Columns,
    /// The columns of a file with floats.
    floats: Option<SchemaRef>,
}

/// How the columns of a file become those of its table: some are read by a function, the others cast.
#[derive(Debug)]
struct Columns {
    casts: Arc<dyn PhysicalExprAdapter>,
    read: Vec<FieldRef>,
}

impl PhysicalExprAdapterFactory for Adapters {
    fn create(&self, table: SchemaRef, file: SchemaRef) -> Result<Arc<dyn PhysicalExprAdapter>> {
        let floats = nan::may_be_in(&file).then(|| Arc::clone(&file));
        let is_exact = !table.fields().iter().any(|field| may_overflow(field, &file));
        let conditions = Columns::new(&table, &file, |field| differs(field, &file))?;
        if conditions.read.is_empty() && floats.is_none() && is_exact {
            return Ok(conditions.casts);
        }
        let values = Columns::new(&table, &file, |field| differs(field, &file) || may_overflow(field, &file))?;
        Ok(Arc::new(Adapter { table, conditions, values, floats }))
    }
}

impl PhysicalExprAdapter for Adapter {
    fn rewrite(&self, expr: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        let is_condition = expr.data_type(&self.table)? == DataType::Boolean;
        let read = if is_condition { &self.conditions } else { &self.values }.rewrite(expr)?;
        match &self.floats {
            Some(file) => nan::guarded(read, file),
            None => Ok(read),
        }
    }
}

impl Columns {
    fn new(table: &SchemaRef, file: &SchemaRef, is_read: impl Fn(&Field) -> bool) -> Result<Self> {
        let read: Vec<FieldRef> = table.fields().iter().filter(|field| is_read(field)).cloned().collect();
        // The casts leave these columns as they are.
        let as_in_file = table.fields().iter().map(|field| match file.field_with_name(field.name()) {
            Ok(physical) if read.contains(field) => Arc::new(physical.clone()),
            _ => Arc::clone(field),
        });
        let logical = Schema::new(as_in_file.collect::<Vec<_>>());
        let casts = DefaultPhysicalExprAdapterFactory.create(Arc::new(logical), Arc::clone(file))?;
        Ok(Self { casts, read })
    }

    fn rewrite(&self, expr: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        let cast = self.casts.rewrite(expr)?;
        let read = cast
            .transform_down(|expr| {
                let Some(column) = expr.downcast_ref::<Column>() else { return Ok(Transformed::no(expr)) };
                let Some(field) = self.read.iter().find(|field| field.name() == column.name()) else {
                    return Ok(Transformed::no(expr));
                };
                let function = udfs::pg::file_value(field);
                let name = function.name().to_owned();
                let read = ScalarFunctionExpr::new(
                    &name,
                    function,
                    vec![Arc::clone(&expr)],
                    Arc::clone(field),
                    Arc::new(ConfigOptions::default()),
                );
                let read: Arc<dyn PhysicalExpr> = Arc::new(read);
                Ok(Transformed::new(read, true, datafusion::common::tree_node::TreeNodeRecursion::Jump))
            })?
            .data;
        Ok(read)
    }
}

fn differs(field: &Field, file: &Schema) -> bool {
    let Ok(physical) = file.field_with_name(field.name()) else { return false };
    let is_uuid = innermost(field.data_type()) == &DataType::Utf8View
        && innermost(physical.data_type()) == &DataType::FixedSizeBinary(16);
    let is_span = matches!(field.data_type(), DataType::Interval(_));
    let is_coarse = matches!(physical.data_type(), DataType::Date64 | DataType::Timestamp(TimeUnit::Second, _));
    is_uuid || is_span || (is_coarse && field.data_type().is_temporal())
}

/// Whether a value of the file may be beyond those of the table. A condition still casts it: the pruning would not see through
/// a function.
fn may_overflow(field: &Field, file: &Schema) -> bool {
    let Ok(physical) = file.field_with_name(field.name()) else { return false };
    matches!(field.data_type(), DataType::Timestamp(TimeUnit::Microsecond, _))
        && matches!(physical.data_type(), DataType::Date32 | DataType::Timestamp(TimeUnit::Millisecond, _))
}

fn innermost(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            innermost(item.data_type())
        }
        DataType::Dictionary(_, values) => innermost(values),
        other => other,
    }
}
