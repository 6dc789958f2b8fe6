//! The one animated line at the bottom of a terminal: how far, and what runs now.
//!
//! Absent wherever nothing may move (no terminal, CI, `--quiet`); then every call is nothing.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::format::{clip, clip_middle, duration, width};
use super::style::{Style, Surroundings};

/// Labels of running nodes with when they began, oldest first.
type Running = Arc<Mutex<Vec<(String, Instant)>>>;

/// A progress bar on stderr, or nothing.
#[derive(Default)]
pub struct Progress {
    allowed: bool,
    bar: Option<ProgressBar>,
    running: Running,
}

impl Progress {
    /// No animation.
    pub fn none() -> Self {
        Self::default()
    }

    /// A bar if stderr, whose style is given, is a terminal that may move.
    pub fn on_stderr(style: Style, around: Surroundings) -> Self {
        Self {
            allowed: style.width.is_some() && !style.quiet && !around.still,
            ..Self::default()
        }
    }

    /// Begins to count to `nodes`.
    pub(super) fn start(&mut self, nodes: usize, style: Style) {
        if !self.allowed {
            return;
        }
        let running = Arc::clone(&self.running);
        let room = style.width.unwrap_or(80);
        let line = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            let running = running.lock().unwrap_or_else(PoisonError::into_inner);
            let now: Vec<_> = running
                .iter()
                .map(|(label, since)| (label.as_str(), since.elapsed()))
                .collect();
            let position = (state.pos(), state.len().unwrap_or(0));
            // A formatter's error can only come from the terminal that is gone.
            let _ = out.write_str(&progress_line(position, &now, room));
        };
        let template = ProgressStyle::with_template("{line}");
        let style = template
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .with_key("line", line);
        // Hidden until it has its style: indicatif draws at every change.
        let bar = ProgressBar::with_draw_target(Some(nodes as u64), ProgressDrawTarget::hidden());
        bar.set_style(style);
        bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        bar.enable_steady_tick(Duration::from_millis(200));
        self.bar = Some(bar);
    }

    /// A node began.
    pub(super) fn started(&mut self, label: &str) {
        if self.bar.is_some() {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            running.push((label.to_owned(), Instant::now()));
        }
    }

    /// A node ended.
    pub(super) fn finished(&mut self, label: &str) {
        if let Some(bar) = &self.bar {
            {
                let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
                running.retain(|(name, _)| name != label);
            }
            bar.inc(1);
        }
    }

    /// Does something that writes to the terminal while the bar is away.
    pub(super) fn above(&self, write: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Takes the bar away for good.
    pub(super) fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// For example `  [█████░░░░░]  12/48  gold.mart_x 3.2s, gold.mart_y 0.4s, 2 more`.
fn progress_line((done, all): (u64, u64), running: &[(&str, Duration)], room: usize) -> String {
    const CELLS: u64 = 16;
    let full = (done * CELLS).checked_div(all).unwrap_or(0).min(CELLS);
    let mut line = String::from("  ");
    line.extend((0..CELLS).map(|cell| if cell < full { '█' } else { '░' }));
    let _ = write!(line, "  {done}/{all}  ");
    let room = room.saturating_sub(1);
    let mut shown = Vec::new();
    let mut used = width(&line) + 8;
    for (label, elapsed) in running {
        let text = format!("{} {}", clip_middle(label, 40), duration(*elapsed));
        used += width(&text) + 2;
        if used > room && !shown.is_empty() {
            break;
        }
        shown.push(text);
    }
    line.push_str(&shown.join(", "));
    if shown.len() < running.len() {
        let _ = write!(line, ", {} more", running.len() - shown.len());
    }
    clip(&line, room)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_far_and_what_runs() {
        let seconds = Duration::from_secs_f64;
        let running = [("gold.a", seconds(3.2)), ("gold.b", seconds(0.4))];
        assert_eq!(
            progress_line((12, 48), &running, 100),
            "  ████░░░░░░░░░░░░  12/48  gold.a 3.20s, gold.b 0.40s"
        );
        assert_eq!(
            progress_line((12, 48), &running, 50),
            "  ████░░░░░░░░░░░░  12/48  gold.a 3.20s, 1 more"
        );
        assert_eq!(progress_line((0, 0), &[], 20), "  ░░░░░░░░░░░░░░░░…");
    }

    #[test]
    fn nothing_is_animated_without_a_terminal() {
        let style = Style::default();
        assert!(!Progress::on_stderr(style, Surroundings::default()).allowed);
        let terminal = Style {
            width: Some(80),
            ..style
        };
        let ci = Surroundings {
            still: true,
            ..Surroundings::default()
        };
        assert!(!Progress::on_stderr(terminal, ci).allowed);
        assert!(!Progress::on_stderr(terminal.quiet(true), Surroundings::default()).allowed);
        assert!(Progress::on_stderr(terminal, Surroundings::default()).allowed);
    }
}
