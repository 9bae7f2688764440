//! Replicas that are processes of their own, of which one dies.

use std::io::Write;
use std::time::Duration;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use futures::StreamExt;
use lakegate_tests::flight::{Client, status};
use lakegate_tests::{Lake, Process, process};
use tempfile::NamedTempFile;
use tonic::Code;

use super::limits::{begin, info};

const ROWS: i64 = 100_000;
const SOON: Duration = Duration::from_secs(10);

/// The file that both are configured with.
fn config(lake: &Lake) -> NamedTempFile {
    let listen: String =
        ["pg", "flight", "http"].iter().map(|protocol| format!("{protocol}.listen = \"127.0.0.1:0\"\n")).collect();
    let text = format!(
        "{listen}sql_dir = \"no-sql-folder\"\nauth.token_key = \"a key that is long enough for all\"\n\
         [lake]\nmanifest = false\npoll_interval_ms = 3600000\nsources = [{{ url = {:?} }}]\n",
        lake.path().to_str().unwrap()
    );
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_breaks_its_streams_and_the_other_serves_its_tickets() {
    if process::serves().await {
        return;
    }
    let test = "flight::processes::a_process_that_is_killed_breaks_its_streams_and_the_other_serves_its_tickets";
    let lake = Lake::default();
    // More than sockets and windows hold, so that the stream is under way when its server dies.
    let text = "x".repeat(300);
    let lines: String = (0..ROWS).map(|id| format!("{id},{text}\n")).collect();
    lake.write("a/t.csv", format!("id,text\n{lines}"));
    let config = config(&lake);
    let (mut one, two) = (Process::start(test, config.path()), Process::start(test, config.path()));
    let mut client = Client::login(one.flight_addr()).await;
    let mut other = Client::open(two.flight_addr()).await;
    other.authorization.clone_from(&client.authorization);

    let told = info(&mut client, "SELECT id, text FROM a.t").await;
    let mut rows = begin(&mut client, &told).await;
    assert!(rows.next().await.unwrap().unwrap().num_rows() > 0);
    one.kill();
    let end = async {
        loop {
            if let Err(error) = rows.next().await.expect("a result that was cut looks whole") {
                break status(error);
            }
        }
    };
    let broken = tokio::time::timeout(SOON, end).await.expect("the client waits for a dead server");
    assert!(matches!(broken.code(), Code::Unavailable | Code::Unknown | Code::Internal), "{broken:?}");
    let refused = tokio::time::timeout(SOON, client.query("SELECT 1")).await.expect("a call to a dead server hangs");
    let refused = refused.unwrap_err();
    assert!(matches!(refused.code(), Code::Unavailable | Code::Cancelled | Code::Unknown), "{refused:?}");

    let whole = other.fetch(told.endpoint[0].ticket.clone().unwrap()).await.unwrap();
    let ids = |batch: &RecordBatch| batch.column(0).as_primitive::<Int64Type>().values().iter().sum::<i64>();
    assert_eq!(whole.batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 100_000);
    assert_eq!(whole.batches.iter().map(ids).sum::<i64>(), ROWS * (ROWS - 1) / 2);
}
