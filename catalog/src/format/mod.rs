//! The formats of files, and what they have in common.

mod adapted;
mod avro;
pub(crate) mod blocks;
pub(crate) mod bounds;
mod content;
pub(crate) mod csv;
pub(crate) mod delta;
pub(crate) mod drift;
mod encoding;
pub(crate) mod extremes;
mod ipc;
pub(crate) mod json;
pub(crate) mod known;
mod normal;
mod open;
pub(crate) mod parquet;
pub(crate) mod scan;
mod sequence;
mod text;
mod union;
mod unpack;
pub(crate) mod value;

pub use adapted::Adapted;
pub(crate) use content::Content;
pub(crate) use open::{Failure, Opened, open};

use arrow::datatypes::DataType;
use serde::{Deserialize, Serialize};

/// The most columns of a table; PostgreSQL has 1,600.
pub(crate) const COLUMNS_MAX: usize = 2_000;

/// Looking at files is done between other work, and must not hold it up.
const ROWS_BETWEEN_YIELDS: usize = 1_000;

/// Files that are opened at once.
const AT_ONCE: usize = 8;

/// How much of a file is looked at to find its types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Budget {
    pub(crate) rows: usize,
    /// After unpacking.
    pub(crate) bytes: u64,
    /// Whether the middle and the end are looked at, too.
    pub(crate) ends: bool,
}

/// A type by PostgreSQL's name for it.
pub(crate) fn type_name(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Int16 => "smallint",
        DataType::Int32 => "integer",
        DataType::Int64 => "bigint",
        DataType::Float32 => "real",
        DataType::Float64 => "double precision",
        DataType::Decimal128(..) => "numeric",
        DataType::Boolean => "boolean",
        DataType::Date32 => "date",
        DataType::Timestamp(_, None) => "timestamp without time zone",
        DataType::Timestamp(_, Some(_)) => "timestamp with time zone",
        _ => "text",
    }
}
