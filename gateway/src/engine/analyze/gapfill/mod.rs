//! GROUP BY `time_bucket_gapfill(...)`: rows for the buckets that have none, as TimescaleDB fills them in.
//!
//! Owns: what such a query becomes and how it runs. Must never know: SQL text, sessions.
//! <https://docs.timescale.com/api/latest/hyperfunctions/gapfilling/time_bucket_gapfill/>

mod columns;
mod exec;
mod filler;
mod filling;
mod line;
mod node;
mod planned;
mod range;

pub(super) use filling::GapFilling;
pub(super) use node::GapFill;
pub(super) use planned::{Planning, planned};

use datafusion::common::DataFusionError;

use crate::error::{Error, SqlState};

fn invalid(what: &str) -> DataFusionError {
    refused(Error::new(SqlState::InvalidParameterValue, format!("invalid time_bucket_gapfill argument: {what}")))
}

fn unsupported(what: impl Into<String>) -> DataFusionError {
    refused(Error::unsupported(what))
}

fn refused(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// What every error of a range suggests.
const HINT: &str = "Specify start and finish as arguments or in the WHERE clause.";
