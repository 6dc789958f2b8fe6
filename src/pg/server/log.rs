//! Reading what `postgres` and `initdb` wrote when they gave up.

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// The log's text from a byte on, at most its last 64 KiB.
pub(super) fn since(log: &Path, start: u64) -> String {
    const MOST: u64 = 64 * 1024;
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = fs::File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(start.max(length.saturating_sub(MOST))))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
}

pub(super) fn tells_disk_full(text: &str) -> bool {
    [
        "No space left on device",
        "Disk quota exceeded",
        "File too large",
        "File size limit exceeded",
    ]
    .iter()
    .any(|words| text.contains(words))
}

/// Orphans of a killed server still use its shared memory.
pub(super) fn tells_orphans(text: &str) -> bool {
    text.contains("pre-existing shared memory block")
}

pub(super) fn tells_too_little_memory(text: &str) -> bool {
    text.contains("could not map anonymous shared memory")
        || text.contains("could not create shared memory segment")
}

/// The last line with FATAL, PANIC or an error, else the last line.
pub(super) fn telling_line(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let severities = ["FATAL:", "PANIC:", "error:", "ERROR:"];
    let told = lines.iter().rev().find_map(|line| {
        severities
            .iter()
            .find_map(|word| line.split_once(word).map(|(_, rest)| rest.trim()))
    });
    told.or_else(|| lines.last().map(|line| line.trim()))
        .unwrap_or("it wrote nothing")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_telling_line_is_the_fatal_one() {
        let log = "2024-01-01 UTC [1] LOG:  starting\n\
                   2024-01-01 UTC [1] FATAL:  could not write lock file: No space left on device\n\
                   2024-01-01 UTC [1] LOG:  database system is shut down\n";
        assert_eq!(
            telling_line(log),
            "could not write lock file: No space left on device"
        );
        assert!(tells_disk_full(log));
        assert_eq!(telling_line(""), "it wrote nothing");
    }
}
