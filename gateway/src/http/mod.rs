//! The HTTP port: liveness, readiness, metrics. No data, no secret, no authentication.

mod metrics;

use std::sync::Arc;

use axum::Router;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::routing::get;
use catalog::Lake;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::session::Registry;

#[derive(Clone)]
pub struct State {
    pub lake: Arc<Lake>,
    pub engine: Arc<Engine>,
    pub registry: Arc<Registry>,
    pub stop: CancellationToken,
}

/// Serves until the token is cancelled.
pub async fn serve(listener: TcpListener, state: State) {
    let stop = state.stop.clone();
    let routes = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics::text))
        .with_state(state);
    let served = axum::serve(listener, routes).with_graceful_shutdown(stop.cancelled_owned()).await;
    if let Err(error) = served {
        tracing::error!(%error, "the HTTP server ended");
    }
}

/// Ready while the lake answers and no stop was asked for.
async fn ready(Shared(state): Shared<State>) -> (StatusCode, &'static str) {
    if state.stop.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    }
    if state.lake.store_is_reachable().await {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the lake does not answer\n")
    }
}
