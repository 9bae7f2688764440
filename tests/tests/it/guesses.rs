//! Who guesses learns nothing: not whether a name exists, by the time that the server takes, nor a key that cancels.
//!
//! A small part of the guesses that a server has to bear; all of them with LAKEGATE_GUESSES=full.

use std::time::Duration;

use lakegate_tests::wire::{Answer, Client, cancel, message};
use lakegate_tests::{Lake, TestServer};
use tokio::time::Instant;

use crate::authentication::{mechanisms, with_roles};
use crate::cancel::ENDLESS;

fn is_full() -> bool {
    std::env::var("LAKEGATE_GUESSES").is_ok_and(|value| value == "full")
}

/// How long a server takes for the salt of a name.
async fn challenge(server: &TestServer, user: &str) -> Duration {
    let mut client = Client::open(server.addr()).await;
    let asked_at = Instant::now();
    mechanisms(&mut client, user).await;
    client.send(&message::sasl_initial("SCRAM-SHA-256", "n,,n=,r=0123456789abcdefghijklmn")).await;
    let first = client.receive().await.unwrap();
    assert_eq!((first.tag, first.int32(0)), (b'R', 11), "{:?}", first.fault());
    asked_at.elapsed()
}

fn median(mut took: Vec<Duration>) -> f64 {
    took.sort_unstable();
    took[took.len() / 2].as_secs_f64()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_tells_not_whether_a_name_exists() {
    let (count, difference_max) = if is_full() { (10_000, 0.05) } else { (100, 0.5) };
    let server = with_roles(&Lake::default()).await;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for _ in 0..count {
        known.push(challenge(&server, "reader").await);
        unknown.push(challenge(&server, "nobody").await);
    }
    let (known, unknown) = (median(known), median(unknown));
    let difference = (known - unknown).abs() / known.min(unknown);
    assert!(difference < difference_max, "{known} s for a name that exists, {unknown} s for another");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_guessed_cancels_nothing_and_the_right_one_soon() {
    let count: u64 = if is_full() { 1_000_000 } else { 500 };
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    let (id, secret) = client.key.clone().unwrap();
    client.send(&message::query(ENDLESS)).await;
    let mut running = server.wire().await;
    for guess in 0..count {
        // A sequence of its own that goes everywhere, but for the key itself.
        let guess = guess.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
        if guess[..secret.len().min(8)] != secret[..] {
            cancel(server.addr(), &(id, guess[..secret.len().min(8)].to_vec().into())).await;
        }
    }
    let active =
        running.value("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()").await;
    assert_eq!(active.as_deref(), Some("1"));
    let asked_at = Instant::now();
    cancel(server.addr(), &(id, secret)).await;
    assert_eq!(Answer::of(client.until_ready().await).state(), "57014");
    assert!(asked_at.elapsed() < Duration::from_secs(5), "{:?}", asked_at.elapsed());
}
