//! What this process may hold and what it holds, as the system tells it.
//!
//! Owns: the files of /proc and of control groups, of both versions. Must never know: what the memory is used for.

use std::path::{Path, PathBuf};

/// What the control groups of the process and the machine allow, whichever is less; 2 GiB where nobody tells.
pub(super) fn bytes_max() -> usize {
    let groups = groups(&read("/proc/self/cgroup").unwrap_or_default());
    let limits = groups.iter().filter_map(|file| read(file)?.trim().parse().ok());
    let limit = limits.chain(machine_bytes()).min().unwrap_or(2 << 30);
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// The memory of this process that no file could give back; `None` where the system does not tell.
pub(super) fn resident() -> Option<usize> {
    let status = read("/proc/self/status")?;
    let kilobytes = |name: &str| -> Option<usize> {
        status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
    };
    Some((kilobytes("RssAnon:")? + kilobytes("RssShmem:").unwrap_or(0)) << 10)
}

/// The files that limit the groups of a process, from `/proc/self/cgroup`: its own, and all above, which limit it as well. In a
/// container the group of the process can be the root of what it sees.
fn groups(told: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in told.lines() {
        let mut parts = line.splitn(3, ':');
        let (_, Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let (root, names): (&str, &[&str]) = match controllers {
            "" => ("/sys/fs/cgroup", &["memory.max", "memory.high"]),
            _ if controllers.split(',').any(|controller| controller == "memory") => {
                ("/sys/fs/cgroup/memory", &["memory.limit_in_bytes"])
            }
            _ => continue,
        };
        let below = Path::new(path.trim_start_matches('/'));
        for folder in below.ancestors() {
            files.extend(names.iter().map(|name| Path::new(root).join(folder).join(name)));
        }
    }
    files
}

fn machine_bytes() -> Option<u64> {
    let info = read("/proc/meminfo")?;
    let line = info.lines().find(|line| line.starts_with("MemTotal:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes << 10)
}

fn read(path: impl AsRef<Path>) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_limited_by_those_above_it_too() {
        let files =
            |told: &str| -> Vec<String> { groups(told).iter().map(|file| file.display().to_string()).collect() };
        assert_eq!(
            files("12:cpu,cpuacct:/x\n4:memory:/a/b\n"),
            ["a/b/", "a/", ""].map(|folder| format!("/sys/fs/cgroup/memory/{folder}memory.limit_in_bytes"))
        );
        let unified = files("0::/system.slice/lakegate.service\n");
        assert_eq!(unified.first().unwrap(), "/sys/fs/cgroup/system.slice/lakegate.service/memory.max");
        assert_eq!(unified.last().unwrap(), "/sys/fs/cgroup/memory.high");
        assert_eq!(files("0::/\n").len(), 2);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_holds_something_and_less_than_it_may() {
        let held = resident().unwrap();
        assert!(held > 0 && held < bytes_max(), "{held} of {}", bytes_max());
    }
}
