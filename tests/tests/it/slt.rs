//! PostgreSQL's own answers, through both protocols and both formats.

use lakegate_tests::slt::{Mode, files, run};
use lakegate_tests::{Lake, TestServer};

async fn every_file(mode: Mode) {
    let server = TestServer::start(&Lake::default()).await;
    let mut count = 0;
    let mut failures = Vec::new();
    for file in files() {
        let (records, failed) = run(server.addr(), mode, &file).await;
        count += records;
        failures.extend(failed);
    }
    assert!(failures.is_empty(), "{} of {count} records differ\n\n{}", failures.len(), failures.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_simple_protocol_answers_as_postgres_does() {
    every_file(Mode::Simple).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_extended_protocol_answers_in_text_as_postgres_does() {
    every_file(Mode::ExtendedText).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_extended_protocol_answers_in_binary_as_postgres_does() {
    every_file(Mode::ExtendedBinary).await;
}
