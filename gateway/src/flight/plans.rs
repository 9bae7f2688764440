//! Plans of tickets that were given a moment ago.
//!
//! Owns: how many are kept. A ticket whose plan has gone is planned again.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::engine::Prepared;

/// A client asks for a ticket and fetches it; one that prefetches has some.
const PLANS_MAX: usize = 4;

/// By the nonces of their tickets.
#[derive(Default)]
pub(super) struct Plans(VecDeque<(Vec<u8>, Arc<Prepared>)>);

impl Plans {
    pub(super) fn keep(&mut self, nonce: &[u8], plan: &Arc<Prepared>) {
        if self.0.len() >= PLANS_MAX {
            self.0.pop_front();
        }
        self.0.push_back((nonce.to_vec(), Arc::clone(plan)));
    }

    pub(super) fn take(&mut self, nonce: &[u8]) -> Option<Arc<Prepared>> {
        let at = self.0.iter().position(|(kept, _)| kept == nonce)?;
        self.0.remove(at).map(|(_, plan)| plan)
    }
}
