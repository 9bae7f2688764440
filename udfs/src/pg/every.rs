//! `every(boolean) -> boolean` - SQL's name for `bool_and`.
//!
//! True when all values that are not NULL are true; NULL when there is none.
//! <https://www.postgresql.org/docs/16/functions-aggregate.html>
//!
//! ```sql
//! SELECT every(amount > 0) FROM (VALUES (1), (2)) AS v(amount);  -- true
//! ```

use std::sync::Arc;

use datafusion::functions_aggregate::bool_and_or::bool_and_udaf;
use datafusion::logical_expr::AggregateUDF;

/// The aggregate.
pub fn every() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::clone(&bool_and_udaf()).with_aliases(["every"]))
}
