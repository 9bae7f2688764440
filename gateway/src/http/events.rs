//! `POST /events`: bucket notifications, as MinIO's webhook and everything that speaks S3's event messages sends them.
//!
//! Owns: who may send them, and their form. An event is a hint: it is answered at once, and the lake lists what it is about.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>

use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use catalog::Secret;
use percent_encoding::percent_decode_str;
use ring::digest::{SHA256, digest};
use serde::Deserialize;

use super::State;

/// The largest message; one event has about a kilobyte.
pub(super) const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// The shortest token that may be configured.
pub(crate) const TOKEN_CHARS_MIN: usize = 16;

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "Records", default)]
    records: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    s3: Entity,
}

#[derive(Deserialize)]
struct Entity {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
struct Object {
    /// As in a query string: `%C3%A9`, and `+` for a blank.
    key: String,
}

/// 200 for every message that can be read, also if it is about objects of no source; 403 without the token, 400 for what is
/// no message.
pub(super) async fn receive(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    let Some(token) = &state.events_token else {
        return (StatusCode::FORBIDDEN, "http.events_token is not set\n");
    };
    if !is_allowed(&headers, token) {
        state.events.refuse();
        return (StatusCode::FORBIDDEN, "the token is wrong\n");
    }
    let Ok(message) = serde_json::from_slice::<Message>(&body) else {
        state.events.refuse();
        return (StatusCode::BAD_REQUEST, "this is no event message of S3\n");
    };
    for record in message.records {
        let key = record.s3.object.key.replace('+', " ");
        // A key that is no UTF-8 is of no table.
        if let Ok(key) = percent_decode_str(&key).decode_utf8() {
            state.events.take(state.lake.hint(&record.s3.bucket.name, &key));
        }
    }
    (StatusCode::OK, "")
}

/// Whether the header is `Bearer TOKEN`. Digests are compared, so that the time tells nothing of the token.
fn is_allowed(headers: &HeaderMap, token: &Secret) -> bool {
    let given = headers.get(AUTHORIZATION).map_or(&b""[..], |value| value.as_bytes());
    let wanted = format!("Bearer {}", token.reveal());
    digest(&SHA256, given).as_ref() == digest(&SHA256, wanted.as_bytes()).as_ref()
}
