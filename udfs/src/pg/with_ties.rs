//! `lakegate_with_ties(n)` - `n`: the limit of `FETCH FIRST n ROWS WITH TIES`, so that the plan knows it from another.
//!
//! The engine takes it out of the plan; users never name it.
//! <https://www.postgresql.org/docs/16/sql-select.html#SQL-LIMIT>
//!
//! ```sql
//! SELECT x FROM (VALUES (1), (2), (2), (3)) t(x) ORDER BY x FETCH FIRST 2 ROWS WITH TIES;  -- 1  2  2
//! ```

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use crate::function::{Overload, Ty, function, overload};

/// The function.
pub fn with_ties() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Int], Ty::Int, |args| args.expanded(0))];
    function(NAME, &OVERLOADS)
}

/// Its name.
pub const NAME: &str = "lakegate_with_ties";
