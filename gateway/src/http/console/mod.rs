//! The console: a page in the browser for who runs the server and for who asks it.
//!
//! Owns: its routes, and what every answer says to the browser. All that it shows comes through the engine, in a session of
//! the role that has logged in: there is no other door to the lake. Must never know: SQL of its own, which is in the page.

mod cookie;
mod download;
mod failure;
mod login;
mod page;
mod query;
mod rows;
mod session;
mod stalled;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State as Shared};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::sync::Semaphore;

use self::stalled::{Streams, streams};
use crate::auth::{Roles, Seal};
use crate::engine::Engine;
use crate::session::{Registry, Vars};

/// The largest request: a statement of the greatest length, and what is around it.
const REQUEST_BYTES_MAX: usize = 2 << 20;
/// Requests that run statements at once.
const RUNNING_MAX: usize = 64;
/// A browser that takes no rows for so long loses them.
const PATIENCE: Duration = Duration::from_secs(300);
const SWEEP: Duration = Duration::from_secs(15);

/// What every request shares.
pub struct Console {
    pub(super) engine: Arc<Engine>,
    registry: Arc<Registry>,
    roles: Arc<Roles>,
    seal: Seal,
    settings: Settings,
    places: Arc<Semaphore>,
    streams: Streams,
}

/// How it is set up.
pub struct Settings {
    pub database: String,
    /// The variables that a session starts with.
    pub defaults: Vars,
    /// How long a login is good that nobody uses.
    pub login_lives: Duration,
    /// Whether a proxy that ends TLS is believed.
    pub is_behind_tls: bool,
}

impl Console {
    pub fn new(
        (engine, registry): (Arc<Engine>, Arc<Registry>),
        roles: Arc<Roles>,
        seal: Seal,
        settings: Settings,
    ) -> Arc<Self> {
        let (places, streams) = (Arc::new(Semaphore::new(RUNNING_MAX)), streams(PATIENCE));
        Arc::new(Self { engine, registry, roles, seal, settings, places, streams })
    }

    /// Lets go of what browsers do not take, for ever.
    pub(super) async fn sweep(&self) {
        loop {
            tokio::time::sleep(SWEEP).await;
            self.streams.sweep();
        }
    }

    /// Whether the browser means this server. One that trusts listens on this machine, and a name of another site that leads
    /// here must not be believed.
    fn is_meant(&self, headers: &HeaderMap) -> bool {
        if self.roles.trusted("").is_none() {
            return true;
        }
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((name, _)) => name,
            None => host.split_once(':').map_or(host, |(name, _)| name),
        };
        name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

pub(super) fn routes(console: &Arc<Console>) -> Router {
    let routes = Router::new()
        .route("/console", get(page::elsewhere))
        .route("/console/", get(page::index))
        .route("/console/app.js", get(page::script))
        .route("/console/chart.js", get(page::chart))
        .route("/console/app.css", get(page::style))
        .route("/console/api/me", get(login::me))
        .route("/console/api/login", post(login::login))
        .route("/console/api/logout", post(login::logout))
        .route("/console/api/query", post(query::query))
        .route("/console/api/download", post(download::download))
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .layer(from_fn_with_state(Arc::clone(console), guarded));
    routes.with_state(Arc::clone(console))
}

/// Nothing of another site is loaded, no other site shows the page, and nothing in it is a script but its own files.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

async fn guarded(Shared(console): Shared<Arc<Console>>, request: Request, next: Next) -> Response {
    let mut response = match console.is_meant(request.headers()) {
        true => next.run(request).await,
        false => (StatusCode::MISDIRECTED_REQUEST, "this name is not the server's\n").into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_FRAME_OPTIONS, "DENY"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Without a referrer browsers do not say of which site a form is.
        (REFERRER_POLICY, "same-origin"),
        (CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
