//! Functions on time series, with Timescale's names, one file each.

pub mod time_bucket;

use crate::manual::Manual;

/// Their pages.
pub(crate) fn manuals() -> Vec<&'static Manual> {
    vec![&time_bucket::MANUAL]
}
