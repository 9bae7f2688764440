//! Errors of the lake: every cause has its own SQLSTATE.

use crate::error::{Error, SqlState};

impl From<catalog::Error> for Error {
    fn from(error: catalog::Error) -> Self {
        lake(&error)
    }
}

pub(super) fn lake(error: &catalog::Error) -> Error {
    use catalog::Fault::{NotWritten, Unknown};
    if let catalog::Error::Write(catalog::Fault::Rows { .. }) = error {
        return Error::internal(error.to_string());
    }
    if let catalog::Error::Store { cause, .. }
    | catalog::Error::NotKept { cause, .. }
    | catalog::Error::Write(NotWritten { cause } | Unknown { cause, .. }) = error
    {
        tracing::warn!(%cause, "the object store failed");
    }
    let mut report = Error::new(state(error), error.to_string());
    report.hint = error.hint().map(str::to_owned);
    report.detail = error.detail();
    report
}

fn state(error: &catalog::Error) -> SqlState {
    use catalog::Error as Lake;
    match error {
        Lake::UnreadableFile { .. } | Lake::EmptyFile { .. } => SqlState::DataCorrupted,
        Lake::NoColumns { .. } => SqlState::UndefinedTable,
        Lake::Replaced { .. } => SqlState::SerializationFailure,
        Lake::MissingFile { .. } => SqlState::UndefinedFile,
        Lake::Outside { .. } => SqlState::InsufficientPrivilege,
        Lake::NoVersion { .. } => SqlState::InvalidParameterValue,
        Lake::Unsupported { .. } | Lake::UnsupportedFile { .. } | Lake::Unversioned { .. } => {
            SqlState::FeatureNotSupported
        }
        Lake::BadValue { .. } => SqlState::InvalidTextRepresentation,
        Lake::OutOfRange { .. } => SqlState::DatetimeFieldOverflow,
        Lake::BadRecord { .. } => SqlState::BadCopyFileFormat,
        Lake::BadEncoding { .. } => SqlState::CharacterNotInRepertoire,
        Lake::RecordTooLong { .. } | Lake::TooLarge { .. } => SqlState::ProgramLimitExceeded,
        Lake::DuplicateColumn { .. } => SqlState::DuplicateColumn,
        Lake::TooManyColumns { .. } | Lake::WideFile { .. } => SqlState::TooManyColumns,
        Lake::MissingColumn { .. } => SqlState::UndefinedColumn,
        Lake::Definition { .. } => SqlState::SyntaxError,
        Lake::Location { .. } => SqlState::InsufficientPrivilege,
        Lake::Source { .. } | Lake::Store { .. } => SqlState::IoError,
        Lake::Awaited { .. } => SqlState::CannotConnectNow,
        Lake::Kept { .. } => SqlState::DataCorrupted,
        Lake::TooMuchKept { .. } => SqlState::ProgramLimitExceeded,
        Lake::NotKept { cause, .. } => match cause.as_ref() {
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
                SqlState::InsufficientPrivilege
            }
            _ => SqlState::IoError,
        },
        Lake::NotAtomic { .. } => SqlState::FeatureNotSupported,
        Lake::Write(fault) => of_write(fault),
        Lake::View { .. } => SqlState::SyntaxErrorOrAccessRuleViolation,
        Lake::IsView { .. } => SqlState::WrongObjectType,
        Lake::Rows { .. } => SqlState::InternalError,
    }
}

fn of_write(fault: &catalog::Fault) -> SqlState {
    use catalog::Fault;
    match fault {
        Fault::ReadOnly { .. } | Fault::ReadOnlyPlace { .. } | Fault::NoSource { .. } => {
            SqlState::ReadOnlySqlTransaction
        }
        Fault::Place { .. } => SqlState::InsufficientPrivilege,
        Fault::Taken { .. } => SqlState::DuplicateFile,
        Fault::Unfit { .. } => SqlState::SystemError,
        Fault::Format { .. } => SqlState::WrongObjectType,
        Fault::Feature { .. } | Fault::Type { .. } | Fault::EmptyPartition { .. } => SqlState::FeatureNotSupported,
        Fault::AppendOnly { .. } => SqlState::ObjectNotInPrerequisiteState,
        Fault::Name { .. } => SqlState::InvalidName,
        Fault::Null { .. } => SqlState::NotNullViolation,
        Fault::TooLong { .. } => SqlState::StringDataRightTruncation,
        Fault::Partitions { .. } => SqlState::ProgramLimitExceeded,
        Fault::Exists { .. } | Fault::Occupied { .. } => SqlState::DuplicateTable,
        Fault::Conflict { .. } => SqlState::SerializationFailure,
        Fault::NotWritten { cause } => match cause.as_ref() {
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
                SqlState::InsufficientPrivilege
            }
            _ => SqlState::IoError,
        },
        Fault::Unknown { .. } => SqlState::StatementCompletionUnknown,
        Fault::Memory { .. } => SqlState::OutOfMemory,
        Fault::Rows { .. } => SqlState::InternalError,
    }
}
