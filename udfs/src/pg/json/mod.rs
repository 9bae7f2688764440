//! json and jsonb: PostgreSQL's functions on them, one family per file.
//!
//! Owns: both types' values. A json is its text as it was written, a jsonb the text of its normal form, so a part of
//! either is a slice of it. Which of the two a column is, its tag says (`pg_type`). Must never know: operators' names,
//! plans.
//! <https://www.postgresql.org/docs/16/functions-json.html>

mod access;
mod agg;
mod build;
mod change;
mod compare;
mod edit;
mod input;
mod is_json;
mod lex;
mod object;
mod order;
mod parameters;
mod path;
mod read;
mod sets;
mod strings;
mod walk;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use datafusion::logical_expr::ScalarUDF;

pub use agg::aggregates;
pub use input::{jsonb_scalar, text_in};
pub use order::order;
pub use parameters::{Parameter, parameters};
pub use read::{check, normal};
pub(crate) use strings::escape;

/// The function of this name.
pub fn by_name(name: &str) -> Option<Arc<ScalarUDF>> {
    static BY_NAME: LazyLock<HashMap<String, Arc<ScalarUDF>>> =
        LazyLock::new(|| functions().into_iter().map(|udf| (udf.name().to_owned(), udf)).collect());
    BY_NAME.get(name).cloned()
}

/// Every scalar function.
pub(crate) fn functions() -> Vec<Arc<ScalarUDF>> {
    let mut all = access::functions();
    all.extend(build::functions());
    all.extend(compare::functions());
    all.extend(edit::functions());
    all.extend(input::functions());
    all.extend(object::functions());
    all.extend(sets::functions());
    all.push(is_json::is_json());
    all.push(order());
    all
}
