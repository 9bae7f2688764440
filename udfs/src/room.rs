//! How much the process may still grow, asked before a large value or a large batch is made.
//!
//! Owns: the question, since what functions and aggregates make is accounted for behind its making, if at all. Must never
//! know: how the process is measured, whose statement asks.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::Error;

/// Less is never asked for.
const ASKED_MIN: usize = 1 << 20;
/// No value is larger, as in PostgreSQL.
pub(crate) const VALUE_BYTES_MAX: usize = (1 << 30) - 1;

static BYTES_MAX: AtomicUsize = AtomicUsize::new(usize::MAX);
/// What the process held when it was last measured.
static RESIDENT: AtomicUsize = AtomicUsize::new(0);
/// What was claimed and is not yet given back.
static CLAIMED: AtomicUsize = AtomicUsize::new(0);
static MEASURE: OnceLock<fn() -> Option<usize>> = OnceLock::new();

/// From now on nothing is made with which the process would hold more than so many bytes, of those that `measure` tells.
pub fn limit(bytes_max: usize, measure: fn() -> Option<usize>) {
    MEASURE.get_or_init(|| measure);
    BYTES_MAX.store(bytes_max, Ordering::Relaxed);
}

/// The process was measured.
pub fn measured(bytes: usize) {
    RESIDENT.store(bytes, Ordering::Relaxed);
}

/// What somebody is about to take, until it is there.
#[derive(Debug, Default)]
#[must_use = "what is claimed is given back at once"]
pub struct Claim(usize);

impl Drop for Claim {
    fn drop(&mut self) {
        CLAIMED.fetch_sub(self.0, Ordering::Relaxed);
    }
}

/// 53200 if there is no room for so many bytes more.
pub fn claim(bytes: usize) -> Result<Claim, Error> {
    if bytes < ASKED_MIN {
        return Ok(Claim(0));
    }
    let claimed = CLAIMED.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
    let claim = Claim(bytes);
    let max = BYTES_MAX.load(Ordering::Relaxed);
    // Far from the limit an old measure will do.
    if RESIDENT.load(Ordering::Relaxed).saturating_add(claimed) <= max / 2 {
        return Ok(claim);
    }
    if let Some(bytes) = MEASURE.get().and_then(|measure| measure()) {
        measured(bytes);
    }
    match RESIDENT.load(Ordering::Relaxed).saturating_add(claimed) <= max {
        true => Ok(claim),
        false => Err(Error::OutOfMemory { bytes }),
    }
}

/// A buffer that grows by doubling, as vectors do.
#[derive(Debug, Default)]
pub(crate) struct Growing {
    claim: Claim,
    bytes: usize,
}

impl Growing {
    /// The buffer is going to hold so many bytes; its offsets count no more than `i32` does.
    pub(crate) fn reach(&mut self, bytes: usize) -> Result<(), Error> {
        if bytes <= self.bytes {
            return Ok(());
        }
        if i32::try_from(bytes).is_err() {
            return Err(Error::LimitExceeded("a column of one batch is too large".to_owned()));
        }
        self.bytes = bytes.next_power_of_two();
        self.claim = claim(self.bytes)?;
        Ok(())
    }
}

/// 54000 if a value of so many bytes is more than PostgreSQL takes.
pub(crate) fn fits_a_value(bytes: usize) -> Result<(), Error> {
    if bytes > VALUE_BYTES_MAX { Err(Error::ValueTooLarge { bytes }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_a_gigabyte_at_most_and_a_batch_what_offsets_count() {
        assert!(fits_a_value(VALUE_BYTES_MAX).is_ok());
        assert_eq!(fits_a_value(1 << 30).unwrap_err(), Error::ValueTooLarge { bytes: 1 << 30 });
        let mut growing = Growing::default();
        assert!(growing.reach(10).is_ok() && growing.reach(1 << 22).is_ok());
        assert!(matches!(growing.reach(1 << 31), Err(Error::LimitExceeded(_))));
    }
}
