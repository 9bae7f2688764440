//! The actions of Flight SQL: prepared statements, cancelling, session options.
//!
//! Owns: their messages, and what each changes. Those that the generated code lacks are written out here.
//! <https://github.com/apache/arrow/blob/main/format/Flight.proto>

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::Schema;
use arrow_flight::sql::{
    ActionCancelQueryRequest, ActionCancelQueryResult, ActionCreatePreparedStatementResult, Any, Command,
    DoPutPreparedStatementResult, ProstMessageExt, TicketStatementQuery,
};
use arrow_flight::{CancelFlightInfoRequest, CancelFlightInfoResult, CancelStatus, FlightInfo};
use bytes::Bytes;
use prost::Message;

use super::Server;
use super::auth::Call;
use super::columns::{self, Columns};
use super::sealed::Work;
use super::status::malformed;
use super::{metadata, params};
use crate::error::{Error, Result};
use crate::session::vars::Scope;

/// Every action, with what a person may want to know of it.
pub(super) const TYPES: &[(&str, &str)] = &[
    (
        "CreatePreparedStatement",
        "Plans a statement.\nRequest: ActionCreatePreparedStatementRequest\nResponse: ActionCreatePreparedStatementResult",
    ),
    ("ClosePreparedStatement", "Takes a handle back.\nRequest: ActionClosePreparedStatementRequest\nResponse: none"),
    (
        "CancelFlightInfo",
        "Ends the statement whose rows a ticket gives.\nRequest: CancelFlightInfoRequest\nResponse: CancelFlightInfoResult",
    ),
    (
        "CancelQuery",
        "The same, as older clients ask for it.\nRequest: ActionCancelQueryRequest\nResponse: ActionCancelQueryResult",
    ),
    (
        "SetSessionOptions",
        "Sets variables of the session.\nRequest: SetSessionOptionsRequest\nResponse: SetSessionOptionsResult",
    ),
    (
        "GetSessionOptions",
        "Gives the variables that were set.\nRequest: GetSessionOptionsRequest\nResponse: GetSessionOptionsResult",
    ),
    ("CloseSession", "Ends the session.\nRequest: CloseSessionRequest\nResponse: CloseSessionResult"),
];

#[derive(Clone, PartialEq, Message)]
struct SessionOptions {
    #[prost(map = "string, message", tag = "1")]
    options: HashMap<String, OptionValue>,
}

#[derive(Clone, PartialEq, Message)]
struct OptionValue {
    #[prost(oneof = "OptionKind", tags = "1, 2, 3, 4, 5")]
    kind: Option<OptionKind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum OptionKind {
    #[prost(string, tag = "1")]
    Text(String),
    #[prost(bool, tag = "2")]
    Bool(bool),
    #[prost(sfixed64, tag = "3")]
    Integer(i64),
    #[prost(double, tag = "4")]
    Double(f64),
    #[prost(message, tag = "5")]
    Texts(Texts),
}

#[derive(Clone, PartialEq, Message)]
struct Texts {
    #[prost(string, repeated, tag = "1")]
    values: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct SetSessionOptionsResult {
    #[prost(map = "string, message", tag = "1")]
    errors: HashMap<String, OptionError>,
}

#[derive(Clone, PartialEq, Message)]
struct OptionError {
    #[prost(int32, tag = "1")]
    value: i32,
}

const INVALID_NAME: i32 = 1;
const INVALID_VALUE: i32 = 2;

#[derive(Clone, PartialEq, Message)]
struct CloseSessionResult {
    #[prost(int32, tag = "1")]
    status: i32,
}

const CLOSED: i32 = 1;

/// A statement that names a transaction of Flight SQL would be committed by itself, which its client does not expect.
pub(super) fn check_no_transaction(id: Option<&Bytes>) -> Result<()> {
    if id.is_none_or(Bytes::is_empty) { Ok(()) } else { Err(no_transactions()) }
}

pub(super) fn no_transactions() -> Error {
    Error::unsupported("transactions of Flight SQL are not supported").hint("Send BEGIN and COMMIT as statements.")
}

/// Plans a statement; its handle is all that there is of it.
pub(super) async fn create(server: &Server, call: &Call, text: String) -> Result<Vec<u8>> {
    let mut work = server.work(call, text);
    let guard = call.begin(&call.client);
    let prepared = server.plan(&call.client, &guard, &work.text).await?;
    call.client.session.activity().end();
    let told = Columns::of(&prepared.columns, call.form.types);
    // Without a result set the schema is left out: JDBC tells queries from updates by it.
    let dataset_schema = if prepared.returns_rows { columns::ipc(&told.schema())? } else { Bytes::new() };
    work.columns = told.fingerprint();
    let parameter_schema = columns::ipc(&Schema::new(prepared.param_types.clone()))?;
    let prepared_statement_handle = work.handle(&server.seal);
    let result = ActionCreatePreparedStatementResult { prepared_statement_handle, dataset_schema, parameter_schema };
    Ok(result.as_any().encode_to_vec())
}

/// A handle with its parameters in it.
pub(super) fn bind(server: &Server, work: &Arc<Work>, batches: Vec<arrow::array::RecordBatch>) -> Result<Vec<u8>> {
    let bound = Work { params: params::pack(&batches)?, ..Work::clone(work) };
    let result = DoPutPreparedStatementResult { prepared_statement_handle: Some(bound.handle(&server.seal)) };
    Ok(result.encode_to_vec())
}

pub(super) fn cancel(server: &Server, call: &Call, body: &[u8]) -> Result<Vec<u8>> {
    let asked = CancelFlightInfoRequest::decode(body).map_err(|_| malformed("action"))?;
    let cancelled = cancel_info(server, call, asked.info.as_ref())?;
    // What does not run here may not have begun, or run on another replica.
    let status = if cancelled { CancelStatus::Cancelled } else { CancelStatus::NotCancellable };
    Ok(CancelFlightInfoResult { status: status as i32 }.encode_to_vec())
}

pub(super) fn cancel_query(server: &Server, call: &Call, asked: &ActionCancelQueryRequest) -> Result<Vec<u8>> {
    let info = FlightInfo::decode(&*asked.info).map_err(|_| malformed("action"))?;
    let cancelled = cancel_info(server, call, Some(&info))?;
    // CANCELLED and NOT_CANCELLABLE of its own enumeration.
    let result = if cancelled { 1 } else { 3 };
    Ok(ActionCancelQueryResult { result }.as_any().encode_to_vec())
}

fn cancel_info(server: &Server, call: &Call, info: Option<&FlightInfo>) -> Result<bool> {
    let tickets = info.into_iter().flat_map(|info| &info.endpoint).filter_map(|endpoint| endpoint.ticket.as_ref());
    let mut cancelled = false;
    for ticket in tickets {
        let any = Any::decode(&*ticket.ticket).map_err(|_| malformed("ticket"))?;
        if let Ok(Command::TicketStatementQuery(TicketStatementQuery { statement_handle })) = Command::try_from(any) {
            let work = Work::of_ticket(&server.seal, &call.login.role.name, &statement_handle)?;
            cancelled |= call.client.cancel(&work.nonce);
        }
    }
    Ok(cancelled)
}

/// `catalog` may be the database alone, `schema` is the search path, all others are variables as SET knows them.
pub(super) fn set_options(server: &Server, call: &Call, body: &[u8]) -> Result<Vec<u8>> {
    let asked = SessionOptions::decode(body).map_err(|_| malformed("action"))?;
    let mut errors = HashMap::new();
    for (name, value) in asked.options {
        if let Err(value) = set_option(server, call, &name, value.kind) {
            errors.insert(name, OptionError { value });
        }
    }
    Ok(SetSessionOptionsResult { errors }.encode_to_vec())
}

fn set_option(server: &Server, call: &Call, name: &str, kind: Option<OptionKind>) -> Result<(), i32> {
    let mut vars = call.client.session.vars();
    let text = match kind {
        None => return vars.reset(variable(name)).map_err(|_| INVALID_NAME),
        Some(OptionKind::Text(text)) => text,
        Some(OptionKind::Bool(value)) => if value { "on" } else { "off" }.to_owned(),
        Some(OptionKind::Integer(value)) => value.to_string(),
        Some(OptionKind::Double(value)) => value.to_string(),
        Some(OptionKind::Texts(Texts { values })) => values.join(", "),
    };
    if name == "catalog" {
        return if text == server.database { Ok(()) } else { Err(INVALID_VALUE) };
    }
    vars.get(variable(name)).map_err(|_| INVALID_NAME)?;
    let text = if name == "schema" { format!("\"{}\"", text.replace('"', "\"\"")) } else { text };
    vars.set(variable(name), &text, Scope::Session).map_err(|_| INVALID_VALUE)
}

fn variable(option: &str) -> &str {
    if option == "schema" { "search_path" } else { option }
}

pub(super) async fn get_options(server: &Server, call: &Call) -> Result<Vec<u8>> {
    let text = |value| OptionValue { kind: Some(OptionKind::Text(value)) };
    let changed = call.client.session.vars().changed();
    let mut options: HashMap<_, _> = changed.into_iter().map(|(name, value)| (name, text(value))).collect();
    options.insert("catalog".to_owned(), text(server.database.clone()));
    let schema = metadata::current_schema(server, call).await?;
    options.extend(schema.map(|schema| ("schema".to_owned(), text(schema))));
    Ok(SessionOptions { options }.encode_to_vec())
}

pub(super) fn close(server: &Server, call: &Call) -> Vec<u8> {
    server.clients.close(&call.client.key);
    CloseSessionResult { status: CLOSED }.encode_to_vec()
}
