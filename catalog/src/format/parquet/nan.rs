//! Keeps the statistics of floats from deciding what they cannot tell: they leave NaN out, which is greater than all numbers.
//!
//! Owns: which comparisons a NaN could pass. Their columns go through a function that the pruning of row groups and pages does
//! not see through; `<`, `<=` and `=` with a number are told from the statistics as before.
//! <https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift> (`ColumnOrder`)

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::{
    ColumnarValue, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr::expressions::{
    BinaryExpr, CastExpr, Column, InListExpr, IsNotNullExpr, IsNullExpr, Literal,
};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};

/// Whether a file has a column that can hold a NaN.
pub(super) fn may_be_in(file: &Schema) -> bool {
    file.fields().iter().any(|field| field.data_type().is_floating())
}

/// A condition over the columns of a file, which its statistics may decide without being wrong.
pub(super) fn guarded(expr: Arc<dyn PhysicalExpr>, file: &Schema) -> Result<Arc<dyn PhysicalExpr>> {
    if expr.data_type(file)? != DataType::Boolean || is_told(expr.as_ref()) {
        return Ok(expr);
    }
    if let Some(both) = expr.downcast_ref::<BinaryExpr>()
        && matches!(both.op(), Operator::And | Operator::Or)
    {
        let (left, right) = (guarded(Arc::clone(both.left()), file)?, guarded(Arc::clone(both.right()), file)?);
        return Ok(Arc::new(BinaryExpr::new(left, *both.op(), right)));
    }
    let hide = |expr: Arc<dyn PhysicalExpr>| {
        let Some(column) = expr.downcast_ref::<Column>() else { return Ok(Transformed::no(expr)) };
        let field = file.field(column.index());
        if !field.data_type().is_floating() {
            return Ok(Transformed::no(expr));
        }
        let hidden = ScalarFunctionExpr::new(
            "lakegate_float",
            Arc::new(ScalarUDF::new_from_impl(Hidden { signature: Signature::any(1, Volatility::Immutable) })),
            vec![Arc::clone(&expr)],
            Arc::new(Field::new(field.name(), field.data_type().clone(), true)),
            Arc::new(ConfigOptions::default()),
        );
        let hidden: Arc<dyn PhysicalExpr> = Arc::new(hidden);
        Ok(Transformed::new(hidden, true, TreeNodeRecursion::Jump))
    };
    Ok(expr.transform_down(hide)?.data)
}

/// Whether no NaN passes the condition, or whether the count of NULLs decides it.
fn is_told(expr: &dyn PhysicalExpr) -> bool {
    if let Some(null) = expr.downcast_ref::<IsNullExpr>() {
        return is_column(null.arg());
    }
    if let Some(null) = expr.downcast_ref::<IsNotNullExpr>() {
        return is_column(null.arg());
    }
    if let Some(list) = expr.downcast_ref::<InListExpr>() {
        return !list.negated() && is_column(list.expr()) && list.list().iter().all(is_number);
    }
    let Some(comparison) = expr.downcast_ref::<BinaryExpr>() else { return false };
    let (left, right) = (comparison.left(), comparison.right());
    match comparison.op() {
        Operator::Lt | Operator::LtEq => is_column(left) && is_number(right),
        Operator::Gt | Operator::GtEq => is_number(left) && is_column(right),
        Operator::Eq => (is_column(left) && is_number(right)) || (is_number(left) && is_column(right)),
        _ => false,
    }
}

/// A column, or a wider type of one.
fn is_column(expr: &Arc<dyn PhysicalExpr>) -> bool {
    match expr.downcast_ref::<CastExpr>() {
        Some(cast) => is_column(cast.expr()),
        None => expr.downcast_ref::<Column>().is_some(),
    }
}

/// A literal that is no NaN.
fn is_number(expr: &Arc<dyn PhysicalExpr>) -> bool {
    let Some(literal) = expr.downcast_ref::<Literal>() else { return false };
    match literal.value() {
        ScalarValue::Float16(Some(value)) => !value.is_nan(),
        ScalarValue::Float32(Some(value)) => !value.is_nan(),
        ScalarValue::Float64(Some(value)) => !value.is_nan(),
        _ => true,
    }
}

/// Gives what it is given.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Hidden {
    signature: Signature,
}

impl ScalarUDFImpl for Hidden {
    fn name(&self) -> &str {
        "lakegate_float"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        match given {
            [float] => Ok(float.clone()),
            _ => exec_err!("a column of floats"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.into_iter().next() {
            Some(values) => Ok(values),
            None => exec_err!("a column of floats"),
        }
    }
}
