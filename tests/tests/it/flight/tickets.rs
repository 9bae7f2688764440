//! What a ticket promises when the lake changes before it is fetched.

use arrow::array::RecordBatch;
use arrow_flight::Ticket;
use arrow_flight::sql::CommandStatementQuery;
use lakegate_tests::flight::{Client, state};
use lakegate_tests::{Lake, TestServer};
use tonic::{Code, Status};

use super::{connect, texts};

const KEY: &str = "a key that is long enough for all";
const QUESTION: &str = "SELECT * FROM a.t ORDER BY 1";

async fn replica(lake: &Lake) -> TestServer {
    let mut config = lakegate_tests::server::config(lake);
    config.auth.token_key = Some(KEY.to_owned().into());
    TestServer::with(config).await.keeping(lake)
}

async fn ticket(client: &mut Client) -> Ticket {
    let info = client.info(&CommandStatementQuery { query: QUESTION.to_owned(), transaction_id: None }).await.unwrap();
    info.endpoint[0].ticket.clone().unwrap()
}

fn assert_changed(refused: &Status) {
    assert_eq!((refused.code(), state(refused)), (Code::FailedPrecondition, "0A000"), "{refused:?}");
    assert!(refused.message().starts_with("cached plan must not change result type"), "{refused:?}");
}

fn rows(batches: &[RecordBatch]) -> usize {
    batches.iter().map(RecordBatch::num_rows).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rows_are_those_of_the_fetch_and_the_columns_those_that_were_told() {
    let lake = Lake::default();
    lake.write("a/t.csv", "name,id\nx,1\n");
    let (one, two) = (replica(&lake).await, replica(&lake).await);
    let (mut client, mut other) = (connect(&one).await, connect(&two).await);
    other.authorization.clone_from(&client.authorization);
    let handle = client.prepare(QUESTION).await.unwrap().prepared_statement_handle;
    for is_known in [true, false] {
        lake.write("a/t.csv", "name,id\nx,1\n");
        one.refresh().await;
        two.refresh().await;
        let tickets = [ticket(&mut client).await, ticket(&mut client).await, ticket(&mut client).await];
        lake.write("a/t.csv", "name,id\nx,1\nyy,2\n");
        if is_known {
            one.refresh().await;
            two.refresh().await;
        }
        // A server that does not know yet finds out when it reads the file.
        let fetched = client.fetch(tickets[0].clone()).await.unwrap();
        assert_eq!(texts(&fetched.batches, 0), ["x", "yy"]);
        assert_eq!(rows(&other.fetch(tickets[0].clone()).await.unwrap().batches), 2);
        assert_eq!(rows(&client.execute(&handle).await.unwrap().batches), 2);
        lake.write("a/t.csv", "name,id,more\nx,1,2.5\nyy,2,3.5\n");
        if is_known {
            one.refresh().await;
            two.refresh().await;
        }
        assert_changed(&client.fetch(tickets[1].clone()).await.unwrap_err());
        assert_changed(&other.fetch(tickets[2].clone()).await.unwrap_err());
        assert_changed(&client.execute(&handle).await.unwrap_err());
        // Who asks again is told the columns that there are.
        assert_eq!(client.query(QUESTION).await.unwrap().schema.fields().len(), 3);
    }
}
