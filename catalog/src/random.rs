//! Random numbers for names that no other has, and for pauses that writers do not share. Nothing secret rests on them.

use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

/// The hasher's keys are random.
pub(crate) fn random() -> u64 {
    std::hash::RandomState::new().build_hasher().finish()
}

/// A random part of `most`.
pub(crate) fn jitter(most: Duration) -> Duration {
    most.mul_f64(random() as f64 / u64::MAX as f64)
}
