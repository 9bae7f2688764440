//! Arrow batches as DataRow messages, in text and in binary.
//!
//! Owns: PostgreSQL's output and send functions. Must never know: sockets, sessions, where a batch comes from.
//! <https://www.postgresql.org/docs/16/protocol-message-formats.html>

mod calendar;
mod cell;
mod composite;
mod datetime;
mod float;
mod interval;
mod json;
mod list;
mod money;
mod numeric;
mod output;
mod registry;
mod row;
mod scalar;
mod tagged;
#[cfg(test)]
mod tests;
mod writer;
mod zone;

pub use output::outputs;
pub use row::{Format, RowEncoder};
pub(crate) use tagged::address;
pub(crate) use zone::{offset, offset_of_local};
