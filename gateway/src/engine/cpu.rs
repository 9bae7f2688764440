//! The pool where planning, execution and encoding run, apart from the sockets.
//!
//! One cross join on a shared runtime froze every login (a measured fact of the design). Stacks are large, because
//! plans are trees and the planner recurses over them.

use std::future::Future;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::{AbortHandle, JoinHandle};

use crate::error::{Error, Result};

/// Reserved address space, not memory: only touched pages count.
const STACK_BYTES: usize = 64 << 20;
/// Planning cannot yield, so it has threads of its own; a statement that must wait for one still honours its deadline.
const PLANNERS_MAX: usize = 64;

pub struct CpuPool {
    runtime: Option<Runtime>,
    threads: usize,
}

impl CpuPool {
    /// `threads` at 0 is one per core.
    pub fn new(threads: usize) -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = if threads == 0 { cores } else { threads };
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .max_blocking_threads(PLANNERS_MAX)
            .thread_name("lakegate-cpu")
            .thread_stack_size(STACK_BYTES)
            .enable_all()
            .build()
            .map_err(Error::internal)?;
        Ok(Self { runtime: Some(runtime), threads })
    }

    pub fn threads(&self) -> usize {
        self.threads
    }

    fn handle(&self) -> Result<&Handle> {
        self.runtime.as_ref().map(Runtime::handle).ok_or_else(|| Error::internal("the CPU pool is shut down"))
    }

    /// Starts work that yields. Aborting the handle stops it at its next yield.
    pub fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Result<JoinHandle<T>> {
        Ok(self.handle()?.spawn(work))
    }

    /// Runs work that does not yield, such as planning. If the caller is dropped the work ends by itself, unheard.
    pub async fn block<T: Send + 'static>(&self, work: impl FnOnce(&Handle) -> T + Send + 'static) -> Result<T> {
        let handle = self.handle()?.clone();
        self.handle()?.spawn_blocking(move || work(&handle)).await.map_err(Error::internal)
    }

    /// Starts a small statement on a thread of its own, where operators that do not yield cannot keep it waiting.
    pub fn spawn_apart(&self, work: impl Future<Output = ()> + Send + 'static) -> Result<AbortHandle> {
        let handle = self.handle()?.clone();
        Ok(self.handle()?.spawn_blocking(move || handle.block_on(work)).abort_handle())
    }
}

impl Drop for CpuPool {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
