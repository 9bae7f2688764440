//! A file that changes under its readers: every answer is the old one or the new one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lakegate_tests::lake::numbers;
use lakegate_tests::{Lake, TestServer, s3};

/// What each version of the file sums up to: 1,000 rows of the version's number.
fn version(number: i64) -> Vec<u8> {
    numbers("x", std::iter::repeat_n(number, 1000 + usize::try_from(number).unwrap() % 7))
}

/// Every version is told by one value in all of its rows, so a mix shows.
const ASK: &str = "SELECT min(x), max(x), count(*) FROM s.t";

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overwriting_a_local_file_during_a_thousand_queries() {
    let lake = Lake::default();
    lake.write("s/t.parquet", version(0));
    let server = TestServer::start(&lake).await;
    let done = AtomicBool::new(false);
    let asking = async {
        let mut client = server.wire().await;
        let mut answered = 0;
        for _ in 0..1000 {
            let answer = client.query(ASK).await;
            assert_whole(&answer);
            answered += usize::from(answer.state() == "00000");
        }
        done.store(true, Ordering::Release);
        answered
    };
    let writing = async {
        let mut number = 0;
        while !done.load(Ordering::Acquire) {
            number += 1;
            lake.write("s/t.parquet", version(number));
            server.refresh().await;
        }
        number
    };
    let (answered, written) = tokio::join!(asking, writing);
    assert!(written > 10, "only {written} versions were written");
    assert!(answered > 500, "only {answered} of 1000 queries were answered");
    server.refresh().await;
    assert_eq!(server.value("SELECT max(x) FROM s.t").await, written.to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overwriting_an_object_during_queries() {
    let store = Arc::new(s3::Server::start().await);
    store.put("lake/s/t.parquet", version(0)).await;
    let server = TestServer::start_s3(&store, "lake").await;
    let done = AtomicBool::new(false);
    let asking = async {
        let mut client = server.wire().await;
        for _ in 0..200 {
            assert_whole(&client.query(ASK).await);
        }
        done.store(true, Ordering::Release);
    };
    let writing = async {
        let mut number = 0;
        while !done.load(Ordering::Acquire) {
            number += 1;
            store.put("lake/s/t.parquet", version(number)).await;
            server.refresh().await;
        }
        number
    };
    let ((), written) = tokio::join!(asking, writing);
    server.refresh().await;
    assert_eq!(server.value("SELECT max(x) FROM s.t").await, written.to_string());
}
