//! `logs/marts.log`: what the program did, statement by statement, for finding out later.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;

use super::args::{Global, LogLevel};

/// Starts logging to the project's log file. A log that cannot be written stops nothing.
pub(super) fn start(global: &Global, project: &Path) {
    let level = match global.log_level {
        LogLevel::Debug => "marts=debug",
        LogLevel::Info => "marts=info",
        LogLevel::Warn => "marts=warn",
        LogLevel::Error => "marts=error",
        LogLevel::None => return,
    };
    let folder = project.join("logs");
    if std::fs::create_dir_all(&folder).is_err() {
        return;
    }
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("marts.log"));
    let Ok(file) = file else { return };
    let _ = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(level))
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        .try_init();
}
