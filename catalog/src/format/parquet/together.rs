//! Both bounds of a column are asked together: the decoder decodes a column anew for each condition that it is given.
//!
//! Owns: which conditions are one. Must never know: what they cost to ask.

use std::sync::Arc;

use datafusion::datasource::physical_plan::{FileSource, ParquetSource};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, Literal, lit};
use datafusion::physical_expr::{PhysicalExpr, conjunction, split_conjunction};

/// The same source, whose bounds of one column are one condition.
pub(super) fn together(source: Arc<dyn FileSource>) -> Arc<dyn FileSource> {
    let Some(parquet) = source.downcast_ref::<ParquetSource>() else { return source };
    let Some(predicate) = source.filter() else { return source };
    let mut columns: Vec<Option<usize>> = Vec::new();
    let mut groups: Vec<Vec<Arc<dyn PhysicalExpr>>> = Vec::new();
    for part in split_conjunction(&predicate) {
        let column = column(part);
        let known = columns.iter().position(|of| column.is_some() && *of == column);
        match known.and_then(|at| groups.get_mut(at)) {
            Some(group) => group.push(Arc::clone(part)),
            None => {
                columns.push(column);
                groups.push(vec![Arc::clone(part)]);
            }
        }
    }
    if groups.iter().all(|group| group.len() == 1) {
        return source;
    }
    let conditions = groups.into_iter().map(|group| if group.len() > 1 { whole(group) } else { conjunction(group) });
    Arc::new(parquet.with_predicate(conjunction(conditions)))
}

/// The column that a condition bounds. Any other condition stays alone: what can fail is asked of the rows that others have
/// left, filters of joins change while they are asked, and equality is looked for in Bloom filters.
fn column(condition: &Arc<dyn PhysicalExpr>) -> Option<usize> {
    let comparison = condition.downcast_ref::<BinaryExpr>()?;
    if !matches!(comparison.op(), Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq) {
        return None;
    }
    let operands = [comparison.left(), comparison.right()];
    let column = operands.iter().find_map(|operand| operand.downcast_ref::<Column>())?;
    operands.iter().any(|operand| operand.is::<Literal>()).then(|| column.index())
}

/// All of some conditions, as one that is not taken apart again: what prunes row groups sees through OR, and what asks
/// rows splits AND alone.
fn whole(parts: Vec<Arc<dyn PhysicalExpr>>) -> Arc<dyn PhysicalExpr> {
    Arc::new(BinaryExpr::new(conjunction(parts), Operator::Or, lit(false)))
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field, Schema};
    use datafusion::datasource::table_schema::TableSchema;
    use datafusion::physical_expr::expressions::{binary, col};
    use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;

    use super::*;

    fn compared(column: &str, op: Operator, value: i64, schema: &Schema) -> Arc<dyn PhysicalExpr> {
        binary(col(column, schema).unwrap(), op, lit(value), schema).unwrap()
    }

    #[test]
    fn bounds_of_a_column_are_one_condition_that_still_prunes() {
        let schema =
            Arc::new(Schema::new(vec![Field::new("a", DataType::Int64, true), Field::new("b", DataType::Int64, true)]));
        let parts = [("a", Operator::GtEq, 1), ("b", Operator::Eq, 2), ("a", Operator::Lt, 5), ("b", Operator::Gt, 0)];
        let parts = parts.map(|(column, op, value)| compared(column, op, value, &schema));
        let table = TableSchema::builder(Arc::clone(&schema)).build();
        let source = ParquetSource::new(table).with_predicate(conjunction(parts));
        let asked = together(Arc::new(source)).filter().unwrap();
        let shown: Vec<String> = split_conjunction(&asked).into_iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["a@0 >= 1 AND a@0 < 5 OR false", "b@1 = 2", "b@1 > 0"]);
        let pruned = PruningPredicateBuilder::new().with_file_schema(schema).try_build(asked).unwrap();
        let pruned = pruned.predicate_expr().to_string();
        assert!(["a_max", "a_min", "b_max", "b_min"].iter().all(|bound| pruned.contains(bound)), "{pruned}");
    }
}
