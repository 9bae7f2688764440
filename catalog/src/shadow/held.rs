//! The shadows that there are, by the files that are read from them.
//!
//! Owns: which go when there are too many. Must never do: read.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Id, Place, Shadow};

/// What all indexes together may take in memory: a file has a hundred bytes and some for each column.
const INDEX_BYTES_MAX: usize = 128 << 20;

#[derive(Debug, Default)]
pub(super) struct Held {
    places: HashMap<Id, Place>,
    shadows: Vec<Arc<Shadow>>,
    /// On the disk, and in memory.
    bytes: u64,
    index_bytes: usize,
    clock: u64,
}

impl Held {
    pub(super) fn get(&self, id: Id) -> Option<&Place> {
        self.places.get(&id)
    }

    /// The next moment in the order of uses.
    pub(super) fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// Files that have a shadow.
    pub(super) fn files(&self) -> usize {
        self.places.len()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn packs(&self) -> impl Iterator<Item = &Arc<Shadow>> {
        self.shadows.iter().filter(|shadow| shadow.is_pack())
    }

    /// Takes a shadow in. Those that were not used for the longest time go when there are too many.
    pub(super) fn add(&mut self, shadow: Shadow, bytes_max: u64) {
        let shadow = Arc::new(shadow);
        shadow.used.store(self.tick(), Ordering::Relaxed);
        self.bytes += shadow.bytes_on_disk();
        self.index_bytes += shadow.index_bytes();
        let mut before: Vec<Arc<Shadow>> = Vec::new();
        for (member, id) in shadow.ids().enumerate() {
            let last = self.places.insert(id, Place { shadow: Arc::clone(&shadow), member });
            if let Some(Place { shadow, .. }) = last
                && !before.iter().any(|known| Arc::ptr_eq(known, &shadow))
            {
                before.push(shadow);
            }
        }
        self.shadows.push(shadow);
        // A shadow of which nothing is read any more goes.
        for last in before {
            if !last.ids().any(|id| self.has(id, &last)) {
                self.forget(&last);
            }
        }
        while self.bytes > bytes_max || self.index_bytes > INDEX_BYTES_MAX {
            let oldest = self.shadows.iter().min_by_key(|shadow| shadow.used.load(Ordering::Relaxed));
            let Some(oldest) = oldest.map(Arc::clone) else { break };
            self.forget(&oldest);
        }
    }

    /// Lets go of a shadow. Its file stays while somebody reads it.
    pub(super) fn forget(&mut self, shadow: &Arc<Shadow>) {
        let Some(at) = self.shadows.iter().position(|known| Arc::ptr_eq(known, shadow)) else { return };
        self.shadows.swap_remove(at);
        self.bytes -= shadow.bytes_on_disk();
        self.index_bytes -= shadow.index_bytes();
        for id in shadow.ids() {
            if self.has(id, shadow) {
                self.places.remove(&id);
            }
        }
        shadow.is_over.store(true, Ordering::Relaxed);
    }

    fn has(&self, id: Id, shadow: &Arc<Shadow>) -> bool {
        self.places.get(&id).is_some_and(|place| Arc::ptr_eq(&place.shadow, shadow))
    }
}
