//! Arrow Flight SQL.
//!
//! Owns: gRPC. Must never know: the PostgreSQL protocol. Every call answers UNIMPLEMENTED for now, which a client tells
//! from a server that is not there.

use arrow_flight::flight_service_server::FlightServiceServer;
use arrow_flight::sql::SqlInfo;
use arrow_flight::sql::server::FlightSqlService;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

struct Service;

#[tonic::async_trait]
impl FlightSqlService for Service {
    type FlightService = Service;

    async fn register_sql_info(&self, _id: i32, _result: &SqlInfo) {}
}

/// Serves until the token is cancelled.
pub async fn serve(listener: TcpListener, stop: CancellationToken) {
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let served = Server::builder()
        .max_concurrent_streams(64)
        .add_service(FlightServiceServer::new(Service))
        .serve_with_incoming_shutdown(incoming, stop.cancelled_owned())
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "the Flight server ended");
    }
}
