//! Why a table was not written. One variant per cause, so that every cause can have its own SQLSTATE.
//!
//! Must never hold: a credential or a path of the host.

use std::sync::Arc;

/// A failure of a write. `table` is the table's name without its schema, as PostgreSQL shows it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Fault {
    /// The configuration lets nobody write there.
    #[error("cannot write to table \"{table}\": its source is read-only")]
    ReadOnly { table: String },
    #[error("cannot create table \"{table}\": every source of the lake is read-only")]
    NoSource { table: String },
    /// The store does not do what a commit needs.
    #[error("cannot write to the lake: its object store failed the test of writes")]
    Unfit { reason: String },
    #[error("cannot write to table \"{table}\" of format {format}")]
    Format { table: String, format: &'static str },
    /// A log asks its writers for what this one does not do.
    #[error("cannot write to table \"{table}\": {feature} is not supported")]
    Feature { table: String, feature: String },
    #[error("cannot change or delete rows of table \"{table}\": it is append-only")]
    AppendOnly { table: String },
    #[error("column \"{column}\" of type {data_type} cannot be stored in a Delta table")]
    Type { column: String, data_type: String, hint: &'static str },
    #[error("{reason}")]
    Name { reason: String },
    #[error("null value in column \"{column}\" of relation \"{table}\" violates not-null constraint")]
    Null { table: String, column: String },
    #[error("value too long for type character varying({characters_max})")]
    TooLong { characters_max: u32 },
    /// A log writes both as nothing.
    #[error("an empty string in partition column \"{column}\" cannot be told from null")]
    EmptyPartition { column: String },
    #[error("too many partitions in one statement")]
    Partitions { partitions_max: usize },
    /// Where COPY TO may put nothing.
    #[error("permission denied to COPY to \"{location}\"")]
    Place { location: String, reason: String },
    #[error("cannot write to \"{location}\": its source is read-only")]
    ReadOnlyPlace { location: String },
    #[error("could not create \"{location}\": an object of this name already exists")]
    Taken { location: String },
    #[error("relation \"{table}\" already exists")]
    Exists { table: String },
    /// Objects that are no table, or not one that is seen.
    #[error("the folder of table \"{table}\" in the lake is not empty")]
    Occupied { table: String },
    #[error("could not serialize access due to concurrent {what}")]
    Conflict { what: &'static str },
    #[error("could not write to the object store")]
    NotWritten {
        #[source]
        cause: Arc<object_store::Error>,
    },
    #[error("could not tell whether the commit to table \"{table}\" was written")]
    Unknown {
        table: String,
        #[source]
        cause: Arc<object_store::Error>,
    },
    #[error("out of memory")]
    Memory { reason: String },
    /// What was given cannot be the columns: a fault of the engine.
    #[error("could not write rows of table \"{table}\": {reason}")]
    Rows { table: String, reason: String },
}

impl Fault {
    /// More of the cause, as a sentence.
    pub(crate) fn detail(&self) -> Option<String> {
        match self {
            Self::Unfit { reason } => Some(format!("{reason}.")),
            Self::Place { reason, .. } => Some(reason.clone()),
            Self::Partitions { partitions_max } => {
                Some(format!("A statement may write to at most {partitions_max} partitions."))
            }
            Self::Memory { reason } => Some(format!("{reason}.")),
            _ => None,
        }
    }

    /// What the reader of the message can do, as a sentence.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::ReadOnly { .. } | Self::ReadOnlyPlace { .. } | Self::NoSource { .. } => {
                Some("Set \"writable = true\" for the source in the configuration (lake.sources).")
            }
            Self::Unfit { .. } => Some("Reads go on. Use a store with conditional writes, as S3 or MinIO."),
            Self::Format { .. } => Some("Only Delta tables can be written; CREATE TABLE AS makes one of a query."),
            Self::Type { hint, .. } if !hint.is_empty() => Some(hint),
            Self::Place { .. } => {
                Some("Name a place in a source of the lake that may be written, or use COPY ... TO STDOUT.")
            }
            Self::Taken { .. } => Some("COPY overwrites nothing: choose another name."),
            Self::Occupied { .. } => Some("Move or delete the objects, or choose another name."),
            Self::Conflict { .. } => Some("The transaction might succeed if retried."),
            Self::Unknown { .. } => Some("Look whether the change is there before it is tried again."),
            _ => None,
        }
    }

    /// A failure of the store before anything was committed.
    pub(crate) fn store(cause: object_store::Error) -> crate::Error {
        crate::Error::Write(Self::NotWritten { cause: Arc::new(cause) })
    }
}
