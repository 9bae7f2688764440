//! Two servers that refresh one view at once, while a third reads it: each change of the files is seen whole, once, and in order.

use std::sync::atomic::{AtomicBool, Ordering};

use lakegate_tests::TestServer;
use lakegate_tests::s3::Server;

use super::creation;
use crate::write::{ok, rows};

/// Rounds, of which each changes every file: `LAKEGATE_RACE_ROUNDS` for more.
const ROUNDS: u32 = 10;

/// Name, options, query: every row says which round it is of.
const VIEWS: [(&str, &str, &str); 3] = [
    ("lines", "", "SELECT k, v FROM s.t"),
    ("days", "partition_by = 'day'", "SELECT day, max(v) AS v, count(*) AS n FROM s.t GROUP BY day"),
    ("whole", "", "SELECT max(v) AS v, min(v) AS least FROM s.t"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_refresh_at_once_each_change_is_seen_whole_and_once() {
    let store = Server::start().await;
    // Of one object, so that no listing can see half of a round.
    let put = async |round: u32| store.put("r/s/t/day=2026-01-01/a.csv", format!("k,v\na,{round}\nb,{round}\n")).await;
    put(0).await;
    let servers = [TestServer::writable_s3(&store, "r").await, TestServer::writable_s3(&store, "r").await];
    let mut clients = [servers[0].wire().await, servers[1].wire().await];
    for (name, options, query) in VIEWS {
        ok(&mut clients[0], &creation(name, options, query)).await;
    }
    let reader = TestServer::start_s3(&store, "r").await;
    servers[1].refresh().await;
    let is_over = AtomicBool::new(false);
    let reading = async {
        let mut client = reader.wire().await;
        let mut last = [0; VIEWS.len()];
        while !is_over.load(Ordering::Relaxed) {
            reader.refresh().await;
            for ((name, ..), last) in VIEWS.iter().zip(&mut last) {
                let sql = format!("SELECT min(v), max(v), count(*) FROM {name}");
                let found = rows(&mut client, &sql).await.pop().unwrap();
                let found: Vec<u32> = found.split('|').map(|value| value.parse().unwrap()).collect();
                let (least, greatest, count) = (found[0], found[1], found[2]);
                assert!(least == greatest && least >= *last, "{name}: {found:?} after {last}");
                assert_eq!(count, if *name == "lines" { 2 } else { 1 }, "{name}: {found:?}");
                *last = least;
            }
        }
    };
    let racing = async {
        let rounds = std::env::var("LAKEGATE_RACE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
        for round in 1..=rounds.unwrap_or(ROUNDS) {
            put(round).await;
            for (at, (name, ..)) in VIEWS.iter().enumerate() {
                let how = if (round as usize + at).is_multiple_of(4) { " FULL" } else { "" };
                let sql = format!("REFRESH MATERIALIZED VIEW {name}{how}");
                let [one, other] = &mut clients;
                let (one, other) = tokio::join!(one.query(&sql), other.query(&sql));
                for answer in [one, other] {
                    assert_eq!(answer.state(), "00000", "{sql}, round {round}: {:?}", answer.fault);
                }
                let found = rows(&mut clients[0], &format!("SELECT min(v), max(v) FROM {name}")).await;
                assert_eq!(found, [format!("{round}|{round}")], "{name}");
            }
        }
        is_over.store(true, Ordering::Relaxed);
    };
    tokio::join!(reading, racing);
    for (name, ..) in VIEWS {
        let sql = format!(
            "SELECT count(*) = count(DISTINCT version), count(*) = count(DISTINCT epoch) FROM system.matview_refreshes
             WHERE name = '{name}' AND outcome = 'refreshed'"
        );
        assert_eq!(rows(&mut clients[1], &sql).await, ["t|t"], "{name}");
    }
}
