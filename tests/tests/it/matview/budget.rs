//! Refreshes have places, memory and threads of their own: readers do not make them fail, nor they readers.

use lakegate_tests::wire::{self, message};
use lakegate_tests::{Lake, TestServer, server};

use crate::write::ok;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_does_not_wait_for_readers() {
    let lake = Lake::sample();
    let mut config = server::config_writable(&lake);
    (config.engine.running_max, config.engine.queue_timeout_ms) = (1, 600_000);
    let server = TestServer::with(config).await.keeping(&lake);
    let mut client = server.wire().await;
    let o = "weather.observations";
    ok(
        &mut client,
        &format!("CREATE MATERIALIZED VIEW daily AS SELECT station, count(*) AS n FROM {o} GROUP BY station"),
    )
    .await;
    let mut reader = server.wire().await;
    let endless = format!("SELECT count(*) FROM {o} a, {o} b, {o} c, {o} d WHERE a.n + b.n + c.n + d.n = -1");
    reader.send(&message::query(&endless)).await;
    while server.server.engine().running() == 0 {
        tokio::task::yield_now().await;
    }
    lake.write(
        "weather/observations/part-2.parquet",
        std::fs::read(lake.path().join("weather/observations/part-0.parquet")).unwrap(),
    );
    server.refresh().await;
    ok(&mut client, "REFRESH MATERIALIZED VIEW daily").await;
    wire::cancel(server.addr(), reader.key.as_ref().unwrap()).await;
    assert_eq!(wire::Answer::of(reader.until_ready().await).state(), "57014");
    let expected = server.value(&format!("SELECT count(*) FROM {o}")).await;
    assert_eq!(server.value("SELECT sum(n) FROM daily").await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_takes_no_memory_of_readers() {
    let lake = Lake::sample();
    let mut config = server::config_writable(&lake);
    (config.engine.memory_bytes_max, config.engine.jobs_memory_bytes_max) = (256 << 20, 1 << 20);
    let server = TestServer::with(config).await.keeping(&lake);
    let query = "SELECT station, string_agg(repeat('x', 2000), '') AS t FROM weather.observations GROUP BY station";
    assert_eq!(server.state(query).await, "00000");
    assert_eq!(server.state(&format!("CREATE MATERIALIZED VIEW wide AS {query}")).await, "53200");
    assert_eq!(server.state("CREATE MATERIALIZED VIEW slim AS SELECT station FROM weather.stations").await, "00000");
}
