//! A Flight SQL client that hides nothing: every call is one gRPC call, every failure its status.

use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{Schema, SchemaRef};
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::encode::{DictionaryHandling, FlightDataEncoderBuilder};
use arrow_flight::error::FlightError;
use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_flight::sql::{
    ActionCreatePreparedStatementRequest, ActionCreatePreparedStatementResult, Any, CommandPreparedStatementQuery,
    CommandPreparedStatementUpdate, CommandStatementIngest, CommandStatementQuery, CommandStatementUpdate,
    DoPutPreparedStatementResult, DoPutUpdateResult, ProstMessageExt,
};
use arrow_flight::{Action, FlightData, FlightDescriptor, FlightInfo, HandshakeRequest, Ticket};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt, stream};
use hyper_util::rt::TokioIo;
use prost::Message;
use tokio::net::TcpStream;
use tonic::codegen::Service;
use tonic::transport::{Channel, Uri};
use tonic::{Request, Status};

/// One connection, logged in or not.
#[derive(Clone)]
pub struct Client {
    inner: FlightServiceClient<Channel>,
    /// What stands in `authorization`.
    pub authorization: Option<String>,
    /// Further headers of its calls.
    pub headers: Vec<(&'static str, &'static str)>,
}

/// Shakes hands, whatever the address of a call is.
#[derive(Clone)]
struct Secure {
    addr: SocketAddr,
    config: Arc<rustls::ClientConfig>,
}

impl Service<Uri> for Secure {
    type Response = TokioIo<tokio_rustls::client::TlsStream<TcpStream>>;
    type Error = std::io::Error;
    type Future = BoxFuture<'static, std::io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let Self { addr, config } = self.clone();
        Box::pin(async move {
            let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
            let tcp = TcpStream::connect(addr).await?;
            Ok(TokioIo::new(tokio_rustls::TlsConnector::from(config).connect(name, tcp).await?))
        })
    }
}

/// The rows of one query, under the schema that was told before them.
#[derive(Debug)]
pub struct Rows {
    pub schema: SchemaRef,
    pub batches: Vec<RecordBatch>,
}

/// The rows of a batch as PostgreSQL shows them; `None` is NULL. The type of PostgreSQL is in the field.
pub fn texts(batch: &RecordBatch) -> Vec<Vec<Option<String>>> {
    let output = gateway::pg::outputs(&gateway::session::Vars::default().display());
    let schema = batch.schema();
    let columns: Vec<ArrayRef> = schema
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, values)| output.texts(values, field).unwrap())
        .collect();
    let text = |column: &ArrayRef, row| {
        let texts = column.as_string::<i32>();
        texts.is_valid(row).then(|| texts.value(row).to_owned())
    };
    (0..batch.num_rows()).map(|row| columns.iter().map(|column| text(column, row)).collect()).collect()
}

/// SQLSTATE of a failure.
pub fn state(status: &Status) -> &str {
    status.metadata().get("sqlstate").map_or("", |state| state.to_str().unwrap())
}

impl Client {
    pub async fn open(addr: SocketAddr) -> Self {
        Self::over(Channel::from_shared(format!("http://{addr}")).unwrap().connect().await.unwrap())
    }

    /// A client of a server that speaks TLS.
    pub async fn open_tls(addr: SocketAddr, config: rustls::ClientConfig) -> Result<Self, tonic::transport::Error> {
        let secure = Secure { addr, config: Arc::new(config) };
        Ok(Self::over(Channel::from_static("http://localhost").connect_with_connector(secure).await?))
    }

    fn over(channel: Channel) -> Self {
        let inner = FlightServiceClient::new(channel).max_decoding_message_size(usize::MAX);
        Self { inner, authorization: None, headers: Vec::new() }
    }

    /// Logs in to a server that trusts.
    pub async fn login(addr: SocketAddr) -> Self {
        let mut client = Self::open(addr).await;
        client.handshake(None).await.unwrap();
        client
    }

    /// Shows `authorization`, and uses the token that comes back.
    pub async fn handshake(&mut self, authorization: Option<&str>) -> Result<(), Status> {
        let mut request = Request::new(stream::iter([HandshakeRequest::default()]));
        if let Some(shown) = authorization {
            request.metadata_mut().insert("authorization", shown.parse().unwrap());
        }
        let response = self.inner.handshake(request).await?;
        self.authorization = Some(response.metadata().get("authorization").unwrap().to_str().unwrap().to_owned());
        Ok(())
    }

    pub fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(shown) = &self.authorization {
            request.metadata_mut().insert("authorization", shown.parse().unwrap());
        }
        for (name, value) in &self.headers {
            request.metadata_mut().insert(*name, value.parse().unwrap());
        }
        request
    }

    /// What a command, any of Flight SQL's, is told before its rows.
    pub async fn info(&mut self, command: &impl ProstMessageExt) -> Result<FlightInfo, Status> {
        let descriptor = FlightDescriptor::new_cmd(command.as_any().encode_to_vec());
        let request = self.request(descriptor);
        Ok(self.inner.get_flight_info(request).await?.into_inner())
    }

    /// The schema and the rows of a command.
    pub async fn rows(&mut self, command: &impl ProstMessageExt) -> Result<Rows, Status> {
        let info = self.info(command).await?;
        assert_eq!(info.endpoint.len(), 1, "one endpoint is what every client takes");
        let ticket = info.endpoint[0].ticket.clone().unwrap();
        let rows = self.fetch(ticket).await?;
        let told = Schema::try_from(info).unwrap();
        assert_eq!(&told, rows.schema.as_ref(), "FlightInfo and the stream tell the same schema");
        Ok(rows)
    }

    pub async fn fetch(&mut self, ticket: Ticket) -> Result<Rows, Status> {
        let mut rows = self.stream(self.request(ticket)).await?;
        let batches = rows.by_ref().try_collect().await.map_err(status)?;
        let schema = rows.schema().expect("a stream begins with its schema");
        Ok(Rows { schema: SchemaRef::clone(schema), batches })
    }

    pub async fn stream(&mut self, request: Request<Ticket>) -> Result<FlightRecordBatchStream, Status> {
        let data =
            self.inner.do_get(request).await?.into_inner().map_err(|status| FlightError::Tonic(Box::new(status)));
        Ok(FlightRecordBatchStream::new_from_flight_data(data))
    }

    pub async fn query(&mut self, sql: &str) -> Result<Rows, Status> {
        self.rows(&CommandStatementQuery { query: sql.to_owned(), transaction_id: None }).await
    }

    pub async fn update(&mut self, sql: &str) -> Result<i64, Status> {
        let command = CommandStatementUpdate { query: sql.to_owned(), transaction_id: None };
        let body = self.put(&command, None).await?;
        Ok(DoPutUpdateResult::decode(body).unwrap().record_count)
    }

    pub async fn prepare(&mut self, sql: &str) -> Result<ActionCreatePreparedStatementResult, Status> {
        let asked = ActionCreatePreparedStatementRequest { query: sql.to_owned(), transaction_id: None };
        let bodies = self.act("CreatePreparedStatement", asked.as_any().encode_to_vec()).await?;
        Ok(Any::decode(bodies[0].clone()).unwrap().unpack().unwrap().unwrap())
    }

    /// The handle of a prepared statement with values.
    pub async fn bind(&mut self, handle: &Bytes, values: RecordBatch) -> Result<Bytes, Status> {
        let command = CommandPreparedStatementQuery { prepared_statement_handle: handle.clone() };
        let body = self.put(&command, Some(values)).await?;
        Ok(DoPutPreparedStatementResult::decode(body).unwrap().prepared_statement_handle.unwrap())
    }

    pub async fn execute(&mut self, handle: &Bytes) -> Result<Rows, Status> {
        self.rows(&CommandPreparedStatementQuery { prepared_statement_handle: handle.clone() }).await
    }

    pub async fn execute_update(&mut self, handle: &Bytes, values: RecordBatch) -> Result<i64, Status> {
        let command = CommandPreparedStatementUpdate { prepared_statement_handle: handle.clone() };
        let body = self.put(&command, Some(values)).await?;
        Ok(DoPutUpdateResult::decode(body).unwrap().record_count)
    }

    pub async fn put(&mut self, command: &impl ProstMessageExt, values: Option<RecordBatch>) -> Result<Bytes, Status> {
        let data = match values {
            Some(batch) => messages(command, &batch.schema(), vec![batch]).await,
            None => {
                let descriptor = FlightDescriptor::new_cmd(command.as_any().encode_to_vec());
                vec![FlightData { flight_descriptor: Some(descriptor), ..Default::default() }]
            }
        };
        self.send(data).await
    }

    /// Has rows written, and gives how many the server has counted.
    pub async fn ingest(&mut self, command: &CommandStatementIngest, batches: Vec<RecordBatch>) -> Result<i64, Status> {
        let body = self.send(messages(command, &batches[0].schema(), batches).await).await?;
        Ok(DoPutUpdateResult::decode(body).unwrap().record_count)
    }

    async fn send(&mut self, data: Vec<FlightData>) -> Result<Bytes, Status> {
        let request = self.request(stream::iter(data));
        let mut results = self.inner.do_put(request).await?.into_inner();
        Ok(results.message().await?.map(|result| result.app_metadata).unwrap_or_default())
    }

    /// The bodies that an action is answered with.
    pub async fn act(&mut self, action: &str, body: Vec<u8>) -> Result<Vec<Bytes>, Status> {
        let request = self.request(Action { r#type: action.to_owned(), body: body.into() });
        let results = self.inner.do_action(request).await?.into_inner();
        results.map(|result| result.map(|result| result.body)).try_collect().await
    }

    pub fn raw(&mut self) -> &mut FlightServiceClient<Channel> {
        &mut self.inner
    }
}

/// A command and the batches behind it, as they are put.
pub async fn messages(
    command: &impl ProstMessageExt,
    schema: &SchemaRef,
    batches: Vec<RecordBatch>,
) -> Vec<FlightData> {
    let descriptor = FlightDescriptor::new_cmd(command.as_any().encode_to_vec());
    FlightDataEncoderBuilder::new()
        .with_schema(SchemaRef::clone(schema))
        .with_flight_descriptor(Some(descriptor))
        .with_dictionary_handling(DictionaryHandling::Resend)
        .build(stream::iter(batches.into_iter().map(Ok)))
        .try_collect()
        .await
        .unwrap()
}

/// The status that ended a stream.
pub fn status(error: FlightError) -> Status {
    match error {
        FlightError::Tonic(status) => *status,
        other => panic!("a stream that cannot be read: {other}"),
    }
}
