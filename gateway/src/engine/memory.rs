//! Memory of queries: one limit for all of them, and one for each.
//!
//! Owns: the accounting that DataFusion's operators report to. What operators do not report (decode buffers, kernels)
//! is why the default for all is 40 % of the machine, not 90 %.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{
    GreedyMemoryPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation,
};

/// The memory of one query, inside the memory of all.
#[derive(Debug)]
pub(crate) struct QueryPool {
    all: Arc<dyn MemoryPool>,
    used: AtomicUsize,
    bytes_max: usize,
}

impl QueryPool {
    pub(crate) fn new(all: Arc<dyn MemoryPool>, bytes_max: usize) -> Self {
        Self { all, used: AtomicUsize::new(0), bytes_max }
    }
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

/// The default for all queries: 40 % of what the control group allows, or else of the machine's memory.
pub(crate) fn default_bytes() -> usize {
    let limit = cgroup_bytes().into_iter().chain(machine_bytes()).min().unwrap_or(2 << 30);
    usize::try_from(limit / 5 * 2).unwrap_or(usize::MAX)
}

fn cgroup_bytes() -> Option<u64> {
    ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        .iter()
        .find_map(|path| std::fs::read_to_string(path).ok()?.trim().parse().ok())
}

fn machine_bytes() -> Option<u64> {
    let info = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = info.lines().find(|line| line.starts_with("MemTotal:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes << 10)
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
