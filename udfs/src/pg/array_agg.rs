//! `array_agg(x) -> array` - all values of a group, NULLs too; NULL when there is no row.
//!
//! DISTINCT gives them sorted, and ORDER BY in its order, whatever order another aggregate of the query has.
//! <https://www.postgresql.org/docs/16/functions-aggregate.html>
//!
//! ```sql
//! SELECT array_agg(x ORDER BY x DESC), array_agg(x ORDER BY x) FROM (VALUES (1), (2)) t(x);  -- {2,1} {1,2}
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::AggregateUDF;

use crate::Error;
use crate::collect::{Collection, aggregate};
use crate::function::pg_name;

/// The aggregate.
pub fn array_agg() -> Arc<AggregateUDF> {
    aggregate(Elements)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Elements;

impl Collection for Elements {
    fn name(&self) -> &'static str {
        "array_agg"
    }

    fn coerced(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(given.to_vec())
    }

    fn returns(&self, given: &[FieldRef]) -> Result<FieldRef> {
        let [of] = given else {
            let types: Vec<_> = given.iter().map(|field| pg_name(field.data_type())).collect();
            let message = format!("function array_agg({}) does not exist", types.join(", "));
            return Err(Error::UndefinedFunction(message).into());
        };
        let item = Field::new_list_field(of.data_type().clone(), true);
        Ok(Arc::new(Field::new(self.name(), DataType::List(Arc::new(item)), true)))
    }

    fn skips_nulls(&self) -> bool {
        false
    }

    fn finish(&self, arguments: &[ArrayRef], groups: &OffsetBuffer<i32>, to: &DataType) -> Result<ArrayRef> {
        let ([values], DataType::List(item)) = (arguments, to) else { return exec_err!("array_agg takes a value") };
        let values = Arc::clone(values);
        Ok(Arc::new(ListArray::try_new(Arc::clone(item), groups.clone(), values, not_empty(groups))?))
    }
}

/// Which groups have rows.
pub(super) fn not_empty(groups: &OffsetBuffer<i32>) -> Option<NullBuffer> {
    Some(groups.lengths().map(|rows| rows > 0).collect())
}
