//! A file that changes under its readers: every answer is the old one or the new one.

use lakegate_tests::lake::numbers;
use lakegate_tests::{Lake, TestServer, s3};
use tokio::sync::watch;

/// What each version of the file sums up to: 1,000 rows of the version's number.
fn version(number: i64) -> Vec<u8> {
    numbers("x", std::iter::repeat_n(number, 1000 + usize::try_from(number).unwrap() % 7))
}

/// Every version is told by one value in all of its rows, so a mix shows. Bounds of `x` itself would come from the footer.
const ASK: &str = "SELECT min(abs(x)), max(abs(x)), count(*) FROM s.t";

fn assert_whole(answer: &lakegate_tests::wire::Answer) {
    match answer.state() {
        "00000" => {
            let row = &answer.texts()[0];
            let number: i64 = row[0].as_ref().unwrap().parse().unwrap();
            assert_eq!(row[0], row[1], "a mix of two versions");
            assert_eq!(row[2], Some((1000 + number % 7).to_string()), "a part of a version");
        }
        state => assert_eq!(state, "40001", "{:?}", answer.fault),
    }
}

/// Asks so many times, one after the other, and counts; gives how many answers there were. A query during which the file
/// is replaced twice would be told to ask again (40001).
async fn ask(server: &TestServer, times: usize, asked: &watch::Sender<usize>) -> usize {
    let mut client = server.wire().await;
    let mut answered = 0;
    for at in 1..=times {
        let answer = client.query(ASK).await;
        assert_whole(&answer);
        answered += usize::from(answer.state() == "00000");
        asked.send_replace(at);
    }
    answered
}

/// Waits for five more questions; false when all were asked.
async fn five_more(asked: &mut watch::Receiver<usize>, times: usize) -> bool {
    let until = *asked.borrow() + 5;
    asked.wait_for(|at| *at >= until.min(times)).await.is_ok() && *asked.borrow() < times
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overwriting_a_local_file_during_a_thousand_queries() {
    let lake = Lake::default();
    lake.write("s/t.parquet", version(0));
    let server = TestServer::start(&lake).await;
    let (asked, mut asking) = watch::channel(0);
    let writing = async {
        let mut written = 0;
        while five_more(&mut asking, 1000).await {
            written += 1;
            lake.write("s/t.parquet", version(written));
            server.refresh().await;
        }
        written
    };
    let (answered, written) = tokio::join!(ask(&server, 1000, &asked), writing);
    assert!(written > 50, "only {written} versions were written");
    assert_eq!(answered, 1000, "a file that is replaced once during a query costs no answer");
    server.refresh().await;
    assert_eq!(server.value("SELECT max(x) FROM s.t").await, written.to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overwriting_an_object_during_queries() {
    let store = s3::Server::start().await;
    store.put("lake/s/t.parquet", version(0)).await;
    let server = TestServer::start_s3(&store, "lake").await;
    let (asked, mut asking) = watch::channel(0);
    let writing = async {
        let mut written = 0;
        while five_more(&mut asking, 300).await {
            written += 1;
            store.put("lake/s/t.parquet", version(written)).await;
            server.refresh().await;
        }
        written
    };
    let (answered, written) = tokio::join!(ask(&server, 300, &asked), writing);
    assert!(written > 15, "only {written} versions were written");
    assert_eq!(answered, 300, "an object that is replaced once during a query costs no answer");
    server.refresh().await;
    assert_eq!(server.value("SELECT max(x) FROM s.t").await, written.to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_that_meets_a_replaced_file_is_planned_once_more() {
    // The greatest value alone would come from the footer that is known.
    const READ: &str = "SELECT DISTINCT x FROM s.t";
    let store = s3::Server::start().await;
    store.put("lake/s/t.parquet", version(0)).await;
    // Nothing looks at the lake by itself: its poll is an hour away.
    let server = TestServer::start_s3_unkept(&store, "lake").await;
    let mut client = server.wire().await;
    assert_eq!(client.value(READ).await.as_deref(), Some("0"));
    store.put("lake/s/t.parquet", version(1)).await;
    assert_eq!(client.value(READ).await.as_deref(), Some("1"));
    store.put("lake/s/t.parquet", version(2)).await;
    let answer = client.extended(ASK, 1).await;
    assert_eq!(answer.state(), "00000", "{:?}", answer.fault);
    store.delete("lake/s/t.parquet").await;
    assert_eq!(client.query(READ).await.state(), "42P01");
}
