//! `logs/marts.log`: what the program did, statement by statement, for finding out later; with
//! `--debug` stderr gets it too, as it happens.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use super::args::{Global, LogFormat, LogLevel};

/// Starts logging to the project's log file. A log that cannot be written stops nothing.
pub(super) fn start(global: &Global, project: &Path) {
    let level = match global.log_level {
        LogLevel::Debug => Some("marts=debug"),
        LogLevel::Info => Some("marts=info"),
        LogLevel::Warn => Some("marts=warn"),
        LogLevel::Error => Some("marts=error"),
        LogLevel::None => None,
    };
    let file = level.and_then(|level| Some((level, file(global, project)?)));
    let file = file.map(|(level, file)| {
        tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(Mutex::new(file))
            .with_filter(EnvFilter::new(level))
    });
    let screen = global
        .debug
        .then(|| on_screen(global.log_format).with_filter(EnvFilter::new("marts=debug")));
    let _ = tracing_subscriber::registry()
        .with(file)
        .with(screen)
        .try_init();
}

fn file(global: &Global, project: &Path) -> Option<File> {
    let folder = global.log_path.as_deref().unwrap_or(Path::new("logs"));
    let folder = project.join(folder);
    std::fs::create_dir_all(&folder).ok()?;
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("marts.log"))
        .ok()
}

/// A layer of its own type, so that it can stand above the file's.
fn on_screen<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    match format {
        LogFormat::Json => Box::new(layer.json()),
        LogFormat::Text => Box::new(layer.with_ansi(false)),
    }
}
