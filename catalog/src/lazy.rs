//! AND and OR that ask their second half only of the rows whose answer is open, where asking can fail.
//!
//! Owns: that `x <> 0 AND 1 / x > 2` is no error, as in PostgreSQL, whatever reads the rows. DataFusion asks both halves of all rows
//! unless the first leaves few of them.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{and_kleene, or_kleene};
use arrow::datatypes::{DataType, Schema};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::{ColumnarValue, Operator};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{
    BinaryExpr, CastExpr, Column, DynamicFilterPhysicalExpr, InListExpr, IsNotNullExpr, IsNullExpr, LikeExpr, Literal,
    NotExpr,
};

/// The same expression with lazy halves; `None` where it has none that can fail.
pub fn lazy(expr: &Arc<dyn PhysicalExpr>, schema: &Schema) -> Result<Option<Arc<dyn PhysicalExpr>>> {
    let lazy = Arc::clone(expr).transform_up(|part| {
        let Some(both) = part.downcast_ref::<BinaryExpr>() else { return Ok(Transformed::no(part)) };
        let is_and = match both.op() {
            Operator::And => true,
            Operator::Or => false,
            _ => return Ok(Transformed::no(part)),
        };
        if !can_fail(both.right(), schema) {
            return Ok(Transformed::no(part));
        }
        let halves = Halves { is_and, first: Arc::clone(both.left()), second: Arc::clone(both.right()) };
        Ok(Transformed::yes(Arc::new(halves) as _))
    })?;
    Ok(lazy.transformed.then_some(lazy.data))
}

/// Whether asking a condition of rows can fail.
pub(crate) fn can_fail(condition: &Arc<dyn PhysicalExpr>, schema: &Schema) -> bool {
    !condition.is::<DynamicFilterPhysicalExpr>() && !is_plain(condition, schema)
}

fn is_plain(expr: &Arc<dyn PhysicalExpr>, schema: &Schema) -> bool {
    let is_plain_itself = if let Some(both) = expr.downcast_ref::<BinaryExpr>() {
        use Operator::{And, Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq, Or};
        matches!(both.op(), And | Or | Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
    } else if let Some(cast) = expr.downcast_ref::<CastExpr>() {
        let is_text = cast.cast_type().is_string();
        cast.expr().data_type(schema).is_ok_and(|of| of.is_numeric() || of.is_temporal() || is_text && of.is_string())
    } else {
        expr.is::<Column>()
            || expr.is::<Literal>()
            || expr.is::<NotExpr>()
            || expr.is::<LikeExpr>()
            || expr.is::<InListExpr>()
            || expr.is::<IsNullExpr>()
            || expr.is::<IsNotNullExpr>()
    };
    is_plain_itself && expr.children().into_iter().all(|part| is_plain(part, schema))
}

/// AND, or OR, of two conditions.
#[derive(Debug)]
struct Halves {
    is_and: bool,
    first: Arc<dyn PhysicalExpr>,
    second: Arc<dyn PhysicalExpr>,
}

impl Halves {
    /// The rows that the first half does not decide.
    fn open(&self, first: &BooleanArray) -> BooleanArray {
        let values = if self.is_and { first.values().clone() } else { !first.values() };
        let open = match first.nulls() {
            Some(nulls) => &values | &!nulls.inner(),
            None => values,
        };
        BooleanArray::new(open, None)
    }
}

impl PhysicalExpr for Halves {
    fn data_type(&self, _: &Schema) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn nullable(&self, schema: &Schema) -> Result<bool> {
        Ok(self.first.nullable(schema)? || self.second.nullable(schema)?)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let first = self.first.evaluate(batch)?.into_array(batch.num_rows())?;
        let Some(decided) = first.as_boolean_opt() else { return internal_err!("a condition is no boolean") };
        let open = self.open(decided);
        if !open.has_true() {
            return Ok(ColumnarValue::Array(first));
        }
        // Of the other rows it is NULL, which changes none of their answers.
        let second = self.second.evaluate_selection(batch, &open)?.into_array(batch.num_rows())?;
        let Some(second) = second.as_boolean_opt() else { return internal_err!("a condition is no boolean") };
        let both = if self.is_and { and_kleene(decided, second)? } else { or_kleene(decided, second)? };
        Ok(ColumnarValue::Array(Arc::new(both) as ArrayRef))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.first, &self.second]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        let Ok([first, second]) = <[_; 2]>::try_from(children) else { return internal_err!("it has two halves") };
        Ok(Arc::new(Self { is_and: self.is_and, first, second }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Halves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}) {} ({})", self.first, if self.is_and { "AND" } else { "OR" }, self.second)
    }
}

impl PartialEq for Halves {
    fn eq(&self, other: &Self) -> bool {
        self.is_and == other.is_and && self.first.eq(&other.first) && self.second.eq(&other.second)
    }
}

impl Eq for Halves {}

impl Hash for Halves {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.is_and, &self.first, &self.second).hash(state);
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::Int64Array;
    use arrow::datatypes::Field;
    use datafusion::physical_expr::expressions::{binary, col, lit};

    use super::*;

    /// Every pair of true, false and NULL, with a second half that fails where the first one decides.
    #[test]
    fn the_second_half_is_asked_of_open_rows_alone() {
        let schema =
            Schema::new(vec![Field::new("a", DataType::Boolean, true), Field::new("x", DataType::Int64, true)]);
        let firsts = [Some(true), Some(false), None];
        for (op, decides) in [(Operator::And, false), (Operator::Or, true)] {
            let rows = firsts.iter().flat_map(|first| firsts.iter().map(move |second| (*first, *second)));
            let rows: Vec<(Option<bool>, Option<bool>)> = rows.collect();
            // 12 / x > 3 is true for 2, false for 6, NULL for NULL, and fails for 0.
            let x = rows.iter().map(|(first, second)| match (*first == Some(decides), second) {
                (true, _) => Some(0),
                (_, Some(true)) => Some(2),
                (_, Some(false)) => Some(6),
                (_, None) => None,
            });
            let columns: Vec<ArrayRef> = vec![
                Arc::new(BooleanArray::from_iter(rows.iter().map(|(first, _)| *first))),
                Arc::new(Int64Array::from_iter(x)),
            ];
            let batch = RecordBatch::try_new(Arc::new(schema.clone()), columns).unwrap();
            let quotient = binary(lit(12_i64), Operator::Divide, col("x", &schema).unwrap(), &schema).unwrap();
            let second = binary(quotient, Operator::Gt, lit(3_i64), &schema).unwrap();
            let eager = binary(col("a", &schema).unwrap(), op, second, &schema).unwrap();
            assert!(eager.evaluate(&batch).is_err());
            let both = lazy(&eager, &schema).unwrap().unwrap();
            let found = both.evaluate(&batch).unwrap().into_array(rows.len()).unwrap();
            let expected = rows.iter().map(|(first, second)| match (first, second) {
                (Some(first), _) if *first == decides => Some(decides),
                (_, Some(second)) if *second == decides => Some(decides),
                (Some(_), Some(_)) => Some(!decides),
                _ => None,
            });
            assert_eq!(found.as_boolean(), &BooleanArray::from_iter(expected), "{op}");
        }
    }

    #[test]
    fn what_cannot_fail_stays_as_it_is() {
        let schema = Schema::new(vec![Field::new("x", DataType::Int64, true)]);
        let over = |op, value: i64| binary(col("x", &schema).unwrap(), op, lit(value), &schema).unwrap();
        let both = binary(over(Operator::Gt, 1), Operator::And, over(Operator::Lt, 9), &schema).unwrap();
        assert!(lazy(&both, &schema).unwrap().is_none());
    }
}
