//! The work on shadows as the server drives it, and what it tells of them.

use tokio_util::sync::CancellationToken;

use super::Pace;
use crate::Lake;

/// All shadows at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShadowTotals {
    /// Files of text that have one.
    pub shadows: usize,
    /// Shadows that small files share.
    pub packs: usize,
    pub bytes: u64,
    /// Files that wait for theirs.
    pub waiting: usize,
    /// How often one was read in place of its file, since the start.
    pub reads: u64,
}

impl Lake {
    /// Makes shadows of the files of text that queries read again, until `stop`; slowly while `is_busy`.
    pub async fn keep_shadows(&self, stop: CancellationToken, is_busy: impl Fn() -> bool + Send + Sync + 'static) {
        self.shadows.make_until(&Pace(Box::new(is_busy)), &stop).await;
    }

    /// Makes the shadows that files wait for, as if nobody read more.
    #[cfg(test)]
    pub(crate) async fn make_shadows(&self) {
        self.shadows.queue_gathered();
        self.shadows.make_waiting(&Pace(Box::new(|| false))).await;
    }

    /// Removes the folder of shadows, unless it is kept for the next start; for the end of the process.
    pub fn close_shadows(&self) {
        self.shadows.close();
    }

    pub fn shadow_totals(&self) -> ShadowTotals {
        self.shadows.totals()
    }
}
