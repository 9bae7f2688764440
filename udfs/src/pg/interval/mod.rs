//! The text of PostgreSQL's `interval`: what it reads and the four styles it writes.
//!
//! Owns: the grammar and the styles. Must never know: the session; who calls names the style.
//! <https://www.postgresql.org/docs/16/datatype-datetime.html#DATATYPE-INTERVAL-INPUT>

mod fields;
mod format;
mod iso8601;
mod parse;

pub(crate) mod total;

pub use fields::{Field, Fields};
pub use format::{Style, format};
pub use parse::{parse, parse_fields};

pub(crate) const MICROS_PER_SECOND: i64 = 1_000_000;
pub(crate) const MICROS_PER_HOUR: i64 = 3_600 * MICROS_PER_SECOND;
pub(crate) const MICROS_PER_DAY: i64 = 24 * MICROS_PER_HOUR;
