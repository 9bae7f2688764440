//! Streams: every record of a topic is in its table once or among the rejects once, whatever dies in between.

mod faults;
mod once;
mod replay;

use std::time::Duration;

use gateway::config::Config;
use lakegate_tests::server::config_writable;
use lakegate_tests::wire::Client;
use lakegate_tests::{Lake, TestServer};
use rdkafka::ClientConfig;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer};

use crate::write::{ok, refused, rows, tag};

const PATIENCE: Duration = Duration::from_secs(60);

/// A broker of Kafka, as librdkafka plays one.
struct Kafka {
    cluster: MockCluster<'static, DefaultProducerContext>,
    producer: BaseProducer,
}

impl Kafka {
    fn with_topic(topic: &str, partitions: i32) -> Self {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic(topic, partitions, 1).unwrap();
        let producer = ClientConfig::new().set("bootstrap.servers", cluster.bootstrap_servers()).create().unwrap();
        Self { cluster, producer }
    }

    fn brokers(&self) -> Vec<String> {
        self.cluster.bootstrap_servers().split(',').map(str::to_owned).collect()
    }

    /// Puts records into a partition, and waits until they are there.
    fn put(&self, topic: &str, partition: i32, values: impl IntoIterator<Item = impl AsRef<[u8]>>) {
        for value in values {
            let mut record = BaseRecord::<(), [u8]>::to(topic).partition(partition).payload(value.as_ref());
            while let Err((_, again)) = self.producer.send(record) {
                self.producer.poll(Duration::from_millis(10));
                record = again;
            }
        }
        self.producer.flush(PATIENCE).unwrap();
    }

    fn config(&self, lake: &Lake) -> Config {
        let mut config = config_writable(lake);
        config.streams.brokers = self.brokers();
        config
    }
}

fn object(id: usize) -> String {
    format!("{{\"id\": {id}, \"name\": \"n{id}\"}}")
}

/// Waits until a query has this row.
async fn becomes(client: &mut Client, sql: &str, expected: &str) {
    let mut found = Vec::new();
    let waiting = async {
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        while found != [expected] {
            tick.tick().await;
            found = rows(client, sql).await;
        }
    };
    let is_done = tokio::time::timeout(PATIENCE, waiting).await.is_ok();
    let told = rows(client, "SELECT state, last_error FROM system.streams").await;
    assert!(is_done, "{sql} is not {expected} but {found:?}; {told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_become_rows_and_what_is_no_row_a_reject() {
    let kafka = Kafka::with_topic("orders", 2);
    let lake = Lake::default();
    let server = TestServer::with(kafka.config(&lake)).await.keeping(&lake);
    let mut client = server.wire().await;
    let create =
        "CREATE STREAM orders (id bigint NOT NULL, name text, price numeric(12,2), _partition int, _offset bigint,
                  _timestamp timestamptz) FROM KAFKA WITH (topic = 'orders', commit_every = '100 ms')";
    assert_eq!(tag(&mut client, create).await, "CREATE STREAM");
    assert_eq!(rows(&mut client, "SELECT count(*) FROM orders").await, ["0"], "the table is there at once");
    kafka.put("orders", 0, [r#"{"id": 1, "name": "one", "price": 1.005, "more": 0}"#, "{", r#"{"name": "none"}"#]);
    kafka.put("orders", 1, [r#"{"id": 2}"#, r#"{"id": 2.5}"#]);
    let all = "SELECT string_agg(concat_ws('/', id, name, price, _partition, _offset), ' ' ORDER BY id) FROM orders";
    becomes(&mut client, all, "1/one/1.01/0/0 2/1/0").await;
    becomes(&mut client, "SELECT lag, rows, rejects, unknown_fields, state FROM system.streams", "0|2|3|1|running")
        .await;
    let rejects = "SELECT partition, \"offset\", reason, record FROM orders_rejects ORDER BY 1, 2";
    let expected = [
        "0|1|EOF while parsing an object|{",
        "0|2|null value in column \"id\" violates not-null constraint|{\"name\": \"none\"}",
        "1|1|invalid input syntax for type bigint: \"2.5\"|{\"id\": 2.5}",
    ];
    assert_eq!(rows(&mut client, rejects).await, expected);
    assert_eq!(rows(&mut client, "SELECT count(*) FROM orders WHERE _timestamp > '2020-01-01'").await, ["2"]);
    let partitions = "SELECT string_agg(concat_ws('/', partition, \"offset\", end_offset, lag), ' ' ORDER BY partition)
                      FROM system.stream_partitions";
    becomes(&mut client, partitions, "0/3/3/0 1/2/2/0").await;
    assert!(refused(&mut client, "DROP TABLE orders").await.starts_with("2BP01"));

    assert_eq!(tag(&mut client, "ALTER STREAM orders PAUSE").await, "ALTER STREAM");
    becomes(&mut client, "SELECT state FROM system.streams", "paused").await;
    kafka.put("orders", 1, [object(3)]);
    assert_eq!(tag(&mut client, "ALTER STREAM orders RESUME").await, "ALTER STREAM");
    becomes(&mut client, "SELECT count(*), max(id) FROM orders", "3|3").await;
    assert_eq!(tag(&mut client, "DROP STREAM orders").await, "DROP STREAM");
    assert_eq!(rows(&mut client, "SELECT count(*) FROM system.streams").await, ["0"]);
    assert_eq!(rows(&mut client, "SELECT count(*) FROM orders").await, ["3"], "the table stays");
    // A stream of the same name, table and topic goes on where it was.
    ok(&mut client, create).await;
    kafka.put("orders", 0, [object(4)]);
    becomes(&mut client, "SELECT count(*), max(id) FROM orders", "4|4").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_refused_that_could_not_run() {
    let kafka = Kafka::with_topic("t", 1);
    let lake = Lake::default();
    let server = TestServer::with(kafka.config(&lake)).await.keeping(&lake);
    let mut client = server.wire().await;
    ok(&mut client, "CREATE TABLE there (a int)").await;
    for (sql, expected) in [
        ("CREATE STREAM s (a int) FROM KAFKA", "42601"),
        ("CREATE STREAM s (a int) FROM KAFKA WITH (format = 'json')", "22023 a stream has a topic"),
        ("CREATE STREAM s (a int) FROM KAFKA WITH (topic = 't', format = 'avro')", "22023"),
        ("CREATE STREAM s (a int) FROM KAFKA WITH (topic = 't', brokers = '169.254.169.254:80')", "42501"),
        ("CREATE STREAM s (a serial) FROM KAFKA WITH (topic = 't')", "0A000"),
        ("CREATE STREAM s FROM KAFKA WITH (topic = 't')", "42P01"),
        ("CREATE STREAM s (a text) INTO there FROM KAFKA WITH (topic = 't')", "42P16"),
        ("CREATE STREAM s (b int) INTO there FROM KAFKA WITH (topic = 't')", "42P16"),
        ("CREATE OR REPLACE STREAM s (a int) FROM KAFKA WITH (topic = 't')", "42601"),
        ("ALTER STREAM s PAUSE", "42704"),
        ("ALTER STREAM s STOP", "42601"),
        ("DROP STREAM s", "42704"),
    ] {
        let found = refused(&mut client, sql).await;
        assert!(found.starts_with(expected), "{sql}: {found}");
    }
    ok(&mut client, "DROP STREAM IF EXISTS s").await;
    ok(&mut client, "CREATE STREAM s (a int) INTO there FROM KAFKA WITH (topic = 't', paused = true)").await;
    ok(&mut client, "CREATE STREAM IF NOT EXISTS s (a int) FROM KAFKA WITH (topic = 't')").await;
    assert!(refused(&mut client, "CREATE STREAM s FROM KAFKA WITH (topic = 't')").await.starts_with("42710"));
    assert_eq!(rows(&mut client, "SELECT name, \"table\", state FROM system.streams").await, ["s|there|paused"]);

    let closed = TestServer::writable(&lake).await;
    let found = refused(&mut closed.wire().await, "CREATE STREAM u (a int) FROM KAFKA WITH (topic = 't')").await;
    assert_eq!(found, "55000 streams of Kafka are not configured");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_declare_streams_that_sql_cannot_change() {
    let kafka = Kafka::with_topic("lines", 1);
    let (lake, sql) = (Lake::default(), tempfile::tempdir().unwrap());
    let write = |name: &str, text: &str| {
        std::fs::create_dir_all(sql.path().join("streams")).unwrap();
        std::fs::write(sql.path().join("streams").join(name), text).unwrap();
    };
    write(
        "lines.sql",
        "CREATE STREAM lines (id int, name text) FROM KAFKA
         WITH (topic = 'lines', format = 'csv', delimiter = ';', commit_every = '100 ms');",
    );
    write("wrong.sql", "CREATE STREAM wrong (id int) FROM KAFKA WITH (topic = 'x', acks = 'all');");
    let mut config = kafka.config(&lake);
    config.sql_dir = sql.path().to_owned();
    kafka.put("lines", 0, ["1;\"a;b\"", "2;", "x;y", "3"]);
    let server = TestServer::with(config).await.keeping(&lake);
    let mut client = server.wire().await;
    becomes(&mut client, "SELECT state, rows, rejects FROM system.streams", "running|2|2").await;
    assert_eq!(rows(&mut client, "SELECT * FROM lines ORDER BY id").await, ["1|a;b", "2|NULL"]);
    assert!(refused(&mut client, "DROP STREAM lines").await.starts_with("55000"));
    assert!(refused(&mut client, "ALTER STREAM lines PAUSE").await.starts_with("55000"));
    let skipped = rows(&mut client, "SELECT reason FROM system.skipped_files WHERE key LIKE '%wrong.sql'").await;
    assert!(skipped.len() == 1 && skipped[0].contains("unrecognized parameter \"acks\""), "{skipped:?}");
}
