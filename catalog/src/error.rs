//! Why a table could not be read. One variant per cause, so that every cause can have its own SQLSTATE.
//!
//! Owns: the text of each failure, with table, file and place. Must never hold: a credential or a path of the host.

use std::sync::Arc;

/// A failure of the lake. `table` is `schema.name`; `file` is the key below its source.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The bytes are not what the name of the file promises.
    #[error("could not read file \"{file}\" of table \"{table}\": {reason}")]
    UnreadableFile { table: String, file: String, reason: String },
    /// A file whose name says no more than text, and whose lines have no columns.
    #[error("file \"{file}\" of table \"{table}\" is text without columns")]
    NoColumns { table: String, file: String },
    /// Reading the file would cost more than a query may.
    #[error("could not read file \"{file}\" of table \"{table}\": {reason}")]
    TooLarge { table: String, file: String, reason: String },
    /// The file is of a kind that its format allows and this server does not know.
    #[error("could not read file \"{file}\" of table \"{table}\": {feature} is not supported")]
    UnsupportedFile { table: String, file: String, feature: String },
    #[error("could not read file \"{file}\" of table \"{table}\": file is empty (0 bytes)")]
    EmptyFile { table: String, file: String },
    /// The object is no longer the one that the snapshot lists.
    #[error("could not read file \"{file}\" of table \"{table}\" because it was replaced during the query")]
    Replaced { table: String, file: String },
    /// A log names a file that is not there.
    #[error("could not open file \"{file}\" of table \"{table}\": No such file or directory")]
    MissingFile { table: String, file: String },
    /// A log names a file that no source has.
    #[error("permission denied for file \"{path}\", which \"{file}\" names as one of table \"{table}\"")]
    Outside { table: String, file: String, path: String },
    /// A log asks its readers for what this one does not know.
    #[error("table \"{table}\" needs {feature}, which is not supported")]
    Unsupported { table: String, feature: String },
    /// A version that the log does not have, or no longer; with the first and the last one that it has.
    #[error("table \"{table}\" has no version {asked}")]
    NoVersion { table: String, asked: String, versions: Option<(u64, u64)> },
    /// A version of what has none.
    #[error("table \"{table}\" of format {format} has no versions")]
    Unversioned { table: String, format: &'static str },
    #[error(
        "invalid value \"{value}\" for column \"{column}\" of type {expected} in file \"{file}\" of table \"{table}\", \
         line {line}"
    )]
    BadValue { table: String, file: String, line: u64, column: String, expected: String, value: String },
    /// A moment or a span that is beyond those of its column.
    #[error("{of} out of range in file \"{file}\" of table \"{table}\"")]
    OutOfRange { table: String, file: String, of: &'static str },
    #[error("bad record in file \"{file}\" of table \"{table}\", line {line}: {reason}")]
    BadRecord { table: String, file: String, line: u64, reason: String },
    #[error(
        "invalid byte 0x{byte:02x} for encoding \"{encoding}\" in file \"{file}\" of table \"{table}\", line {line}, \
         byte {offset}"
    )]
    BadEncoding { table: String, file: String, encoding: String, line: u64, offset: u64, byte: u8 },
    #[error("record of more than {bytes_max} bytes in file \"{file}\" of table \"{table}\", from line {line}")]
    RecordTooLong { table: String, file: String, line: u64, bytes_max: usize },
    #[error("column \"{column}\" occurs more than once in file \"{file}\" of table \"{table}\"")]
    DuplicateColumn { table: String, file: String, column: String },
    #[error("table \"{table}\" has {columns} columns, more than {columns_max}")]
    TooManyColumns { table: String, columns: usize, columns_max: usize },
    #[error("file \"{file}\" of table \"{table}\" has {columns} columns, more than {columns_max}")]
    WideFile { table: String, file: String, columns: usize, columns_max: usize },
    /// A definition declares a column that no file has.
    #[error("column \"{column}\" of the definition of table \"{table}\" is in none of its files")]
    MissingColumn { table: String, column: String },
    /// A file of `sql/tables` or `sql/views` is wrong.
    #[error("bad definition in \"{file}\", line {line}: {reason}")]
    Definition { file: String, line: u64, reason: String },
    /// A definition names a place that is in no source.
    #[error("permission denied for location \"{location}\" in \"{file}\", line {line}")]
    Location { file: String, line: u64, location: String },
    /// A source of the configuration cannot be used.
    #[error("could not open source \"{root}\": {reason}")]
    Source { root: String, reason: String },
    /// A store did not answer as it should.
    #[error("could not read from the object store")]
    Store {
        root: String,
        #[source]
        cause: Arc<object_store::Error>,
    },
    /// Nobody knows what is in the lake: a source has not been listed since the start; with its root and why.
    #[error("the database system is starting up")]
    Awaited { failed: Option<(String, &'static str)> },
    /// What SQL defined cannot be read back.
    #[error("bad definitions in \"{key}\": {reason}")]
    Kept { key: String, reason: String },
    #[error("the definitions of the lake have {bytes} bytes, more than {bytes_max}")]
    TooMuchKept { bytes: u64, bytes_max: u64 },
    /// The lake did not take a definition.
    #[error("could not keep the definition in the lake")]
    NotKept {
        root: String,
        #[source]
        cause: Arc<object_store::Error>,
    },
    /// A store that overwrites where it was told to create loses changes.
    #[error("the object store of the lake cannot keep definitions")]
    NotAtomic { root: String },
    #[error("could not plan view \"{view}\": {reason}")]
    View { view: String, reason: String },
    /// A view has no columns or rows of its own; the engine plans it.
    #[error("\"{view}\" is a view")]
    IsView { view: String },
    /// A table was not written.
    #[error(transparent)]
    Write(#[from] crate::write::Fault),
    /// The engine's own types did not take what a reader made.
    #[error("could not make rows of file \"{file}\" of table \"{table}\": {reason}")]
    Rows { table: String, file: String, reason: String },
}

impl Error {
    /// More of the cause, as a sentence.
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::NoVersion { versions: Some((first, last)), .. } if first == last => {
                Some(format!("The log has only version {last}."))
            }
            Self::NoVersion { versions: Some((first, last)), .. } => {
                Some(format!("The log has the versions {first} to {last}."))
            }
            Self::Write(fault) => fault.detail(),
            Self::Awaited { failed: Some((root, reason)) } => {
                Some(format!("Source \"{root}\" could not be listed: {reason}."))
            }
            Self::Awaited { failed: None } => Some("The lake is being listed.".to_owned()),
            _ => None,
        }
    }

    /// What the reader of the message can do, as a sentence.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Replaced { .. } => Some("Run the query again."),
            Self::BadValue { .. } => {
                Some("Declare the column's type, or the markers of missing values, with CREATE EXTERNAL TABLE.")
            }
            Self::BadEncoding { .. } => {
                Some("Set the option \"encoding\" with CREATE EXTERNAL TABLE, as OPTIONS (encoding 'cp1252').")
            }
            Self::Outside { .. } => Some("The files of a table must be inside its source."),
            Self::Unversioned { .. } => Some("Delta tables have versions."),
            Self::Location { .. } => Some("A location must be inside a source of the configuration."),
            Self::NotAtomic { .. } => Some(
                "It ignores conditional writes (If-None-Match). Define tables and views in sql/tables and sql/views.",
            ),
            Self::Write(fault) => fault.hint(),
            Self::NoColumns { .. } => {
                Some("If it is a table, set its delimiter with CREATE EXTERNAL TABLE, as OPTIONS (delimiter ':').")
            }
            Self::NotKept { .. } => Some("The first source of the lake keeps them, below _lakegate/."),
            Self::EmptyFile { .. }
            | Self::UnreadableFile { .. }
            | Self::UnsupportedFile { .. }
            | Self::TooLarge { .. }
            | Self::OutOfRange { .. }
            | Self::BadRecord { .. }
            | Self::Kept { .. }
            | Self::TooMuchKept { .. }
            | Self::RecordTooLong { .. }
            | Self::DuplicateColumn { .. }
            | Self::TooManyColumns { .. }
            | Self::WideFile { .. }
            | Self::MissingColumn { .. }
            | Self::Definition { .. }
            | Self::Source { .. }
            | Self::Store { .. }
            | Self::Awaited { .. }
            | Self::View { .. }
            | Self::IsView { .. }
            | Self::MissingFile { .. }
            | Self::Unsupported { .. }
            | Self::NoVersion { .. }
            | Self::Rows { .. } => None,
        }
    }

    /// Whether the content of one file is the cause, so that its neighbours can be read without it.
    pub(crate) fn is_of_content(&self) -> bool {
        match self {
            Self::UnreadableFile { .. }
            | Self::NoColumns { .. }
            | Self::UnsupportedFile { .. }
            | Self::TooLarge { .. }
            | Self::EmptyFile { .. }
            | Self::BadValue { .. }
            | Self::OutOfRange { .. }
            | Self::BadRecord { .. }
            | Self::BadEncoding { .. }
            | Self::RecordTooLong { .. }
            | Self::DuplicateColumn { .. }
            | Self::TooManyColumns { .. }
            | Self::WideFile { .. } => true,
            Self::Replaced { .. }
            | Self::Kept { .. }
            | Self::TooMuchKept { .. }
            | Self::NotKept { .. }
            | Self::NotAtomic { .. }
            | Self::Write(_)
            | Self::MissingColumn { .. }
            | Self::Definition { .. }
            | Self::Location { .. }
            | Self::Source { .. }
            | Self::Store { .. }
            | Self::Awaited { .. }
            | Self::View { .. }
            | Self::IsView { .. }
            | Self::MissingFile { .. }
            | Self::Outside { .. }
            | Self::Unsupported { .. }
            | Self::NoVersion { .. }
            | Self::Unversioned { .. }
            | Self::Rows { .. } => false,
        }
    }

    /// Whether the same objects would fail in the same way again.
    pub(crate) fn is_lasting(&self) -> bool {
        self.is_of_content()
            || matches!(self, Self::MissingColumn { .. } | Self::Outside { .. })
            || matches!(self, Self::Unsupported { .. } | Self::NoVersion { .. })
    }

    /// The cause without the names of table and file, for lists that have them in columns of their own.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::UnreadableFile { reason, .. } | Self::TooLarge { reason, .. } | Self::Definition { reason, .. } => {
                reason.clone()
            }
            Self::UnsupportedFile { feature, .. } => format!("{feature} is not supported"),
            Self::NoColumns { .. } => "it is text without columns".to_owned(),
            Self::EmptyFile { .. } => EMPTY.to_owned(),
            Self::BadRecord { line, reason, .. } => format!("line {line}: {reason}"),
            Self::BadEncoding { encoding, line, offset, byte, .. } => {
                format!("invalid byte 0x{byte:02x} for encoding \"{encoding}\" in line {line}, byte {offset}")
            }
            Self::RecordTooLong { line, bytes_max, .. } => {
                format!("record of more than {bytes_max} bytes from line {line}")
            }
            Self::DuplicateColumn { column, .. } => format!("column \"{column}\" occurs more than once"),
            Self::TooManyColumns { columns, columns_max, .. } | Self::WideFile { columns, columns_max, .. } => {
                format!("{columns} columns, more than {columns_max}")
            }
            other => other.to_string(),
        }
    }
}

/// The reason for leaving out a file without a byte.
pub(crate) const EMPTY: &str = "file is empty (0 bytes)";
