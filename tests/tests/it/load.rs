//! Many clients at once, that take nothing or only come and go: what they cost is given back.
//!
//! A tenth and less of the numbers that a server has to bear; all of them with LAKEGATE_LOAD=full.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use lakegate_tests::process::serves;
use lakegate_tests::wire::{Client, message};
use lakegate_tests::{Lake, Process};
use tokio::task::JoinSet;

/// A descriptor more or less is that of a probe.
const DESCRIPTORS_MORE: usize = 5;

fn is_full() -> bool {
    std::env::var("LAKEGATE_LOAD").is_ok_and(|value| value == "full")
}

/// A server of its own, whose memory and descriptors are nobody else's.
fn started(test: &str, lake: &Lake, more: &str) -> Process {
    let config = tempfile::NamedTempFile::new().unwrap();
    let listen: String =
        ["pg", "flight", "http"].iter().map(|protocol| format!("{protocol}.listen = \"127.0.0.1:0\"\n")).collect();
    let text = format!("{listen}{more}[lake]\nsources = [{{ url = {:?} }}]\n", lake.path().to_str().unwrap());
    std::fs::write(config.path(), text).unwrap();
    Process::start(test, config.path())
}

/// Waits until what is counted is so again.
async fn falls(mut count: impl FnMut() -> usize, to: usize) -> bool {
    let began_at = Instant::now();
    while count() > to {
        if began_at.elapsed() > Duration::from_secs(60) {
            return false;
        }
        tokio::task::yield_now().await;
    }
    true
}

/// How long `SELECT 1` takes on a connection of its own, at the worst of some.
async fn answers_in(addr: SocketAddr) -> Duration {
    let mut client = Client::login(addr).await;
    let mut longest = Duration::ZERO;
    for _ in 0..50 {
        let began_at = Instant::now();
        client.assert_alive().await;
        longest = longest.max(began_at.elapsed());
    }
    longest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_that_take_nothing_hold_little_and_are_cut() {
    if serves().await {
        return;
    }
    let count = if is_full() { 500 } else { 40 };
    let lake = Lake::default();
    let more = "pg.write_timeout_ms = 3000\npg.max_connections = 600\n";
    let mut process = started("load::readers_that_take_nothing_hold_little_and_are_cut", &lake, more);
    let addr = process.pg_addr();
    answers_in(addr).await;
    let (descriptors, resident) = (process.descriptors(), process.resident_bytes());
    let mut readers = Vec::new();
    for _ in 0..count {
        let mut reader = Client::login(addr).await;
        reader.send(&message::query("SELECT a, repeat('x', 20) FROM generate_series(1, 10000000) a")).await;
        readers.push(reader);
    }
    let longest = answers_in(addr).await;
    assert!(longest < Duration::from_secs(5), "SELECT 1 took {longest:?} beside {count} readers");
    let held = process.resident_bytes().saturating_sub(resident);
    println!("{count} readers hold {} MiB; SELECT 1 takes {longest:?} at most", held >> 20);
    assert!(held < 150 << 20, "{count} readers hold {} MiB", held >> 20);
    assert!(falls(|| process.descriptors(), descriptors + DESCRIPTORS_MORE).await, "not all of them were cut");
    assert!(falls(|| process.resident_bytes(), resident + (100 << 20)).await, "{} MiB", process.resident_bytes() >> 20);
    Client::login(addr).await.assert_alive().await;
    process.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_come_and_go_leave_nothing_behind() {
    if serves().await {
        return;
    }
    let (rounds, at_once) = if is_full() { (10, 1000) } else { (5, 100) };
    let lake = Lake::default();
    let mut process =
        started("load::clients_that_come_and_go_leave_nothing_behind", &lake, "pg.max_connections = 80\n");
    let addr = process.pg_addr();
    answers_in(addr).await;
    let descriptors = process.descriptors();
    let (mut came, mut resident) = (0, 0);
    for round in 0..rounds {
        let mut clients = JoinSet::new();
        for _ in 0..at_once {
            clients.spawn(async move {
                let mut client = Client::open(addr).await;
                let login = [("user", "lakegate"), ("database", "lakegate")];
                client.send(&message::startup(message::PROTOCOL_3_0, &login)).await;
                let messages = client.until_ready().await;
                let fault = messages.iter().find_map(message::Message::fault);
                assert!(fault.iter().all(|fault| fault.state == "53300"), "{fault:?}");
                client.send(&message::terminate()).await;
                usize::from(fault.is_none())
            });
        }
        came += clients.join_all().await.into_iter().sum::<usize>();
        if round == 0 {
            resident = process.resident_bytes();
        }
    }
    assert!(came >= rounds * 50, "{came} of {}", rounds * at_once);
    assert!(falls(|| process.descriptors(), descriptors + DESCRIPTORS_MORE).await, "{} stay", process.descriptors());
    let more = process.resident_bytes().saturating_sub(resident);
    assert!(more < 50 << 20, "{} MiB stay", more >> 20);
    Client::login(addr).await.assert_alive().await;
    process.kill();
}
