//! Tables that can be written: from rows to a commit in the log of a Delta table.
//!
//! Owns: that all rows of a statement are seen, or none. Must never know: SQL, a session.
//! <https://github.com/delta-io/delta/blob/master/PROTOCOL.md>

mod action;
mod begun;
mod checkpoint;
mod commit;
mod compact;
mod dropped;
mod export;
mod fault;
mod file;
mod leftovers;
mod name;
mod partitions;
mod probe;
mod protocol;
mod rows;
mod schema;
mod stats;
mod step;
mod target;
mod upkeep;
mod upload;
mod vacuum;

pub use crate::format::delta::schema::{FILE_NUMBER, ROW_NUMBER};
pub(crate) use begun::is_begun;
pub use commit::Change;
pub use compact::{Compacted, Small};
pub(crate) use dropped::is_dropped;
pub use export::Export;
pub use fault::Fault;
pub(crate) use leftovers::Leftovers;
pub(crate) use probe::Probe;
pub use rows::Writer;
pub use schema::Column;
pub use step::{Advance, Refreshed};
pub use target::{NewTable, Target};
pub(crate) use upkeep::Upkeep;
pub use vacuum::Vacuumed;
