//! What is kept of a subquery's rows, and how it answers a row of the outer query.
//!
//! Owns: SQL's three-valued logic of IN. Must never know: how a subquery runs.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::row::{RowConverter, SortField};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::Operator;

use super::apply::Meaning;

/// The answer to one combination of outer values.
pub(super) enum Answer {
    Value(ScalarValue),
    Set(Set),
}

impl Answer {
    pub(super) fn new(rows: &[RecordBatch], meaning: Meaning, data_type: &DataType) -> Result<Self> {
        match meaning {
            Meaning::Scalar => match rows.first() {
                Some(batch) => Ok(Answer::Value(ScalarValue::try_from_array(batch.column(0), 0)?)),
                None => Ok(Answer::Value(ScalarValue::try_from(data_type)?)),
            },
            Meaning::Exists { negated } => Ok(Answer::Value(ScalarValue::Boolean(Some(rows.is_empty() == negated)))),
            Meaning::In { .. } | Meaning::Compare { .. } => Ok(Answer::Set(Set::new(rows)?)),
            Meaning::Rows { .. } => internal_err!("rows are not a value"),
        }
    }
}

/// The values of a subquery's one column.
pub(super) struct Set {
    values: HashSet<Box<[u8]>>,
    data_type: DataType,
    has_null: bool,
    is_empty: bool,
}

impl Set {
    fn new(rows: &[RecordBatch]) -> Result<Self> {
        let data_type = rows.first().map_or(DataType::Null, |batch| batch.column(0).data_type().clone());
        let mut set = Self { values: HashSet::new(), data_type, has_null: false, is_empty: rows.is_empty() };
        let converter = RowConverter::new(vec![SortField::new(set.data_type.clone())])?;
        for batch in rows {
            let column = batch.column(0);
            let encoded = converter.convert_columns(std::slice::from_ref(column))?;
            for (index, row) in encoded.iter().enumerate() {
                if column.is_null(index) {
                    set.has_null = true;
                } else {
                    set.values.insert(row.as_ref().into());
                }
            }
        }
        Ok(set)
    }

    /// `value IN set` for each value: NULL where only an unknown could decide.
    pub(super) fn contains(&self, values: &ArrayRef) -> Result<Vec<Option<bool>>> {
        self.each(values, Some(false), |value| match self.values.contains(value) {
            true => Some(true),
            false => self.unless_null(false),
        })
    }

    /// `value op ANY (set)` or `value op ALL (set)` for each value.
    pub(super) fn compares(&self, values: &ArrayRef, op: Operator, all: bool) -> Result<Vec<Option<bool>>> {
        self.each(values, Some(all), |value| {
            // The encoding of rows orders as their values do.
            let mut others = self.values.iter().map(|other| satisfies(value.cmp(other.as_ref()), op));
            let decided = if all { others.any(|satisfied| !satisfied) } else { others.any(|satisfied| satisfied) };
            if decided { Some(!all) } else { self.unless_null(all) }
        })
    }

    /// The answer where no known value decides: a NULL in the set might.
    fn unless_null(&self, answer: bool) -> Option<bool> {
        (!self.has_null).then_some(answer)
    }

    fn each(
        &self,
        values: &ArrayRef,
        of_empty: Option<bool>,
        answer: impl Fn(&[u8]) -> Option<bool>,
    ) -> Result<Vec<Option<bool>>> {
        if self.is_empty {
            return Ok(vec![of_empty; values.len()]);
        }
        if matches!(self.data_type, DataType::Null) {
            return Ok(vec![None; values.len()]);
        }
        let values =
            if *values.data_type() == self.data_type { Arc::clone(values) } else { cast(values, &self.data_type)? };
        let converter = RowConverter::new(vec![SortField::new(self.data_type.clone())])?;
        let encoded = converter.convert_columns(std::slice::from_ref(&values))?;
        let answers = encoded.iter().enumerate();
        Ok(answers.map(|(index, row)| if values.is_null(index) { None } else { answer(row.as_ref()) }).collect())
    }
}

fn satisfies(order: Ordering, op: Operator) -> bool {
    match op {
        Operator::Eq => order.is_eq(),
        Operator::NotEq => order.is_ne(),
        Operator::Lt => order.is_lt(),
        Operator::LtEq => order.is_le(),
        Operator::Gt => order.is_gt(),
        Operator::GtEq => order.is_ge(),
        _ => false,
    }
}
