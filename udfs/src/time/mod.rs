//! Functions on time series, with Timescale's names, one file each.

pub mod first_last;
#[cfg(test)]
mod testing;
pub mod time_bucket;

use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use crate::manual::Manual;

/// Their pages.
pub(crate) fn manuals() -> Vec<&'static Manual> {
    vec![&first_last::FIRST, &first_last::LAST, &time_bucket::MANUAL]
}

/// The aggregates.
pub(crate) fn aggregates() -> Vec<Arc<AggregateUDF>> {
    vec![first_last::first(), first_last::last()]
}

/// The functions of one row.
pub(crate) fn functions() -> Vec<Arc<ScalarUDF>> {
    vec![
        time_bucket::time_bucket(),
    ]
}
