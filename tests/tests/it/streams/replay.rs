//! `lakegate replay`, as a process of its own: what it sends arrives once and in order, at the pace that is said while it runs.

use std::io::{Read, Write};
use std::process::{Child, Command, ExitCode, Stdio};

use lakegate_tests::{Lake, TestServer};

use super::{Kafka, becomes};
use crate::write::{ok, rows};

/// Has the arguments of a process that replays.
const ARGUMENTS: &str = "LAKEGATE_TESTS_REPLAY";

fn begin(test: &str, arguments: &[&str]) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(ARGUMENTS, arguments.join("\n"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// In a process that [`begin`] has begun: replays, and is true. Else false.
fn replays() -> bool {
    let Ok(arguments) = std::env::var(ARGUMENTS) else { return false };
    let code = gateway::cli::of(["lakegate", "replay"].into_iter().chain(arguments.lines()).map(str::to_owned));
    assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::SUCCESS));
    true
}

/// What the process says until it ends well.
async fn ends(mut child: Child) -> String {
    let ended = tokio::task::spawn_blocking(move || {
        let mut told = String::new();
        child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert!(child.wait().unwrap().success(), "{told}");
        told
    });
    tokio::time::timeout(super::PATIENCE, ended).await.expect("it never ends").unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_a_file_go_to_a_topic_at_a_pace_that_is_said() {
    if replays() {
        return;
    }
    let test = "streams::replay::rows_of_a_file_go_to_a_topic_at_a_pace_that_is_said";
    let (kafka, lake) = (Kafka::with_topic("stations", 1), Lake::default());
    let server = TestServer::with(kafka.config(&lake)).await.keeping(&lake);
    let mut client = server.wire().await;
    let create = "CREATE STREAM stations (id text, t numeric(4,1), ok bool, _offset bigint) FROM KAFKA
                  WITH (topic = 'stations', commit_every = '100 ms')";
    ok(&mut client, create).await;
    let file = lake.path().with_extension("csv");
    std::fs::write(&file, "id;t;ok\n07064001;1.50;true\n2;-3;\n\"3\";;false\n4;4;true\n").unwrap();
    let to = format!("kafka://{}/stations", kafka.brokers()[0]);
    let mut child = begin(test, &[file.to_str().unwrap(), "--to", &to, "--from", "2", "--interval", "3600s"]);
    becomes(&mut client, "SELECT count(*), min(id) FROM stations", "1|2").await;
    child.stdin.as_mut().unwrap().write_all(b"rate 1000\n").unwrap();
    let told = ends(child).await;
    assert!(told.contains("3 rows were replayed") && told.contains("--from 5"), "{told}");
    becomes(&mut client, "SELECT count(*) FROM stations", "3").await;
    let found = rows(&mut client, "SELECT id, t, ok FROM stations ORDER BY _offset").await;
    assert_eq!(found, ["2|-3.0|NULL", "3|NULL|f", "4|4.0|t"]);
    let mut child = begin(test, &[file.to_str().unwrap(), "--to", &to, "--interval", "3600s"]);
    becomes(&mut client, "SELECT count(*), min(id) FROM stations", "4|07064001").await;
    child.stdin.as_mut().unwrap().write_all(b"quit\n").unwrap();
    assert!(ends(child).await.contains("1 rows were replayed"));
    std::fs::remove_file(file).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_a_file_go_into_a_table() {
    if replays() {
        return;
    }
    let test = "streams::replay::rows_of_a_file_go_into_a_table";
    let lake = Lake::default();
    let server = TestServer::writable(&lake).await;
    let mut client = server.wire().await;
    ok(&mut client, "CREATE TABLE readings (id bigint, name text, at timestamptz)").await;
    let file = lake.path().with_extension("ndjson");
    let lines: String = (1..=1_200).map(|id| format!("{{\"id\": {id}, \"name\": \"it's {id}\"}}\n")).collect();
    std::fs::write(&file, format!("{lines}{{\"id\": 1201, \"at\": \"2026-01-02T03:04:05Z\"}}\n")).unwrap();
    let url = format!("http://{}", server.server.http_addr());
    let arguments = [file.to_str().unwrap(), "--to", "readings", "--interval", "0", "--url", &url];
    assert!(ends(begin(test, &arguments)).await.contains("1201 rows were replayed"));
    let found = rows(&mut client, "SELECT count(*), count(DISTINCT id), max(name), count(at) FROM readings").await;
    assert_eq!(found, ["1201|1201|it's 999|1"]);
    std::fs::remove_file(file).unwrap();
}
