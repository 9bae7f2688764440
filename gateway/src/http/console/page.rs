//! The files of the page, which are in the binary. They hold no fact: the page asks for those.

use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderName, StatusCode};

type File = ([(HeaderName, &'static str); 1], &'static [u8]);

pub(super) async fn elsewhere() -> (StatusCode, [(HeaderName, &'static str); 1]) {
    (StatusCode::SEE_OTHER, [(LOCATION, "/console/")])
}

pub(super) async fn index() -> File {
    ([(CONTENT_TYPE, "text/html; charset=utf-8")], include_bytes!("assets/index.html"))
}

pub(super) async fn script() -> File {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], include_bytes!("assets/app.js"))
}

pub(super) async fn chart() -> File {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], include_bytes!("assets/chart.js"))
}

pub(super) async fn style() -> File {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_bytes!("assets/app.css"))
}
