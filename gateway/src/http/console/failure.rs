//! Errors as the page gets them: PostgreSQL's report in JSON.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::error::Error;

/// An error that is the whole answer.
pub(super) struct Failure(pub(super) Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = status(self.0.state.code());
        (status, [(CONTENT_TYPE, "application/json")], json!({ "error": report(&self.0) }).to_string()).into_response()
    }
}

pub(super) fn report(error: &Error) -> Value {
    json!({
        "sqlstate": error.state.code(),
        "message": error.message,
        "detail": error.detail,
        "hint": error.hint,
        "position": error.position,
        "context": error.context,
    })
}

/// By the class of the SQLSTATE.
fn status(code: &str) -> StatusCode {
    match code.get(..2).unwrap_or_default() {
        "28" => StatusCode::UNAUTHORIZED,
        // Somebody has cancelled it: the server is well.
        "57" if code == "57014" => StatusCode::BAD_REQUEST,
        "53" | "57" | "58" => StatusCode::SERVICE_UNAVAILABLE,
        "XX" if code == "XX000" => StatusCode::INTERNAL_SERVER_ERROR,
        _ if code == "42501" => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    }
}
