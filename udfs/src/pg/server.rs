//! `pg_client_encoding()`, `pg_is_in_recovery()`, `gen_random_uuid()` - facts of the server that no session changes.
//!
//! The encoding is always `UTF8`; the server is never in recovery; the uuid is of version 4, a new one per row.
//! <https://www.postgresql.org/docs/16/functions-info.html>
//!
//! ```sql
//! SELECT pg_is_in_recovery(), gen_random_uuid();
//! ```

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use crate::function::{Overload, Returns, Ty, function, overload, overload_of, volatile};

/// `pg_client_encoding`.
pub fn pg_client_encoding() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] =
        [overload_of(&[], Returns::Tagged(Ty::Text, "name"), |args| args.build_text(|_| Ok(Some("UTF8"))))];
    function("pg_client_encoding", &OVERLOADS)
}

/// `pg_is_in_recovery`.
pub fn pg_is_in_recovery() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[], Ty::Bool, |args| args.build_bool(|_| Ok(Some(false))))];
    function("pg_is_in_recovery", &OVERLOADS)
}

/// `gen_random_uuid`.
pub fn gen_random_uuid() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload_of(&[], Returns::Tagged(Ty::Text, "uuid"), |args| {
        args.build_text(|_| Ok(Some(uuid::Uuid::new_v4().hyphenated().to_string())))
    })];
    volatile("gen_random_uuid", &OVERLOADS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::shown;

    #[test]
    fn facts_are_plain() {
        assert_eq!(shown(&pg_is_in_recovery(), &[]), "false");
        assert_eq!(shown(&pg_client_encoding(), &[]), "UTF8");
    }
}
