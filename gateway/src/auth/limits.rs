//! How often one address may guess passwords.
//!
//! Owns: the buckets of failed logins, per (role, address) and per address, and the words and the delay of a failure, which
//! are the same for every protocol. Successes cost nothing, and a failure from one address never throttles another. Must
//! never grow without limit: the number of buckets is bounded.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::time::sleep;

use crate::error::{Error, Result, SqlState};

const ROLE_BURST: f64 = 5.0;
const ROLE_PER_SECOND: f64 = 10.0 / 60.0;
const ADDRESS_BURST: f64 = 60.0;
const ADDRESS_PER_SECOND: f64 = 1.0;
const BUCKETS_MAX: usize = 10_000;

/// Failures that may still happen.
#[derive(Clone, Copy)]
struct Bucket {
    left: f64,
    at: Instant,
}

#[derive(Clone, Copy)]
struct Rate {
    burst: f64,
    per_second: f64,
}

const ROLE: Rate = Rate { burst: ROLE_BURST, per_second: ROLE_PER_SECOND };
const ADDRESS: Rate = Rate { burst: ADDRESS_BURST, per_second: ADDRESS_PER_SECOND };

impl Bucket {
    fn now(self, rate: Rate, now: Instant) -> f64 {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * rate.per_second;
        (self.left + gained).min(rate.burst)
    }
}

#[derive(Default)]
pub struct Limiter {
    buckets: Mutex<Buckets>,
}

#[derive(Default)]
struct Buckets {
    by_role: HashMap<(String, IpAddr), Bucket>,
    by_address: HashMap<IpAddr, Bucket>,
}

impl Limiter {
    /// Refuses a login of `role` from `address` that may not be tried now: 28P01, as if the password were wrong.
    pub async fn admit(&self, role: &str, address: IpAddr) -> Result<()> {
        if self.may_try_at(role, address, Instant::now()) {
            return Ok(());
        }
        sleep(failure_delay()).await;
        Err(wrong_password(role)
            .detail("Too many logins from this address failed lately; the next may be tried in some seconds."))
    }

    /// Counts a failed login, and gives what it is told after a while.
    pub async fn failed(&self, role: &str, address: IpAddr) -> Error {
        self.failed_at(role, address, Instant::now());
        sleep(failure_delay()).await;
        wrong_password(role)
    }

    fn may_try_at(&self, role: &str, address: IpAddr, now: Instant) -> bool {
        let address = network(address);
        let buckets = self.buckets.lock();
        let by_role = buckets.by_role.get(&(role.to_owned(), address)).is_none_or(|it| it.now(ROLE, now) >= 1.0);
        let by_address = buckets.by_address.get(&address).is_none_or(|it| it.now(ADDRESS, now) >= 1.0);
        by_role && by_address
    }

    fn failed_at(&self, role: &str, address: IpAddr, now: Instant) {
        let address = network(address);
        let mut buckets = self.buckets.lock();
        take(&mut buckets.by_role, (role.to_owned(), address), ROLE, now);
        take(&mut buckets.by_address, address, ADDRESS, now);
    }
}

fn take<K: std::hash::Hash + Eq>(buckets: &mut HashMap<K, Bucket>, key: K, rate: Rate, now: Instant) {
    if buckets.len() >= BUCKETS_MAX && !buckets.contains_key(&key) {
        buckets.retain(|_, bucket| bucket.now(rate, now) < rate.burst);
        if buckets.len() >= BUCKETS_MAX {
            // Somebody guesses from thousands of networks. Forgetting them all costs each only its burst.
            buckets.clear();
        }
    }
    let left = buckets.get(&key).map_or(rate.burst, |bucket| bucket.now(rate, now));
    buckets.insert(key, Bucket { left: (left - 1.0).max(0.0), at: now });
}

/// What a wrong password and an unknown role are told alike.
pub fn wrong_password(role: &str) -> Error {
    Error::new(SqlState::InvalidPassword, format!("password authentication failed for user \"{role}\""))
}

/// The delay before a failure is told: 0.5 to 1 s, so that neither guessing nor its timing is cheap.
fn failure_delay() -> Duration {
    let mut random = [0; 2];
    // Without random bytes the longest delay is the safe one.
    let spread = match ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut random) {
        Ok(()) => u64::from(u16::from_be_bytes(random)) * 500 / u64::from(u16::MAX),
        Err(_) => 500,
    };
    Duration::from_millis(500 + spread)
}

/// One IPv6 client has a whole /64 to guess from.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_role_is_throttled_from_one_address_only_and_recovers() {
        let limiter = Limiter::default();
        let now = Instant::now();
        for _ in 0..5 {
            assert!(limiter.may_try_at("ann", address("10.0.0.1"), now));
            limiter.failed_at("ann", address("10.0.0.1"), now);
        }
        assert!(!limiter.may_try_at("ann", address("10.0.0.1"), now));
        assert!(limiter.may_try_at("ann", address("10.0.0.2"), now));
        assert!(limiter.may_try_at("bob", address("10.0.0.1"), now));
        assert!(limiter.may_try_at("ann", address("10.0.0.1"), now + Duration::from_secs(7)));
    }

    #[test]
    fn an_address_is_throttled_over_all_roles() {
        let limiter = Limiter::default();
        let now = Instant::now();
        for role in 0..60 {
            limiter.failed_at(&role.to_string(), address("10.0.0.1"), now);
        }
        assert!(!limiter.may_try_at("fresh", address("10.0.0.1"), now));
    }

    #[test]
    fn an_ipv6_network_shares_its_bucket() {
        let limiter = Limiter::default();
        let now = Instant::now();
        for host in 1..=5 {
            limiter.failed_at("ann", address(&format!("2001:db8::{host}")), now);
        }
        assert!(!limiter.may_try_at("ann", address("2001:db8::ffff"), now));
        assert!(limiter.may_try_at("ann", address("2001:db8:0:1::1"), now));
    }

    #[test]
    fn buckets_are_bounded() {
        let limiter = Limiter::default();
        let now = Instant::now();
        for host in 0..(BUCKETS_MAX as u32 + 10) {
            limiter.failed_at("ann", IpAddr::V4(host.into()), now);
        }
        assert!(limiter.buckets.lock().by_role.len() <= BUCKETS_MAX);
    }
}
