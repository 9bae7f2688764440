//! The HTTP port: liveness, readiness, metrics, events of buckets, and the console.
//!
//! Without a login it gives no data and no secret away.

pub mod console;
pub(crate) mod events;
mod metrics;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::{DefaultBodyLimit, State as Shared};
use axum::http::StatusCode;
use axum::routing::{get, post};
use catalog::{Lake, Secret};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::session::Registry;

#[derive(Clone)]
pub struct State {
    pub lake: Arc<Lake>,
    pub engine: Arc<Engine>,
    pub registry: Arc<Registry>,
    /// What those who send events must know; `None` takes no events.
    pub events_token: Option<Secret>,
    pub events: Arc<Events>,
    /// `None` where it is off.
    pub console: Option<Arc<console::Console>>,
    /// Cancelled as soon as a stop was asked for.
    pub stop: CancellationToken,
}

/// Events of buckets since the start.
#[derive(Debug, Default)]
pub struct Events {
    /// About objects of the lake.
    taken: AtomicU64,
    /// About others.
    ignored: AtomicU64,
    /// Messages without the token or of another form.
    refused: AtomicU64,
}

impl Events {
    fn take(&self, is_ours: bool) {
        let counter = if is_ours { &self.taken } else { &self.ignored };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn refuse(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }
}

/// Serves until `end`, which comes after the drain: until then it is alive and not ready.
pub async fn serve(listener: TcpListener, state: State, end: CancellationToken) {
    let console = state.console.clone();
    let routes = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics::text))
        .route("/events", post(events::receive).layer(DefaultBodyLimit::max(events::MESSAGE_BYTES_MAX)))
        .with_state(state);
    let routes = match &console {
        Some(console) => routes.merge(console::routes(console)),
        None => routes,
    };
    let service = routes.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(end.cancelled_owned()).into_future();
    let sweeping = async {
        match &console {
            Some(console) => console.sweep().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        served = serving => {
            if let Err(error) = served {
                tracing::error!(%error, "the HTTP server ended");
            }
        }
        () = sweeping => {}
    }
}

/// Ready while the lake answers and no stop was asked for.
async fn ready(Shared(state): Shared<State>) -> (StatusCode, String) {
    let not = |reason: &str| (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n"));
    if state.stop.is_cancelled() {
        return not("stopping");
    }
    if let Some(awaited) = state.lake.awaited() {
        return not(awaited.detail().unwrap_or_default().trim_end_matches('.'));
    }
    if state.lake.store_is_reachable().await {
        (StatusCode::OK, "ready\n".to_owned())
    } else {
        not("the lake does not answer")
    }
}
