//! What the store is told to do wrong, and what it was asked.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use s3s::{S3Error, S3ErrorCode, S3Result};

/// The operations that a lake uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    Get,
    Head,
    List,
    Put,
    Delete,
    Multipart,
}

/// One way to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 503 SlowDown.
    SlowDown,
    /// 500 InternalError.
    Internal,
    /// 403 AccessDenied.
    AccessDenied,
    /// 412 PreconditionFailed, whatever the condition is.
    PreconditionFailed,
    /// The operation happens, and then the answer is 503: the client cannot know.
    AppliedThenSlowDown,
    /// The operation happens, and then the answer is 403, after which nobody tries again.
    AppliedThenDenied,
    /// The connection breaks before the answer.
    Reset,
    /// The connection breaks after so many bytes of the body.
    CutBody(usize),
    /// A range is asked for and the whole object is sent, as 200.
    IgnoreRange,
    /// A condition of a PUT is ignored, as some stores do.
    IgnoreCondition,
    /// The answer waits.
    Delay(Duration),
}

/// The plan of faults and the count of requests.
#[derive(Debug, Default)]
pub struct Faults {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    rules: Vec<Rule>,
    /// How many requests are served before none is, and whether the next one happens although it is refused.
    left: Option<(usize, bool)>,
    /// The first request that was refused so.
    refused: Option<Operation>,
    counts: HashMap<Operation, usize>,
    last: HashMap<Operation, Instant>,
    log: Vec<(Operation, String)>,
}

#[derive(Debug)]
struct Rule {
    operation: Operation,
    key_contains: String,
    fault: Fault,
    left: usize,
}

impl Faults {
    /// Lets the next `times` operations on keys that contain a text fail.
    pub fn inject(&self, operation: Operation, key_contains: &str, fault: Fault, times: usize) {
        let key_contains = key_contains.to_owned();
        self.lock().rules.push(Rule { operation, key_contains, fault, left: times });
    }

    /// Serves so many requests more and refuses all behind them, as if whoever asks had died; the first that is refused may
    /// happen nevertheless.
    pub fn refuse_after(&self, requests: usize, first_happens: bool) {
        let mut state = self.lock();
        (state.left, state.refused) = (Some((requests, first_happens)), None);
    }

    /// The first request that was refused since [`Faults::refuse_after`].
    pub fn refused(&self) -> Option<Operation> {
        self.lock().refused
    }

    /// Forgets faults that have not happened.
    pub fn clear(&self) {
        let mut state = self.lock();
        state.rules.clear();
        state.left = None;
    }

    /// How many requests of a kind came since the last `reset_counts`.
    pub fn count(&self, operation: Operation) -> usize {
        self.lock().counts.get(&operation).copied().unwrap_or(0)
    }

    /// When the last request of a kind came.
    pub fn last(&self, operation: Operation) -> Option<Instant> {
        self.lock().last.get(&operation).copied()
    }

    /// Every request since the last `reset_counts`, in order.
    pub fn log(&self) -> Vec<(Operation, String)> {
        self.lock().log.clone()
    }

    pub fn reset_counts(&self) {
        let mut state = self.lock();
        state.counts.clear();
        state.last.clear();
        state.log.clear();
    }

    /// Counts a request and gives the fault that it shall meet after it was served, if any.
    pub(super) async fn meet(&self, operation: Operation, key: &str) -> S3Result<Option<Fault>> {
        let fault = self.take(operation, key);
        match fault {
            Some(Fault::SlowDown) => Err(slow_down()),
            Some(Fault::Internal) => Err(S3Error::new(S3ErrorCode::InternalError)),
            Some(Fault::AccessDenied) => Err(S3Error::new(S3ErrorCode::AccessDenied)),
            Some(Fault::PreconditionFailed) => Err(S3Error::new(S3ErrorCode::PreconditionFailed)),
            Some(Fault::Delay(delay)) => {
                tokio::time::sleep(delay).await;
                Ok(None)
            }
            other => Ok(other),
        }
    }

    fn take(&self, operation: Operation, key: &str) -> Option<Fault> {
        let mut state = self.lock();
        *state.counts.entry(operation).or_default() += 1;
        state.last.insert(operation, Instant::now());
        state.log.push((operation, key.to_owned()));
        match &mut state.left {
            Some((0, first_happens)) => {
                let happens = std::mem::take(first_happens);
                state.refused.get_or_insert(operation);
                return Some(if happens { Fault::AppliedThenDenied } else { Fault::AccessDenied });
            }
            Some((left, _)) => *left -= 1,
            None => {}
        }
        let fits =
            |rule: &&mut Rule| rule.left > 0 && rule.operation == operation && key.contains(rule.key_contains.as_str());
        let rule = state.rules.iter_mut().find(fits)?;
        rule.left -= 1;
        Some(rule.fault)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

pub(super) fn slow_down() -> S3Error {
    S3Error::new(S3ErrorCode::SlowDown)
}
