//! The first Ctrl-C, SIGTERM or SIGHUP stops a run in good order, the second at once.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::run::Cancel;

/// Added to a signal's number for the exit code of a process that it ended, as shells do.
const SIGNALLED: i32 = 128;

/// Listens from now on. Needs the async runtime.
pub(super) fn listen(cancel: Cancel) {
    let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
    if !is_ignored(SignalKind::hangup(), &own_status()) {
        kinds.push(SignalKind::hangup());
    }
    for kind in kinds {
        match signal(kind) {
            Ok(signals) => {
                tokio::spawn(stop(signals, kind, cancel.clone()));
            }
            Err(error) => tracing::warn!(%error, ?kind, "signals of this kind end the run at once"),
        }
    }
}

async fn stop(mut signals: Signal, kind: SignalKind, cancel: Cancel) {
    while signals.recv().await.is_some() {
        if cancel.is_asked() {
            std::process::exit(SIGNALLED + kind.as_raw_value());
        }
        // The server may be slow to take a cancel; the next signal must not wait for it.
        let cancel = cancel.clone();
        tokio::spawn(async move { cancel.ask().await });
        tokio::task::yield_now().await;
    }
}

fn own_status() -> String {
    std::fs::read_to_string("/proc/self/status").unwrap_or_default()
}

/// Whether this process was started with the signal ignored, as `nohup` does: then it stays
/// so. Where the system does not say, it counts as ignored.
fn is_ignored(kind: SignalKind, status: &str) -> bool {
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_none_or(|mask| mask >> (kind.as_raw_value() - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_that_nohup_ignores_stays_ignored() {
        let hangup = SignalKind::hangup();
        assert!(is_ignored(
            hangup,
            "SigBlk:\t0\nSigIgn:\t0000000000001001\n"
        ));
        assert!(!is_ignored(hangup, "SigIgn:\t0000000000001000\n"));
        assert!(is_ignored(hangup, ""));
    }
}
