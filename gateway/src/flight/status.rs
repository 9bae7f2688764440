//! Errors as gRPC tells them: PostgreSQL's message, its SQLSTATE beside it.
//!
//! Owns: which code a SQLSTATE becomes. The message is that of the PostgreSQL protocol, with DETAIL and HINT on lines of
//! their own; `sqlstate` is a trailer, and a `google.rpc.ErrorInfo` of domain `postgresql` in the details has all of it
//! apart. <https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto>

use std::collections::HashMap;

use arrow_flight::error::FlightError;
use arrow_flight::sql::Any;
use prost::Message;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};

use crate::error::{Error, SqlState};

/// gRPC refuses more in its trailers; a client that shows errors needs no more.
const MESSAGE_BYTES_MAX: usize = 2048;

#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

#[derive(Clone, PartialEq, Message)]
struct ErrorInfo {
    #[prost(string, tag = "1")]
    reason: String,
    #[prost(string, tag = "2")]
    domain: String,
    #[prost(map = "string, string", tag = "3")]
    metadata: HashMap<String, String>,
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let state = error.state.code();
        let code = code(error.state);
        let mut told = HashMap::from([("sqlstate".to_owned(), state.to_owned())]);
        let mut message = cut(&error.message);
        for (name, line) in [("DETAIL", &error.detail), ("HINT", &error.hint)] {
            if let Some(line) = line.as_deref().map(cut) {
                message += &format!("\n{name}:  {line}");
                told.insert(name.to_ascii_lowercase(), line);
            }
        }
        if let Some(position) = error.position {
            told.insert("position".to_owned(), position.to_string());
        }
        let info = ErrorInfo { reason: state.to_owned(), domain: "postgresql".to_owned(), metadata: told };
        let any =
            Any { type_url: "type.googleapis.com/google.rpc.ErrorInfo".to_owned(), value: info.encode_to_vec().into() };
        let details = RpcStatus { code: code as i32, message: message.clone(), details: vec![any] };
        let mut metadata = MetadataMap::new();
        metadata.insert("sqlstate", MetadataValue::from_static(state));
        Status::with_details_and_metadata(code, message, details.encode_to_vec().into(), metadata)
    }
}

impl From<Error> for FlightError {
    fn from(error: Error) -> Self {
        FlightError::Tonic(Box::new(error.into()))
    }
}

/// What a stream of Flight data failed with.
pub(super) fn of_stream(error: FlightError) -> Status {
    match error {
        FlightError::Tonic(status) => *status,
        other => Error::internal(other).into(),
    }
}

/// A message of the client that cannot be read.
pub(super) fn malformed(what: &str) -> Error {
    Error::new(SqlState::ProtocolViolation, format!("malformed {what}"))
}

fn code(state: SqlState) -> Code {
    match state {
        SqlState::InvalidPassword | SqlState::InvalidAuthorizationSpecification => Code::Unauthenticated,
        SqlState::InsufficientPrivilege => Code::PermissionDenied,
        SqlState::QueryCanceled => Code::Cancelled,
        SqlState::SerializationFailure => Code::Aborted,
        SqlState::ResultTypeChanged => Code::FailedPrecondition,
        SqlState::ConnectionFailure => Code::Unavailable,
        SqlState::DataCorrupted => Code::DataLoss,
        SqlState::UndefinedTable
        | SqlState::UndefinedObject
        | SqlState::UndefinedFile
        | SqlState::InvalidSchemaName
        | SqlState::InvalidCatalogName
        | SqlState::InvalidSqlStatementName
        | SqlState::InvalidCursorName => Code::NotFound,
        SqlState::DuplicateTable
        | SqlState::DuplicateSchema
        | SqlState::DuplicateFile
        | SqlState::DuplicateCursor
        | SqlState::DuplicatePreparedStatement => Code::AlreadyExists,
        SqlState::StatementTooComplex => Code::InvalidArgument,
        other => match other.code().get(..2) {
            Some("08" | "0L" | "21" | "22" | "42") => Code::InvalidArgument,
            Some("0A") => Code::Unimplemented,
            Some("25" | "2B" | "34" | "3B" | "55") => Code::FailedPrecondition,
            Some("53" | "54") => Code::ResourceExhausted,
            Some("57") => Code::Unavailable,
            _ => Code::Internal,
        },
    }
}

fn cut(text: &str) -> String {
    if text.len() <= MESSAGE_BYTES_MAX {
        return text.to_owned();
    }
    format!("{} ...", text.get(..text.floor_char_boundary(MESSAGE_BYTES_MAX)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_with_its_state_and_its_lines() {
        let error = Error::new(SqlState::UndefinedTable, "relation \"t\" does not exist").hint("Look again.").at(15);
        let status = Status::from(error);
        assert_eq!(status.code(), Code::NotFound);
        assert_eq!(status.message(), "relation \"t\" does not exist\nHINT:  Look again.");
        assert_eq!(status.metadata().get("sqlstate").unwrap(), "42P01");
        let details = RpcStatus::decode(status.details()).unwrap();
        let info = ErrorInfo::decode(&*details.details[0].value).unwrap();
        assert_eq!((info.reason.as_str(), info.metadata["position"].as_str()), ("42P01", "15"));
        let long = Status::from(Error::new(SqlState::SyntaxError, "é".repeat(MESSAGE_BYTES_MAX)));
        assert!(long.message().len() < MESSAGE_BYTES_MAX + 8);
    }
}
