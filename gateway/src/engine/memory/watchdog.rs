//! Watches what the process really holds: more than its operators account for.
//!
//! Owns: when new statements wait, and which one ends so that the process does not. Must never know: what a statement does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::{Pools, machine};
use crate::error::{Error, Result};

const EVERY: Duration = Duration::from_millis(50);
/// A statement that was told to end has so long to give back what it holds, before another is told.
const REST: Duration = Duration::from_millis(300);
/// Above so many percent of the limit new statements wait.
const HIGH_PERCENT: usize = 85;

/// What is known of the memory of the process.
#[derive(Debug)]
pub(crate) struct Pressure {
    pub(crate) bytes_max: usize,
    is_high: watch::Sender<bool>,
    ended: AtomicU64,
}

impl Pressure {
    pub(crate) fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self { bytes_max, is_high: watch::Sender::new(false), ended: AtomicU64::new(0) })
    }

    pub(crate) fn is_high(&self) -> bool {
        *self.is_high.borrow()
    }

    /// Tells whenever new statements have to wait, or no longer.
    pub(crate) fn changes(&self) -> watch::Receiver<bool> {
        self.is_high.subscribe()
    }

    /// Statements that ended so that the process did not.
    pub(crate) fn ended(&self) -> u64 {
        self.ended.load(Ordering::Relaxed)
    }
}

/// The thread that watches; it has one of its own, as those of statements may be busy for long. It ends with this value.
#[derive(Debug)]
pub(crate) struct Watchdog {
    /// Dropped, it is the word to end.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    pub(crate) fn start(pressure: &Arc<Pressure>, pools: &Arc<Pools>) -> Result<Self> {
        udfs::room::limit(pressure.bytes_max, machine::resident);
        let (stop, stopped) = channel::<()>();
        let (pressure, pools) = (Arc::clone(pressure), Arc::clone(pools));
        let watching = move || {
            let mut rests_until = Instant::now();
            while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                let Some(held) = machine::resident() else { return };
                look(&pressure, &pools, held, &mut rests_until);
            }
        };
        let thread = std::thread::Builder::new().name("lakegate-memory".to_owned()).spawn(watching);
        Ok(Self { stop: Some(stop), thread: Some(thread.map_err(Error::internal)?) })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.stop.take());
        // It looks every few milliseconds, and a panic in it has been logged.
        let _ended = self.thread.take().map(JoinHandle::join);
    }
}

fn look(pressure: &Pressure, pools: &Pools, held: usize, rests_until: &mut Instant) {
    udfs::room::measured(held);
    let is_high = held > pressure.bytes_max / 100 * HIGH_PERCENT;
    pressure.is_high.send_if_modified(|was_high| std::mem::replace(was_high, is_high) != is_high);
    if held <= pressure.bytes_max || Instant::now() < *rests_until {
        return;
    }
    if let Some(reserved) = pools.evict_largest() {
        pressure.ended.fetch_add(1, Ordering::Relaxed);
        *rests_until = Instant::now() + REST;
        tracing::warn!(
            resident_bytes = held,
            bytes_max = pressure.bytes_max,
            reserved_bytes = reserved,
            "the statement with the most memory ends, since the process holds too much"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::{QueryPool, pool_of_all};
    use super::*;
    use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool};

    #[tokio::test]
    async fn above_the_limit_the_largest_statement_ends_and_others_wait() {
        let (pools, pressure) = (Arc::new(Pools::default()), Pressure::new(1000));
        let all = pool_of_all(10_000);
        let pool = || pools.add(QueryPool::new(Arc::clone(&all), 5_000));
        let (small, large) = (pool(), pool());
        let hold = |pool: &Arc<QueryPool>, bytes: usize| {
            let memory: Arc<dyn MemoryPool> = Arc::clone(pool) as _;
            let held = MemoryConsumer::new("rows").register(&memory);
            held.grow(bytes);
            held
        };
        let (modest, greedy) = (hold(&small, 10), hold(&large, 100));
        let mut rests_until = Instant::now();
        look(&pressure, &pools, 900, &mut rests_until);
        assert!(*pressure.is_high.borrow() && !large.evicted().is_cancelled());
        look(&pressure, &pools, 1001, &mut rests_until);
        assert!(large.evicted().is_cancelled() && !small.evicted().is_cancelled());
        assert!(greedy.try_grow(1).is_err() && modest.try_grow(1).is_ok());
        // It has its time to end.
        look(&pressure, &pools, 1001, &mut rests_until);
        assert!(!small.evicted().is_cancelled() && pressure.ended() == 1);
        let mut changes = pressure.changes();
        look(&pressure, &pools, 100, &mut rests_until);
        changes.changed().await.unwrap();
        assert!(!pressure.is_high());
    }
}
