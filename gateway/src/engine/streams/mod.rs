//! Streams: topics of Kafka that go into tables of the lake, each run by one server at a time.
//!
//! Owns: when a stream runs here, that each of its records is in its table once, and what is told of it. Must never know: how a
//! record is read, or a table kept.

mod batch;
mod jobs;
mod known;
mod run;
mod table;
mod topic;

pub(super) use known::Streams;
pub(super) use table::make;
