//! In which order the conditions of a scan are asked: the columns of the later ones are read only where the earlier ones hold.
//!
//! Owns: guesses at the share of the rows that a condition keeps, and at what it costs to ask. They change the time of a
//! query, never its rows. The order is that of Hellerstein and Stonebraker, "Predicate Migration" (SIGMOD 1993): by
//! (share - 1) / cost.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use datafusion::common::{ColumnStatistics, ScalarValue, Statistics};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{
    BinaryExpr, CastExpr, Column, InListExpr, IsNotNullExpr, IsNullExpr, LikeExpr, Literal, NotExpr,
};
use datafusion::physical_expr::{PhysicalExpr, conjunction, split_conjunction};

use super::condition::Failure;
use crate::lazy::{can_fail, lazy};

/// The share of rows that equal one value, pass one bound, or fit a pattern, where nothing is known of their column.
const EQUAL: f64 = 0.1;
const BOUND: f64 = 0.3;
const LIKE: f64 = 0.1;
/// Of a condition that is not understood.
const ANY: f64 = 0.5;

/// What asking costs, against a comparison of numbers.
const TEXT: f64 = 3.0;
const PATTERN: f64 = 4.0;

/// What is known of the columns of a table.
pub(super) struct Table<'a> {
    pub(super) schema: &'a Schema,
    pub(super) statistics: &'a Statistics,
}

impl Table<'_> {
    /// The places of some conditions, all of which must hold, in the order in which they are best asked. Those that can
    /// fail stay in the order of the statement.
    pub(super) fn order(&self, conditions: &[Arc<dyn PhysicalExpr>]) -> Vec<usize> {
        let ranks = conditions.iter().map(|condition| match self.can_fail(condition) {
            true => (true, 0.0),
            false => (false, self.rank(condition)),
        });
        let mut ranked: Vec<_> = ranks.enumerate().collect();
        ranked.sort_by(|(_, one), (_, other)| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
        ranked.into_iter().map(|(place, _)| place).collect()
    }

    /// The same condition, its parts in the order in which they are best asked, and the errors of those that can fail kept.
    pub(super) fn ordered(&self, condition: &Arc<dyn PhysicalExpr>, failure: &Failure) -> Arc<dyn PhysicalExpr> {
        let parts: Vec<_> = split_conjunction(condition).into_iter().map(Arc::clone).collect();
        let ordered = self.order(&parts).into_iter().filter_map(|place| parts.get(place).map(Arc::clone));
        conjunction(ordered.map(|part| match self.can_fail(&part) {
            true => failure.of(lazy(&part, self.schema).ok().flatten().unwrap_or(part)),
            false => part,
        }))
    }

    fn rank(&self, condition: &Arc<dyn PhysicalExpr>) -> f64 {
        let best = split_conjunction(condition).into_iter().map(|part| (self.share(part) - 1.0) / self.cost(part));
        best.fold(0.0, f64::min)
    }

    /// The share of the rows for which a condition holds, from 0 to 1.
    fn share(&self, condition: &Arc<dyn PhysicalExpr>) -> f64 {
        let share = if let Some(both) = condition.downcast_ref::<BinaryExpr>() {
            match both.op() {
                Operator::And => self.share(both.left()) * self.share(both.right()),
                Operator::Or => self.share(both.left()) + self.share(both.right()),
                _ => self.compared(both),
            }
        } else if let Some(not) = condition.downcast_ref::<NotExpr>() {
            1.0 - self.share(not.arg())
        } else if let Some(like) = condition.downcast_ref::<LikeExpr>() {
            if like.negated() { 1.0 - LIKE } else { LIKE }
        } else if let Some(list) = condition.downcast_ref::<InListExpr>() {
            let share = (self.equal(self.column(list.expr())) * list.list().len() as f64).min(1.0);
            if list.negated() { 1.0 - share } else { share }
        } else if let Some(null) = condition.downcast_ref::<IsNullExpr>() {
            self.nulls(null.arg())
        } else if let Some(null) = condition.downcast_ref::<IsNotNullExpr>() {
            1.0 - self.nulls(null.arg())
        } else {
            ANY
        };
        share.clamp(0.0, 1.0)
    }

    /// Of a comparison of a column with a constant.
    fn compared(&self, comparison: &BinaryExpr) -> f64 {
        let (left, right) = (comparison.left(), comparison.right());
        let literal = |expr: &Arc<dyn PhysicalExpr>| expr.downcast_ref::<Literal>().map(|one| one.value().clone());
        let (column, op, value) = match (literal(left), literal(right)) {
            (None, Some(value)) => (self.column(left), *comparison.op(), value),
            (Some(value), None) => match comparison.op().swap() {
                Some(op) => (self.column(right), op, value),
                None => return ANY,
            },
            _ => return ANY,
        };
        let below = || {
            let column = column?;
            let (least, greatest) = (number(column.min_value.get_value()?)?, number(column.max_value.get_value()?)?);
            let share = (number(&value)? - least) / (greatest - least);
            share.is_finite().then_some(share.clamp(0.0, 1.0))
        };
        match op {
            Operator::Eq | Operator::IsNotDistinctFrom => self.equal(column),
            Operator::NotEq | Operator::IsDistinctFrom => 1.0 - self.equal(column),
            Operator::Lt | Operator::LtEq => below().unwrap_or(BOUND),
            Operator::Gt | Operator::GtEq => below().map_or(BOUND, |below| 1.0 - below),
            _ => ANY,
        }
    }

    /// Of one value of a column.
    fn equal(&self, column: Option<&ColumnStatistics>) -> f64 {
        let whole = || {
            let (least, greatest) = (column?.min_value.get_value()?, column?.max_value.get_value()?);
            let is_whole = least.data_type().is_integer() || matches!(least, ScalarValue::Date32(_));
            is_whole.then_some(1.0 / (number(greatest)? - number(least)? + 1.0).max(1.0))
        };
        whole().unwrap_or(EQUAL)
    }

    fn nulls(&self, expr: &Arc<dyn PhysicalExpr>) -> f64 {
        let known = || {
            let nulls = *self.column(expr)?.null_count.get_value()?;
            let rows = *self.statistics.num_rows.get_value()?;
            (rows > 0).then_some(nulls as f64 / rows as f64)
        };
        known().unwrap_or(EQUAL)
    }

    /// What is known of a column, or of the one that is cast.
    fn column(&self, expr: &Arc<dyn PhysicalExpr>) -> Option<&ColumnStatistics> {
        if let Some(cast) = expr.downcast_ref::<CastExpr>() {
            return self.column(cast.expr());
        }
        let column = expr.downcast_ref::<Column>()?;
        self.statistics.column_statistics.get(self.schema.index_of(column.name()).ok()?)
    }

    /// Whether asking can fail: what can is asked last, of the rows for which all else holds. `x <> 0 AND 1 / x > 2`
    /// is no error in PostgreSQL.
    fn can_fail(&self, condition: &Arc<dyn PhysicalExpr>) -> bool {
        can_fail(condition, self.schema)
    }

    fn cost(&self, expr: &Arc<dyn PhysicalExpr>) -> f64 {
        let own = if expr.is::<LikeExpr>() {
            PATTERN - TEXT
        } else if expr.is::<Column>() {
            match expr.data_type(self.schema) {
                Ok(of) if of.is_numeric() || of.is_temporal() || of == DataType::Boolean => 1.0,
                _ => TEXT,
            }
        } else {
            0.0
        };
        let parts = expr.children().into_iter().map(|part| self.cost(part)).sum::<f64>();
        (own + parts).max(f64::MIN_POSITIVE)
    }
}

/// Where a value is between others of its type.
fn number(value: &ScalarValue) -> Option<f64> {
    match value {
        ScalarValue::Date32(Some(days)) => Some(f64::from(*days)),
        ScalarValue::TimestampSecond(Some(value), _)
        | ScalarValue::TimestampMillisecond(Some(value), _)
        | ScalarValue::TimestampMicrosecond(Some(value), _)
        | ScalarValue::TimestampNanosecond(Some(value), _) => Some(*value as f64),
        number if number.data_type().is_numeric() => match number.cast_to(&DataType::Float64).ok()? {
            ScalarValue::Float64(value) => value,
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Field;
    use datafusion::common::stats::Precision;
    use datafusion::physical_expr::expressions::{binary, col, in_list, like, lit};

    use super::*;

    fn schema() -> Schema {
        Schema::new(vec![
            Field::new("amount", DataType::Float64, true),
            Field::new("year", DataType::Int64, true),
            Field::new("note", DataType::Utf8View, true),
        ])
    }

    fn statistics() -> Statistics {
        let of = |least: ScalarValue, greatest: ScalarValue| ColumnStatistics {
            min_value: Precision::Inexact(least),
            max_value: Precision::Inexact(greatest),
            null_count: Precision::Exact(20),
            ..ColumnStatistics::new_unknown()
        };
        Statistics {
            num_rows: Precision::Exact(200),
            total_byte_size: Precision::Absent,
            column_statistics: vec![
                of(0.0.into(), 10_000.0.into()),
                of(2000_i64.into(), 2019_i64.into()),
                ColumnStatistics::new_unknown(),
            ],
        }
    }

    fn compare(column: &str, op: Operator, value: impl Into<ScalarValue>) -> Arc<dyn PhysicalExpr> {
        binary(col(column, &schema()).unwrap(), op, lit(value.into()), &schema()).unwrap()
    }

    #[test]
    fn shares_follow_the_statistics() {
        let (schema, statistics) = (schema(), statistics());
        let table = Table { schema: &schema, statistics: &statistics };
        let close = |expr: &Arc<dyn PhysicalExpr>, share: f64| {
            assert!((table.share(expr) - share).abs() < 1e-9, "{expr}: {}", table.share(expr));
        };
        close(&compare("amount", Operator::LtEq, 120.0), 0.012);
        close(&compare("amount", Operator::Gt, 100.0), 0.99);
        close(&compare("amount", Operator::Gt, 20_000.0), 0.0);
        close(&compare("year", Operator::Eq, 2005_i64), 0.05);
        close(&compare("year", Operator::NotEq, 2005_i64), 0.95);
        close(&compare("note", Operator::Eq, ScalarValue::Utf8View(Some("a".into()))), EQUAL);
        let swapped = binary(lit(120.0), Operator::Gt, col("amount", &schema).unwrap(), &schema).unwrap();
        close(&swapped, 0.012);
        let years = vec![lit(2001_i64), lit(2002_i64)];
        close(&in_list(col("year", &schema).unwrap(), years, &false, &schema).unwrap(), 0.1);
        close(&(Arc::new(IsNullExpr::new(col("year", &schema).unwrap())) as _), 0.1);
        let both = binary(swapped, Operator::Or, compare("year", Operator::Eq, 2005_i64), &schema).unwrap();
        close(&both, 0.062);
    }

    #[test]
    fn what_keeps_least_for_least_is_asked_first() {
        let (schema, statistics) = (schema(), statistics());
        let table = Table { schema: &schema, statistics: &statistics };
        let pattern =
            like(false, false, col("note", &schema).unwrap(), lit(ScalarValue::Utf8View(Some("a%".into()))), &schema);
        let half = binary(lit(1_i64), Operator::Divide, col("year", &schema).unwrap(), &schema).unwrap();
        let half = binary(half, Operator::Eq, lit(2_i64), &schema).unwrap();
        let conditions: [Arc<dyn PhysicalExpr>; 5] = [
            compare("amount", Operator::GtEq, 100.0),
            pattern.unwrap(),
            compare("amount", Operator::LtEq, 120.0),
            half,
            compare("year", Operator::Eq, 2005_i64),
        ];
        assert_eq!(table.order(&conditions), [2, 4, 1, 0, 3]);
        let all = table.ordered(&conjunction(conditions.iter().map(Arc::clone)), &Failure::default());
        let found: Vec<String> = split_conjunction(&all).iter().map(|part| part.to_string()).collect();
        let expected: Vec<String> =
            [2, 4, 1, 0, 3].iter().map(|place: &usize| conditions[*place].to_string()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_can_fail_stays_in_its_order() {
        let (schema, statistics) = (schema(), statistics());
        let table = Table { schema: &schema, statistics: &statistics };
        let over = |divisor: &str| {
            let quotient = binary(lit(1.0), Operator::Divide, col(divisor, &schema).unwrap(), &schema).unwrap();
            binary(quotient, Operator::Eq, lit(2.0), &schema).unwrap()
        };
        let year = CastExpr::new(col("year", &schema).unwrap(), DataType::Float64, None);
        let year: Arc<dyn PhysicalExpr> = Arc::new(year);
        let year = binary(lit(1.0), Operator::Divide, year, &schema).unwrap();
        let year = binary(year, Operator::NotEq, lit(2.0), &schema).unwrap();
        let both = binary(year, Operator::Or, over("amount"), &schema).unwrap();
        let conditions = [both, over("amount"), compare("year", Operator::NotEq, 2005_i64)];
        assert_eq!(table.order(&conditions), [2, 0, 1]);
    }
}
