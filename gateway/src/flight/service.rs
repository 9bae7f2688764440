//! The calls of Flight, and what each of Flight SQL's messages asks for.
//!
//! Owns: the dispatch, and the order of authentication before anything else. Must never know: how a statement is planned.
//! <https://arrow.apache.org/docs/format/FlightSql.html>

use std::pin::Pin;
use std::sync::Arc;

use arrow_flight::flight_service_server::FlightService;
use arrow_flight::sql::{
    ActionClosePreparedStatementRequest, ActionCreatePreparedStatementRequest, Any, Command, DoPutUpdateResult,
    ProstMessageExt,
};
use arrow_flight::{
    Action, ActionType, Criteria, Empty, FlightData, FlightDescriptor, FlightInfo, HandshakeRequest, HandshakeResponse,
    PollInfo, PutResult, Result as ActionResult, SchemaResult, Ticket,
};
use bytes::Bytes;
use futures::stream::{self, Stream};
use prost::Message;
use tonic::{Request, Response, Status, Streaming};

use super::Server;
use super::auth::Call;
use super::put::Put;
use super::sealed::Work;
use super::status::malformed;
use super::{actions, columns, ingest, metadata, query};
use crate::error::{Error, Result};

pub(super) struct Service(pub(super) Arc<Server>);

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl FlightService for Service {
    type HandshakeStream = Answers<HandshakeResponse>;
    type ListFlightsStream = Answers<FlightInfo>;
    type DoGetStream = Answers<FlightData>;
    type DoPutStream = Answers<PutResult>;
    type DoActionStream = Answers<ActionResult>;
    type ListActionsStream = Answers<ActionType>;
    type DoExchangeStream = Answers<FlightData>;

    async fn handshake(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Self::HandshakeStream>, Status> {
        Ok(self.0.handshake(request).await?.map(one))
    }

    async fn list_flights(&self, _: Request<Criteria>) -> Result<Response<Self::ListFlightsStream>, Status> {
        Err(Error::unsupported("tables are listed by Flight SQL's CommandGetTables").into())
    }

    async fn get_flight_info(&self, request: Request<FlightDescriptor>) -> Result<Response<FlightInfo>, Status> {
        let mut call = self.0.call(&request).await?;
        let info = self.info(&call, request.into_inner()).await?;
        Ok(call.answer(info))
    }

    async fn poll_flight_info(&self, _: Request<FlightDescriptor>) -> Result<Response<PollInfo>, Status> {
        Err(Error::unsupported("PollFlightInfo is not supported").into())
    }

    async fn get_schema(&self, request: Request<FlightDescriptor>) -> Result<Response<SchemaResult>, Status> {
        let mut call = self.0.call(&request).await?;
        let schema = self.schema(&call, &request.into_inner()).await?;
        Ok(call.answer(SchemaResult { schema }))
    }

    async fn do_get(&self, request: Request<Ticket>) -> Result<Response<Self::DoGetStream>, Status> {
        let mut call = self.0.call(&request).await?;
        let rows = self.rows(&call, &request.into_inner()).await?;
        Ok(call.answer(rows))
    }

    async fn do_put(&self, request: Request<Streaming<FlightData>>) -> Result<Response<Self::DoPutStream>, Status> {
        let mut call = self.0.call(&request).await?;
        let answer = self.put(&call, request.into_inner()).await?;
        Ok(call.answer(one(PutResult { app_metadata: answer.into() })))
    }

    async fn do_exchange(&self, _: Request<Streaming<FlightData>>) -> Result<Response<Self::DoExchangeStream>, Status> {
        Err(Error::unsupported("DoExchange is not supported").into())
    }

    async fn do_action(&self, request: Request<Action>) -> Result<Response<Self::DoActionStream>, Status> {
        let mut call = self.0.call(&request).await?;
        let bodies = self.act(&call, request.into_inner()).await?;
        let answers = bodies.into_iter().map(|body| Ok(ActionResult { body: body.into() }));
        let answers: Self::DoActionStream = Box::pin(stream::iter(answers));
        Ok(call.answer(answers))
    }

    async fn list_actions(&self, request: Request<Empty>) -> Result<Response<Self::ListActionsStream>, Status> {
        let mut call = self.0.call(&request).await?;
        let types = actions::TYPES
            .iter()
            .map(|(name, told)| Ok(ActionType { r#type: (*name).to_owned(), description: (*told).to_owned() }));
        let types: Self::ListActionsStream = Box::pin(stream::iter(types.collect::<Vec<_>>()));
        Ok(call.answer(types))
    }
}

fn one<T: Send + 'static>(answer: T) -> Answers<T> {
    Box::pin(stream::iter([Ok(answer)]))
}

fn command(bytes: &[u8], what: &str) -> Result<Command> {
    let any = Any::decode(bytes).map_err(|_| malformed(what))?;
    Command::try_from(any).map_err(|_| malformed(what))
}

fn unknown(command: &Command) -> Error {
    Error::unsupported(format!("{} is not supported", command.type_url().rsplit('/').next().unwrap_or_default()))
}

impl Service {
    async fn info(&self, call: &Call, descriptor: FlightDescriptor) -> Result<FlightInfo> {
        let (server, role) = (&self.0, &call.login.role.name);
        match command(&descriptor.cmd, "command")? {
            Command::CommandStatementQuery(query) => {
                actions::check_no_transaction(query.transaction_id.as_ref())?;
                let work = server.work(call, query.query);
                server.info(call, &work, descriptor).await
            }
            Command::CommandPreparedStatementQuery(query) => {
                let work = Work::of_handle(&server.seal, role, &query.prepared_statement_handle)?;
                server.info(call, &work, descriptor).await
            }
            other => match metadata::schema(&other) {
                Some(schema) => columns::info(&schema, [descriptor.cmd.clone()], descriptor),
                None => Err(unknown(&other)),
            },
        }
    }

    async fn schema(&self, call: &Call, descriptor: &FlightDescriptor) -> Result<Bytes> {
        let (server, role) = (&self.0, &call.login.role.name);
        let schema = match command(&descriptor.cmd, "command")? {
            Command::CommandStatementQuery(query) => {
                actions::check_no_transaction(query.transaction_id.as_ref())?;
                server.schema(call, &server.work(call, query.query)).await?
            }
            Command::CommandPreparedStatementQuery(query) => {
                let work = Work::of_handle(&server.seal, role, &query.prepared_statement_handle)?;
                server.schema(call, &work).await?
            }
            other => metadata::schema(&other).ok_or_else(|| unknown(&other))?,
        };
        columns::ipc(&schema)
    }

    async fn rows(&self, call: &Call, ticket: &Ticket) -> Result<Answers<FlightData>> {
        let (server, role) = (&self.0, &call.login.role.name);
        let work = match command(&ticket.ticket, "ticket")? {
            Command::TicketStatementQuery(ticket) => Work::of_ticket(&server.seal, role, &ticket.statement_handle)?,
            Command::CommandPreparedStatementQuery(query) => {
                Work::of_handle(&server.seal, role, &query.prepared_statement_handle)?
            }
            other => return metadata::rows(server, call, other).await,
        };
        if work.done {
            return Ok(query::nothing());
        }
        let rows = server.execution(call, &work, None).await?.stream().await?;
        Ok(server.streams.watch(rows))
    }

    async fn put(&self, call: &Call, data: Streaming<FlightData>) -> Result<Vec<u8>> {
        let (server, role) = (&self.0, &call.login.role.name);
        let put = Put::begin(data).await?;
        let counted = |record_count| DoPutUpdateResult { record_count }.encode_to_vec();
        match command(put.command(), "command")? {
            Command::CommandStatementUpdate(update) => {
                actions::check_no_transaction(update.transaction_id.as_ref())?;
                let work = server.work(call, update.query);
                server.execution(call, &work, None).await?.finish().await.map(counted)
            }
            Command::CommandPreparedStatementUpdate(update) => {
                let work = Work::of_handle(&server.seal, role, &update.prepared_statement_handle)?;
                let batches = put.batches().await?;
                server.execution(call, &work, batches).await?.finish().await.map(counted)
            }
            Command::CommandPreparedStatementQuery(query) => {
                let work = Work::of_handle(&server.seal, role, &query.prepared_statement_handle)?;
                actions::bind(server, &work, put.batches().await?.unwrap_or_default())
            }
            Command::CommandStatementIngest(asked) => ingest::load(server, call, asked, put).await.map(counted),
            other => Err(unknown(&other)),
        }
    }

    /// The bodies of the results.
    async fn act(&self, call: &Call, action: Action) -> Result<Vec<Vec<u8>>> {
        let server = &self.0;
        match action.r#type.as_str() {
            "CreatePreparedStatement" => {
                let asked: ActionCreatePreparedStatementRequest = unwrapped(&action)?;
                actions::check_no_transaction(asked.transaction_id.as_ref())?;
                Ok(vec![actions::create(server, call, asked.query).await?])
            }
            "ClosePreparedStatement" => {
                // Nothing is kept of it; a handle that is not ours is told all the same.
                let asked: ActionClosePreparedStatementRequest = unwrapped(&action)?;
                Work::of_handle(&server.seal, &call.login.role.name, &asked.prepared_statement_handle)?;
                Ok(Vec::new())
            }
            "CancelFlightInfo" => actions::cancel(server, call, &action.body).map(|body| vec![body]),
            "CancelQuery" => actions::cancel_query(server, call, &unwrapped(&action)?).map(|body| vec![body]),
            "SetSessionOptions" => actions::set_options(server, call, &action.body).map(|body| vec![body]),
            "GetSessionOptions" => actions::get_options(server, call).await.map(|body| vec![body]),
            "CloseSession" => Ok(vec![actions::close(server, call)]),
            "BeginTransaction" | "EndTransaction" | "BeginSavepoint" | "EndSavepoint" => {
                Err(actions::no_transactions())
            }
            other => Err(Error::unsupported(format!("the action {other} is not supported"))),
        }
    }
}

fn unwrapped<M: ProstMessageExt>(action: &Action) -> Result<M> {
    let any = Any::decode(&*action.body).map_err(|_| malformed("action"))?;
    any.unpack().ok().flatten().ok_or_else(|| malformed("action"))
}
