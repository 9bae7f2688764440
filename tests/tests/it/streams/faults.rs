//! Brokers that are away, records that are gone, and streams that stop: each is told, and the server is as well as before.

use lakegate_tests::{Lake, TestServer};

use super::{Kafka, becomes, object};
use crate::write::{ok, rows};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_away_stops_nothing_but_its_streams() {
    let (kafka, lake) = (Kafka::with_topic("t", 1), Lake::default());
    let server = TestServer::with(kafka.config(&lake)).await.keeping(&lake);
    let mut client = server.wire().await;
    ok(&mut client, "CREATE STREAM s (id bigint, name text) FROM KAFKA WITH (topic = 't', commit_every = '100 ms')")
        .await;
    kafka.put("t", 0, [object(1)]);
    becomes(&mut client, "SELECT count(*) FROM s", "1").await;
    kafka.cluster.broker_down(1).unwrap();
    becomes(&mut client, "SELECT state, last_error IS NOT NULL FROM system.streams", "unreachable|t").await;
    assert_eq!(rows(&mut client, "SELECT count(*) FROM s").await, ["1"]);
    ok(&mut client, "CREATE STREAM late (id bigint) FROM KAFKA WITH (topic = 't', commit_every = '100 ms')").await;
    becomes(&mut client, "SELECT state FROM system.streams WHERE name = 'late'", "unreachable").await;
    kafka.cluster.broker_up(1).unwrap();
    kafka.put("t", 0, [object(2)]);
    becomes(&mut client, "SELECT count(*), sum(id) FROM s", "2|3").await;
    becomes(&mut client, "SELECT state, last_error FROM system.streams WHERE name = 's'", "running|NULL").await;
    becomes(&mut client, "SELECT count(*), sum(id) FROM late", "2|3").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_takes_no_rejects_stops_at_one() {
    let (kafka, lake) = (Kafka::with_topic("t", 1), Lake::default());
    let server = TestServer::with(kafka.config(&lake)).await.keeping(&lake);
    let mut client = server.wire().await;
    let create =
        "CREATE STREAM s (id bigint) FROM KAFKA WITH (topic = 't', commit_every = '100 ms', on_error = 'fail')";
    ok(&mut client, create).await;
    kafka.put("t", 0, [object(1)]);
    becomes(&mut client, "SELECT count(*) FROM s", "1").await;
    kafka.put("t", 0, ["x"]);
    becomes(&mut client, "SELECT state FROM system.streams", "failed").await;
    let told = rows(&mut client, "SELECT last_error FROM system.streams").await;
    let expected = "the record at offset 1 of partition 0 is no row of the table (22000) expected an object.";
    assert_eq!(told, [expected]);
    ok(&mut client, "DROP STREAM s").await;
    ok(&mut client, &create.replace("'fail'", "'reject'")).await;
    kafka.put("t", 0, [object(2)]);
    becomes(&mut client, "SELECT count(*), sum(id) FROM s", "2|3").await;
    assert_eq!(rows(&mut client, "SELECT \"offset\", record FROM s_rejects").await, ["1|x"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_begins_at_the_end_if_it_is_told_to() {
    let (kafka, lake) = (Kafka::with_topic("t", 2), Lake::default());
    kafka.put("t", 0, (0..10).map(object));
    let server = TestServer::with(kafka.config(&lake)).await.keeping(&lake);
    let mut client = server.wire().await;
    let create = "CREATE STREAM s (id bigint) FROM KAFKA WITH (topic = 't', commit_every = '100 ms', start = latest)";
    ok(&mut client, create).await;
    becomes(&mut client, "SELECT state, lag FROM system.streams", "running|0").await;
    // What comes while it does not run is behind its beginning.
    ok(&mut client, "ALTER STREAM s PAUSE").await;
    kafka.put("t", 0, [object(10)]);
    kafka.put("t", 1, [object(11)]);
    ok(&mut client, "ALTER STREAM s RESUME").await;
    becomes(&mut client, "SELECT count(*), sum(id) FROM s", "2|21").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_are_gone_are_told_or_counted() {
    let lake = Lake::default();
    let create = |options: &str| {
        format!("CREATE STREAM s (id bigint) FROM KAFKA WITH (topic = 't', commit_every = '100 ms'{options})")
    };
    {
        let kafka = Kafka::with_topic("t", 1);
        let server = TestServer::with(kafka.config(&lake)).await.keeping(&lake);
        let mut client = server.wire().await;
        ok(&mut client, &create("")).await;
        kafka.put("t", 0, [object(1)]);
        becomes(&mut client, "SELECT count(*) FROM s", "1").await;
        server.server.shutdown().await;
    }
    // Another topic of the name, which does not have what the table has.
    let kafka = Kafka::with_topic("t", 1);
    let server = TestServer::with(kafka.config(&lake)).await.keeping(&lake);
    let mut client = server.wire().await;
    becomes(&mut client, "SELECT state FROM system.streams", "failed").await;
    let told = rows(&mut client, "SELECT last_error FROM system.streams").await;
    assert!(told[0].starts_with("partition 0 of topic \"t\" ends before the records"), "{told:?}");
    // They are more than the 5 MB that a partition of the mock keeps.
    let more = "x".repeat(600);
    kafka.put("t", 0, (0..20_000).map(|id| format!("{{\"id\":{id},\"more\":\"{more}\"}}")));
    becomes(&mut client, "SELECT state FROM system.streams", "failed").await;
    becomes(&mut client, "SELECT last_error LIKE 'records of partition 0 %are gone%' FROM system.streams", "t").await;
    ok(&mut client, "DROP STREAM s").await;
    ok(&mut client, &create(", on_lost = 'skip'")).await;
    becomes(&mut client, "SELECT state, lag FROM system.streams", "running|0").await;
    let sum = "SELECT (lost + rows), lost > 0 FROM system.streams";
    assert_eq!(rows(&mut client, sum).await, ["19999|t"]);
}
