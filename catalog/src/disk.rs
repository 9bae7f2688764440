//! How much of a disk the caches may take.
//!
//! Owns: that they leave room for others. Must never know: what is kept.

use std::path::Path;

/// Of what is free when the process starts, one cache may take this share.
const SHARE: u64 = 4;

/// The bytes that a cache may have in a folder, `None` being the system's temporary one, if it shall have at most `wanted`.
pub(crate) fn room(dir: Option<&Path>, wanted: u64) -> u64 {
    let folder = dir.map_or_else(std::env::temp_dir, Path::to_owned);
    if dir.is_none() && is_memory(&folder) {
        tracing::info!(
            "the system's temporary directory is memory: nothing is cached there, lake.cache_dir names another"
        );
        return 0;
    }
    match rustix::fs::statvfs(&folder) {
        Ok(disk) => wanted.min(disk.f_bavail.saturating_mul(disk.f_frsize) / SHARE),
        Err(error) => {
            tracing::warn!(%error, "the disk of lake.cache_dir cannot be looked at");
            if dir.is_none() { 0 } else { wanted }
        }
    }
}

/// A cache in memory would take it from queries.
#[cfg(target_os = "linux")]
fn is_memory(folder: &Path) -> bool {
    // `TMPFS_MAGIC` of `linux/magic.h`; the type of the field is not the same everywhere.
    rustix::fs::statfs(folder).is_ok_and(|disk| disk.f_type == 0x0102_1994)
}

#[cfg(not(target_os = "linux"))]
fn is_memory(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_leaves_room() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(room(Some(folder.path()), 1), 1);
        let most = room(Some(folder.path()), u64::MAX);
        let disk = rustix::fs::statvfs(folder.path()).unwrap();
        assert!(most > 0 && most < disk.f_blocks * disk.f_frsize / 2);
        assert_eq!(room(Some(&folder.path().join("none")), 7), 7);
    }
}
