//! Servers that die or are two: the offsets in the commits of the table say what comes next.

use std::io::Write;

use lakegate_tests::wire::Client;
use lakegate_tests::{Lake, Process, TestServer, process};
use tempfile::NamedTempFile;

use super::{Kafka, becomes, object};
use crate::write::{ok, rows};

/// How many records the test of the rate puts into its topic.
const RECORDS: &str = "LAKEGATE_STREAM_RECORDS";

fn config(kafka: &Kafka, lake: &Lake) -> NamedTempFile {
    let listen: String =
        ["pg", "flight", "http"].iter().map(|protocol| format!("{protocol}.listen = \"127.0.0.1:0\"\n")).collect();
    let text = format!(
        "{listen}sql_dir = \"no-sql-folder\"\nstreams.brokers = {:?}\n\
         [lake]\nmanifest = false\npoll_interval_ms = 3600000\nsources = [{{ url = {:?}, writable = true }}]\n",
        kafka.brokers(),
        lake.path().to_str().unwrap()
    );
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

const CREATE: &str = "CREATE STREAM s (id bigint NOT NULL, name text) FROM KAFKA
                      WITH (topic = 't', commit_every = '100 ms', max_batch_rows = 500)";
const ALL: &str = "SELECT count(*), count(DISTINCT id), min(id), max(id) FROM s";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_record_is_there_once_after_kills() {
    if process::serves().await {
        return;
    }
    let test = "streams::once::every_record_is_there_once_after_kills";
    let (kafka, lake) = (Kafka::with_topic("t", 3), Lake::default());
    let config = config(&kafka, &lake);
    let mut server = Process::start(test, config.path());
    let mut client = Client::login(server.pg_addr()).await;
    ok(&mut client, CREATE).await;
    let mut put = 0;
    for round in 0_usize..3 {
        for partition in 0..3 {
            let ids = (put..put + 4_000).map(|id| if id % 1_000 == 7 { "poison".to_owned() } else { object(id) });
            kafka.put("t", partition, ids);
            put += 4_000;
        }
        // It dies with some of them in the table, and others on their way.
        let some = (put - 12_000 + 600 * (round + 1)).to_string();
        becomes(&mut client, &format!("SELECT coalesce(max(id), 0) >= {some} FROM s"), "t").await;
        server.kill();
        server = Process::start(test, config.path());
        client = Client::login(server.pg_addr()).await;
    }
    becomes(&mut client, "SELECT lag, state FROM system.streams", "0|running").await;
    let good = put - put / 1_000;
    assert_eq!(rows(&mut client, ALL).await, [format!("{good}|{good}|0|{}", put - 1)]);
    let rejects = "SELECT count(*), count(DISTINCT (partition, \"offset\")) FROM s_rejects";
    let poisons = put / 1_000;
    assert_eq!(rows(&mut client, rejects).await, [format!("{poisons}|{poisons}")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_servers_runs_a_stream_and_the_other_takes_over() {
    let (kafka, lake) = (Kafka::with_topic("t", 2), Lake::default());
    let one = TestServer::with(kafka.config(&lake)).await.keeping(&lake);
    let mut client = one.wire().await;
    ok(&mut client, CREATE).await;
    kafka.put("t", 0, (0..2_000).map(object));
    becomes(&mut client, "SELECT state, lag FROM system.streams", "running|0").await;
    let two = TestServer::with(kafka.config(&lake)).await.keeping(&lake);
    let mut other = two.wire().await;
    becomes(&mut other, "SELECT state, lag FROM system.streams", "elsewhere|NULL").await;
    kafka.put("t", 1, (2_000..4_000).map(object));
    becomes(&mut client, "SELECT count(*) FROM s", "4000").await;
    drop(client);
    one.server.shutdown().await;
    kafka.put("t", 0, (4_000..6_000).map(object));
    becomes(&mut other, ALL, "6000|6000|0|5999").await;
    becomes(&mut other, "SELECT state, lag FROM system.streams", "running|0").await;
}

/// With `LAKEGATE_STREAM_RECORDS=1000000` and a release build it tells the rate on this machine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_topic_is_read_in_batches() {
    let records: usize = std::env::var(RECORDS).ok().and_then(|count| count.parse().ok()).unwrap_or(40_000);
    // A partition of the mock keeps 100,000 records of 5 MB.
    let partitions = i32::try_from(records.div_ceil(50_000)).unwrap();
    let (kafka, lake) = (Kafka::with_topic("t", partitions), Lake::default());
    for partition in 0..partitions {
        let ids = (0..records).skip(usize::try_from(partition).unwrap() * 50_000).take(50_000);
        kafka.put("t", partition, ids.map(object));
    }
    let server = TestServer::with(kafka.config(&lake)).await.keeping(&lake);
    let mut client = server.wire().await;
    let began_at = std::time::Instant::now();
    ok(&mut client, "CREATE STREAM s (id bigint NOT NULL, name text) FROM KAFKA WITH (topic = 't')").await;
    becomes(&mut client, "SELECT lag, rows FROM system.streams", &format!("0|{records}")).await;
    let seconds = began_at.elapsed().as_secs_f64();
    println!("{records} records in {seconds:.1} s: {:.0} a minute", records as f64 / seconds * 60.0);
    assert_eq!(rows(&mut client, ALL).await, [format!("{records}|{records}|0|{}", records - 1)]);
    let commits = rows(&mut client, "SELECT commits <= 2 + rows / 10000 FROM system.streams").await;
    assert_eq!(commits, ["t"], "a commit has many records");
}
