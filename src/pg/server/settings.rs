//! The private server's settings, given on its command line, so that they follow the
//! machine's memory and never linger in a file.

use std::fs;
use std::path::Path;

/// Settings that depend on the machine or the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    shared_buffers_mb: u64,
    shared_memory: &'static str,
}

const SMALLEST_BUFFERS_MB: u64 = 16;

impl Settings {
    /// For this machine: a quarter of memory, at most 2 GB; for tests 32 MB.
    pub(super) fn new(small: bool) -> Self {
        let quarter = memory_mb().map_or(128, |memory| memory / 4);
        Self {
            shared_buffers_mb: match small {
                true => 32,
                false => quarter.clamp(SMALLEST_BUFFERS_MB, 2_048),
            },
            shared_memory: match shm_mb() {
                // Docker gives 64 MB, which parallel queries exceed; System V memory has no
                // such bound.
                Some(size) if size < 512 => "sysv",
                _ => "posix",
            },
        }
    }

    /// Halves the memory; false when there is nothing left to halve.
    pub(super) fn reduce_memory(&mut self) -> bool {
        let possible = self.shared_buffers_mb > SMALLEST_BUFFERS_MB;
        self.shared_buffers_mb = (self.shared_buffers_mb / 4).max(SMALLEST_BUFFERS_MB);
        possible
    }

    /// Names and values. Commits may be lost with the server's last half second, so what is
    /// published is committed with `synchronous_commit = on`; `fsync` is never off.
    pub(super) fn pairs(&self, socket_dir: &Path) -> Vec<(&'static str, String)> {
        let socket_dir = socket_dir.to_string_lossy().replace('"', "\"\"");
        let fixed = [
            ("listen_addresses", ""),
            ("unix_socket_permissions", "0700"),
            ("max_connections", "200"),
            ("synchronous_commit", "off"),
            ("wal_level", "minimal"),
            ("max_wal_senders", "0"),
            ("max_wal_size", "8GB"),
            ("work_mem", "64MB"),
            ("maintenance_work_mem", "256MB"),
            ("jit", "off"),
            ("max_locks_per_transaction", "1024"),
            ("checkpoint_timeout", "30min"),
            ("checkpoint_warning", "0"),
            ("timezone", "UTC"),
            ("log_timezone", "UTC"),
            ("logging_collector", "off"),
            ("log_destination", "stderr"),
        ];
        let mut pairs: Vec<(&str, String)> = fixed
            .into_iter()
            .map(|(name, value)| (name, value.to_owned()))
            .collect();
        pairs.push(("unix_socket_directories", format!("\"{socket_dir}\"")));
        pairs.push(("port", super::PORT.to_string()));
        pairs.push(("shared_buffers", format!("{}MB", self.shared_buffers_mb)));
        pairs.push(("dynamic_shared_memory_type", self.shared_memory.to_owned()));
        pairs
    }
}

/// The machine's memory, or the container's where that is less.
fn memory_mb() -> Option<u64> {
    let total = fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| meminfo_mb(&text))
        .or_else(sysctl_mb);
    let limit = fs::read_to_string("/sys/fs/cgroup/memory.max")
        .or_else(|_| fs::read_to_string("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
        .ok()
        .and_then(|text| text.trim().parse::<u64>().ok())
        .map(|bytes| bytes / 1_048_576);
    match (total, limit) {
        (Some(total), Some(limit)) => Some(total.min(limit)),
        (total, limit) => total.or(limit),
    }
}

fn meminfo_mb(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes / 1_024)
}

fn sysctl_mb() -> Option<u64> {
    let output = std::process::Command::new("sysctl")
        .args(["-n", "hw.memsize"])
        .output()
        .ok()?;
    let bytes: u64 = String::from_utf8(output.stdout).ok()?.trim().parse().ok()?;
    Some(bytes / 1_048_576)
}

fn shm_mb() -> Option<u64> {
    let stat = rustix::fs::statvfs("/dev/shm").ok()?;
    Some(stat.f_blocks * stat.f_frsize / 1_048_576)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_meminfo() {
        assert_eq!(meminfo_mb("MemTotal:       16384000 kB\nx"), Some(16_000));
    }

    #[test]
    fn memory_is_reduced_until_nothing_is_left() {
        let mut settings = Settings::new(true);
        assert!(settings.reduce_memory());
        assert!(!settings.reduce_memory());
    }
}
