//! Functions on time series, with Timescale's names, one file each.

pub mod time_bucket;
