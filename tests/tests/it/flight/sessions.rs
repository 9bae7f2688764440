//! What one client's calls share, and how they end.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arrow_flight::sql::{
    ActionBeginTransactionRequest, ActionCreatePreparedStatementRequest, CommandStatementQuery, CommandStatementUpdate,
    ProstMessageExt,
};
use arrow_flight::{CancelFlightInfoRequest, CancelFlightInfoResult, CancelStatus, FlightDescriptor};
use bytes::Bytes;
use futures::StreamExt;
use lakegate_tests::flight::{state, status};
use lakegate_tests::{Lake, TestServer};
use prost::Message;
use tonic::Code;

use super::{connect, one_text};
use crate::cancel::ENDLESS;

const ENDLESS_ROWS: &str =
    "SELECT a, b, repeat('x', 100) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b";

/// Waits until nothing runs.
pub(super) async fn assert_ends(server: &TestServer) {
    let counters = server.server.engine().counters();
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let ended = || count(&counters.succeeded) + count(&counters.failed) + count(&counters.canceled);
    let all = async {
        while ended() < count(&counters.started) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), all).await.expect("the statement runs on");
}

fn query(sql: &str) -> CommandStatementQuery {
    CommandStatementQuery { query: sql.to_owned(), transaction_id: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_keeps_its_variables_and_its_block() {
    let server = TestServer::start(&Lake::default()).await;
    let (mut one, mut two) = (connect(&server).await, connect(&server).await);
    assert_eq!(one.update("SET TimeZone = 'Asia/Tokyo'").await.unwrap(), 0);
    assert_eq!(one_text(&mut one, "SHOW TimeZone").await, "Asia/Tokyo");
    assert_ne!(one_text(&mut two, "SHOW TimeZone").await, "Asia/Tokyo");
    one.query("BEGIN").await.unwrap();
    assert_eq!(state(&one.query("SELECT 1 / 0").await.unwrap_err()), "22012");
    assert_eq!(state(&one.query("SELECT 1").await.unwrap_err()), "25P02");
    one.query("ROLLBACK").await.unwrap();
    assert_eq!(one_text(&mut one, "SELECT 'again'").await, "again");
    one.query("BEGIN").await.unwrap();
    one.query("DECLARE c CURSOR FOR SELECT a::text FROM generate_series(1, 5) a").await.unwrap();
    assert_eq!(super::texts(&one.query("FETCH 2 FROM c").await.unwrap().batches, 0), ["1", "2"]);
    assert_eq!(super::texts(&one.query("FETCH 9 FROM c").await.unwrap().batches, 0), ["3", "4", "5"]);
    one.query("COMMIT").await.unwrap();
    assert_eq!(state(&one.query("CLOSE c").await.unwrap_err()), "34000");
}

/// A client that believes to be in a transaction must not have its statements committed one by one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_of_the_protocol_is_refused() {
    let lake = Lake::default();
    let server = TestServer::writable(&lake).await;
    let mut client = connect(&server).await;
    client.update("CREATE TABLE t (a int)").await.unwrap();
    let insert = || "INSERT INTO t VALUES (1)".to_owned();
    let named = |id: &'static [u8]| Some(Bytes::from_static(id));
    let select = CommandStatementQuery { query: "SELECT * FROM t".to_owned(), transaction_id: named(b"1") };
    let descriptor = FlightDescriptor::new_cmd(select.as_any().encode_to_vec());
    let request = client.request(descriptor);
    let prepared = ActionCreatePreparedStatementRequest { query: insert(), transaction_id: named(b"1") };
    let begin = ActionBeginTransactionRequest {}.as_any().encode_to_vec();
    for refused in [
        client.info(&select).await.unwrap_err(),
        client.raw().get_schema(request).await.unwrap_err(),
        client.act("CreatePreparedStatement", prepared.as_any().encode_to_vec()).await.unwrap_err(),
        client.act("BeginTransaction", begin).await.unwrap_err(),
        client.put(&CommandStatementUpdate { query: insert(), transaction_id: named(b"1") }, None).await.unwrap_err(),
    ] {
        assert_eq!((refused.code(), state(&refused)), (Code::Unimplemented, "0A000"));
        assert_eq!(
            refused.message(),
            "transactions of Flight SQL are not supported\nHINT:  Send BEGIN and COMMIT as statements."
        );
    }
    // An empty one is none.
    client.put(&CommandStatementUpdate { query: insert(), transaction_id: named(b"") }, None).await.unwrap();
    assert_eq!(one_text(&mut client, "SELECT count(*)::text FROM t").await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_a_session_forgets_it() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = connect(&server).await;
    client.query("SET application_name = 'notebook'").await.unwrap();
    // CLOSED
    assert_eq!(client.act("CloseSession", Vec::new()).await.unwrap(), [&[8_u8, 1][..]]);
    // The token is as good as before; what it names begins anew.
    assert_ne!(one_text(&mut client, "SHOW application_name").await, "notebook");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_session_that_was_idle_longest_makes_room() {
    let lake = Lake::default();
    let mut config = lakegate_tests::server::config(&lake);
    config.flight.sessions_max = 2;
    let server = TestServer::with(config).await.keeping(&lake);
    let (mut one, mut two, mut three) = (connect(&server).await, connect(&server).await, connect(&server).await);
    one.query("SET application_name = 'one'").await.unwrap();
    two.query("SET application_name = 'two'").await.unwrap();
    assert_eq!(one_text(&mut one, "SHOW application_name").await, "one");
    assert_eq!(one_text(&mut three, "SHOW application_name").await, "");
    assert_eq!(one_text(&mut one, "SHOW application_name").await, "one");
    // Its variables are gone, which could change an answer: it is told so before it goes on without them.
    let told = two.query("SHOW application_name").await.unwrap_err();
    assert_eq!((told.code(), state(&told)), (Code::Unavailable, "57P05"));
    assert!(told.message().ends_with("Another client needed its place."), "{told:?}");
    assert_eq!(one_text(&mut two, "SHOW application_name").await, "");
    // That of `three` made room for it, and had nothing to lose.
    assert_eq!(one_text(&mut three, "SHOW application_name").await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_cancels_what_it_began() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = connect(&server).await;
    let info = client.info(&query(ENDLESS_ROWS)).await.unwrap();
    let request = client.request(info.endpoint[0].ticket.clone().unwrap());
    let mut rows = client.stream(request).await.unwrap();
    assert!(rows.next().await.unwrap().unwrap().num_rows() > 0);
    let asked = CancelFlightInfoRequest { info: Some(info) }.encode_to_vec();
    let told = client.act("CancelFlightInfo", asked.clone()).await.unwrap();
    let told = CancelFlightInfoResult::decode(told[0].clone()).unwrap();
    assert_eq!(told.status, CancelStatus::Cancelled as i32);
    let failed = loop {
        match rows.next().await.expect("a cancelled stream ends with an error") {
            Ok(_) => {}
            Err(error) => break status(error),
        }
    };
    assert_eq!((failed.code(), state(&failed)), (Code::Cancelled, "57014"));
    let told = client.act("CancelFlightInfo", asked).await.unwrap();
    let told = CancelFlightInfoResult::decode(told[0].clone()).unwrap();
    assert_eq!(told.status, CancelStatus::NotCancellable as i32);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_deadline_of_a_call_ends_its_statement() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = connect(&server).await;
    let info = client.info(&query(ENDLESS)).await.unwrap();
    let mut request = client.request(info.endpoint[0].ticket.clone().unwrap());
    // The header alone: the client itself would stop listening.
    request.metadata_mut().insert("grpc-timeout", "200m".parse().unwrap());
    let failed = match client.stream(request).await {
        Err(failed) => failed,
        Ok(mut rows) => status(rows.next().await.unwrap().unwrap_err()),
    };
    assert!(matches!(failed.code(), Code::Cancelled | Code::DeadlineExceeded), "{failed:?}");
    assert_ends(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_goes_away_takes_its_statement_along() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = connect(&server).await;
    let info = client.info(&query(ENDLESS_ROWS)).await.unwrap();
    let request = client.request(info.endpoint[0].ticket.clone().unwrap());
    let mut rows = client.stream(request).await.unwrap();
    rows.next().await.unwrap().unwrap();
    drop((rows, client));
    assert_ends(&server).await;
}
