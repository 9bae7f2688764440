//! Memory of queries: one limit for all of them, and one for each.
//!
//! Owns: the accounting that DataFusion's operators report to. What operators do not report (decode buffers, kernels)
//! is why the default for all is 40 % of the machine, not 90 %, and why there is a `watchdog`.

mod machine;
mod watchdog;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{
    GreedyMemoryPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation,
};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::error::Error;
pub(crate) use watchdog::{Pressure, Watchdog};

/// The memory of one query, inside the memory of all.
#[derive(Debug)]
pub(crate) struct QueryPool {
    all: Arc<dyn MemoryPool>,
    used: AtomicUsize,
    bytes_max: usize,
    /// The query gets no more, and has to end.
    evicted: CancellationToken,
}

/// The memory of each query that runs.
#[derive(Debug, Default)]
pub(crate) struct Pools {
    queries: Mutex<Vec<Weak<QueryPool>>>,
    /// What statements of one role share, where that is limited.
    roles: Mutex<HashMap<String, Weak<QueryPool>>>,
}

impl Pools {
    pub(crate) fn add(&self, pool: QueryPool) -> Arc<QueryPool> {
        let pool = Arc::new(pool);
        let mut pools = self.queries.lock();
        pools.retain(|pool| pool.strong_count() > 0);
        pools.push(Arc::downgrade(&pool));
        pool
    }

    /// The memory of a role, of which its statements have theirs.
    pub(crate) fn of_role(&self, role: &str, all: &Arc<dyn MemoryPool>, bytes_max: usize) -> Arc<dyn MemoryPool> {
        let mut roles = self.roles.lock();
        roles.retain(|_, pool| pool.strong_count() > 0);
        let known = roles.get(role).and_then(Weak::upgrade).filter(|pool| pool.bytes_max == bytes_max);
        known.unwrap_or_else(|| {
            let pool = Arc::new(QueryPool::new(Arc::clone(all), bytes_max));
            roles.insert(role.to_owned(), Arc::downgrade(&pool));
            pool
        })
    }

    /// Tells the query with the most memory to end, of several the youngest; gives how much it has reserved.
    fn evict_largest(&self) -> Option<usize> {
        let pools: Vec<_> = self.queries.lock().iter().filter_map(Weak::upgrade).collect();
        let largest = pools.iter().filter(|pool| !pool.evicted.is_cancelled()).max_by_key(|pool| pool.reserved())?;
        largest.evicted.cancel();
        Some(largest.reserved())
    }
}

impl QueryPool {
    pub(crate) fn new(all: Arc<dyn MemoryPool>, bytes_max: usize) -> Self {
        Self { all, used: AtomicUsize::new(0), bytes_max, evicted: CancellationToken::new() }
    }

    /// Cancelled when the query has to end.
    pub(crate) fn evicted(&self) -> &CancellationToken {
        &self.evicted
    }
}

/// Why a query ends that has broken no limit of its own.
const EVICTED: &str = "The server ran out of memory, and this statement held the most";

/// 53200 of a query that was told to end.
pub(super) fn evicted() -> Error {
    DataFusionError::ResourcesExhausted(EVICTED.to_owned()).into()
}

/// The memory of all queries.
pub(crate) fn pool_of_all(bytes_max: usize) -> Arc<dyn MemoryPool> {
    Arc::new(GreedyMemoryPool::new(bytes_max))
}

impl fmt::Display for QueryPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "query(used: {}, max: {})", self.reserved(), self.bytes_max)
    }
}

impl MemoryPool for QueryPool {
    fn name(&self) -> &str {
        "query"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.all.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.all.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.used.fetch_add(additional, Ordering::Relaxed);
        self.all.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.used.fetch_sub(shrink, Ordering::Relaxed);
        self.all.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        if self.evicted.is_cancelled() {
            return Err(DataFusionError::ResourcesExhausted(EVICTED.to_owned()));
        }
        let fits = |used: usize| used.checked_add(additional).filter(|used| *used <= self.bytes_max);
        if self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_err() {
            let consumer = reservation.consumer().name();
            let message = format!("{consumer} asked for {additional} bytes above the query's {}", self.bytes_max);
            return Err(DataFusionError::ResourcesExhausted(message));
        }
        self.all.try_grow(reservation, additional).inspect_err(|_| {
            self.used.fetch_sub(additional, Ordering::Relaxed);
        })
    }

    fn reserved(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.bytes_max)
    }
}

/// The default for all queries: 40 % of what the machine or its control group allows.
pub(crate) fn default_bytes() -> usize {
    machine::bytes_max() / 5 * 2
}

/// The default for the process: 85 % of the same.
pub(crate) fn default_resident_bytes() -> usize {
    machine::bytes_max() / 100 * 85
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_over_its_limit_is_refused_and_its_neighbour_is_not() {
        let all = pool_of_all(100);
        let (greedy, modest): (Arc<dyn MemoryPool>, Arc<dyn MemoryPool>) =
            (Arc::new(QueryPool::new(Arc::clone(&all), 60)), Arc::new(QueryPool::new(Arc::clone(&all), 60)));
        let first = MemoryConsumer::new("first").register(&greedy);
        first.try_grow(60).unwrap();
        assert!(first.try_grow(1).is_err());
        let second = MemoryConsumer::new("second").register(&modest);
        second.try_grow(40).unwrap();
        assert!(second.try_grow(1).is_err(), "all queries together are over their limit");
        drop(first);
        second.try_grow(20).unwrap();
        assert_eq!(all.reserved(), 60);
    }
}
