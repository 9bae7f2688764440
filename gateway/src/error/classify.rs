//! Turns the errors of the libraries below into ours, by their type, never by their text.
//!
//! Owns: which SQLSTATE a library's error means. What a client may not read (paths, stores) goes to the log only.

mod function;
mod lake;
mod lookup;

use arrow::error::ArrowError;
use catalog::pg_catalog::LookupError;
use datafusion::common::{Column, DataFusionError, SchemaError, Span};
use datafusion::parquet::errors::ParquetError;

use super::{Error, SqlState};

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Self {
        datafusion(&error)
    }
}

impl From<ArrowError> for Error {
    fn from(error: ArrowError) -> Self {
        arrow(&error)
    }
}

/// The place in the statement that an error of the planner means.
pub fn span(error: &DataFusionError) -> Option<Span> {
    match error {
        DataFusionError::Diagnostic(diagnostic, inner) => diagnostic.span.or_else(|| span(inner)),
        DataFusionError::Context(_, inner) => span(inner),
        DataFusionError::Shared(inner) => span(inner),
        DataFusionError::Collection(errors) => errors.first().and_then(span),
        _ => None,
    }
}

fn datafusion(error: &DataFusionError) -> Error {
    match error {
        DataFusionError::ArrowError(inner, _) => arrow(inner),
        DataFusionError::ParquetError(inner) => parquet(inner),
        DataFusionError::ObjectStore(inner) => store(inner),
        DataFusionError::IoError(inner) => io(inner),
        DataFusionError::SQL(inner, _) => text(SqlState::SyntaxError, &inner.to_string()),
        DataFusionError::NotImplemented(message) => text(SqlState::FeatureNotSupported, message),
        DataFusionError::Plan(message) => text(SqlState::SyntaxErrorOrAccessRuleViolation, message),
        DataFusionError::Configuration(message) => text(SqlState::InvalidParameterValue, message),
        DataFusionError::SchemaError(inner, _) => schema(inner),
        DataFusionError::Execution(message) => text(SqlState::DataException, message),
        DataFusionError::ResourcesExhausted(message) => {
            Error::new(SqlState::OutOfMemory, "out of memory").detail(sentence(message))
        }
        DataFusionError::External(inner) => external(inner.as_ref()),
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => datafusion(inner),
        DataFusionError::Shared(inner) => datafusion(inner),
        DataFusionError::Collection(errors) => match errors.first() {
            Some(first) => datafusion(first),
            None => Error::internal(error.to_string()),
        },
        DataFusionError::Internal(_)
        | DataFusionError::ExecutionJoin(_)
        | DataFusionError::Substrait(_)
        | DataFusionError::Ffi(_) => Error::internal(error.to_string()),
    }
}

fn arrow(error: &ArrowError) -> Error {
    match error {
        ArrowError::DivideByZero => Error::new(SqlState::DivisionByZero, "division by zero"),
        ArrowError::ArithmeticOverflow(_) => Error::new(SqlState::NumericValueOutOfRange, "value out of range"),
        ArrowError::CastError(message) | ArrowError::ParseError(message) => {
            text(SqlState::InvalidTextRepresentation, message)
        }
        ArrowError::JsonError(message) => text(SqlState::InvalidTextRepresentation, message),
        ArrowError::CsvError(message) => text(SqlState::BadCopyFileFormat, message),
        ArrowError::ComputeError(message) | ArrowError::InvalidArgumentError(message) => {
            text(SqlState::DataException, message)
        }
        ArrowError::NotYetImplemented(message) => text(SqlState::FeatureNotSupported, message),
        ArrowError::ParquetError(message) => text(SqlState::DataCorrupted, message),
        ArrowError::MemoryError(message) => {
            Error::new(SqlState::OutOfMemory, "out of memory").detail(sentence(message))
        }
        ArrowError::OffsetOverflowError(_)
        | ArrowError::DictionaryKeyOverflowError
        | ArrowError::RunEndIndexOverflowError => {
            Error::new(SqlState::ProgramLimitExceeded, "a column of one batch is too large")
        }
        ArrowError::ExternalError(inner) => external(inner.as_ref()),
        ArrowError::IoError(_, inner) => io(inner),
        ArrowError::SchemaError(_)
        | ArrowError::AvroError(_)
        | ArrowError::IpcError(_)
        | ArrowError::CDataInterface(_) => Error::internal(error.to_string()),
    }
}

fn parquet(error: &ParquetError) -> Error {
    match error {
        ParquetError::External(inner) => external(inner.as_ref()),
        other => text(SqlState::DataCorrupted, &other.to_string()),
    }
}

/// Errors of our own rooms travel through DataFusion in a box.
fn external(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Error {
    if let Some(ours) = error.downcast_ref::<Error>() {
        return ours.clone();
    }
    if let Some(inner) = error.downcast_ref::<udfs::Error>() {
        return function::function(inner);
    }
    if let Some(inner) = error.downcast_ref::<LookupError>() {
        return lookup::lookup(inner);
    }
    if let Some(inner) = error.downcast_ref::<catalog::Error>() {
        return lake::lake(inner);
    }
    if let Some(inner) = error.downcast_ref::<DataFusionError>() {
        return datafusion(inner);
    }
    if let Some(inner) = error.downcast_ref::<ArrowError>() {
        return arrow(inner);
    }
    if let Some(inner) = error.downcast_ref::<ParquetError>() {
        return parquet(inner);
    }
    if let Some(inner) = error.downcast_ref::<object_store::Error>() {
        return store(inner);
    }
    if let Some(inner) = error.downcast_ref::<std::io::Error>() {
        return io(inner);
    }
    Error::internal(error.to_string())
}

fn schema(error: &SchemaError) -> Error {
    match error {
        SchemaError::FieldNotFound { field, .. } => {
            Error::new(SqlState::UndefinedColumn, format!("column {} does not exist", column(field)))
        }
        SchemaError::AmbiguousReference { field } => {
            Error::new(SqlState::AmbiguousColumn, format!("column reference \"{}\" is ambiguous", field.name))
        }
        SchemaError::DuplicateQualifiedField { qualifier, name } => {
            Error::new(SqlState::DuplicateAlias, format!("table name \"{qualifier}\" specified more than once"))
                .detail(format!("Column \"{name}\" would occur twice."))
        }
        SchemaError::DuplicateUnqualifiedField { name } => {
            Error::new(SqlState::DuplicateColumn, format!("column \"{name}\" specified more than once"))
        }
    }
}

/// PostgreSQL quotes a bare column name and leaves a qualified one bare.
fn column(column: &Column) -> String {
    match &column.relation {
        Some(relation) => format!("{}.{}", relation.table(), column.name),
        None => format!("\"{}\"", column.name),
    }
}

/// A file that went away or changed between the snapshot and the read is a conflict; the rest is the store's failure.
fn store(error: &object_store::Error) -> Error {
    match error {
        object_store::Error::NotFound { .. } | object_store::Error::Precondition { .. } => {
            Error::new(SqlState::SerializationFailure, "could not read a file because it was replaced during the query")
                .hint("Run the query again.")
        }
        other => {
            tracing::warn!(cause = %other, "the object store failed");
            Error::new(SqlState::IoError, "could not read from the object store")
        }
    }
}

fn io(error: &std::io::Error) -> Error {
    if let Some(inner) = error.get_ref() {
        return external(inner);
    }
    match error.kind() {
        std::io::ErrorKind::StorageFull => Error::new(SqlState::DiskFull, "no space left for temporary files"),
        kind => {
            tracing::warn!(cause = %error, "input or output failed");
            Error::new(SqlState::IoError, format!("input or output failed: {kind}"))
        }
    }
}

/// A library's message in PostgreSQL's form: lowercase first letter, one line, no full stop.
fn text(state: SqlState, message: &str) -> Error {
    let line = message.lines().next().unwrap_or_default().trim().trim_end_matches('.');
    let mut chars = line.chars();
    let lower = match chars.next() {
        Some(first) if !line.chars().nth(1).is_some_and(char::is_uppercase) => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => line.to_owned(),
    };
    Error::new(state, lower)
}

fn sentence(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default().trim().trim_end_matches('.');
    format!("{line}.")
}
