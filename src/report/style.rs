//! How text may look where it goes: colours, width, and how much is said.
//!
//! Decided once, from the terminal and the environment; every text also reads without colour.

use std::os::fd::AsFd;

use anstyle::{AnsiColor, Style as Ansi};

/// What a writer's end can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Use ANSI colours.
    pub color: bool,
    /// Columns of the terminal; `None` where it is none (a file, a pipe).
    pub width: Option<usize>,
    /// Only errors and failures.
    pub quiet: bool,
}

/// The environment's word on colours and animation, as read once at start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings {
    /// `NO_COLOR` is set and not empty, or `--no-use-colors` was given.
    pub no_color: bool,
    /// `CI` is set, or `TERM` is `dumb`: nothing may move.
    pub still: bool,
}

impl Surroundings {
    /// Reads the variables that matter through `var`.
    pub fn read(no_use_colors: bool, var: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| var(name).is_some_and(|value| !value.is_empty());
        let dumb = var("TERM").is_some_and(|term| term == "dumb");
        Self {
            no_color: no_use_colors || set("NO_COLOR") || dumb,
            still: dumb || (set("CI") && var("CI").as_deref() != Some("false")),
        }
    }
}

impl Style {
    /// The style of a stream: colours and a width only where it is a terminal.
    pub fn of(stream: impl AsFd, around: Surroundings) -> Self {
        if !rustix::termios::isatty(&stream) {
            return Self::default();
        }
        let columns = rustix::termios::tcgetwinsize(&stream).map(|size| usize::from(size.ws_col));
        Self {
            color: !around.no_color,
            width: Some(columns.ok().filter(|c| *c > 0).unwrap_or(80)),
            quiet: false,
        }
    }

    /// The same, saying only errors and failures if `quiet`.
    #[must_use]
    pub fn quiet(self, quiet: bool) -> Self {
        Self { quiet, ..self }
    }

    /// Text in a tone, plain where there are no colours.
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        if !self.color || text.is_empty() || tone == Tone::Plain {
            return text.to_owned();
        }
        let ansi = tone.ansi();
        format!("{ansi}{text}{ansi:#}")
    }
}

/// What a piece of text means; the colour follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Ordinary text.
    Plain,
    /// Went well.
    Good,
    /// Deserves a look.
    Caution,
    /// Went wrong.
    Bad,
    /// Of less weight than the rest.
    Faint,
    /// Of more weight than the rest.
    Strong,
}

impl Tone {
    fn ansi(self) -> Ansi {
        let color = |c: AnsiColor| Ansi::new().fg_color(Some(c.into()));
        match self {
            Self::Plain => Ansi::new(),
            Self::Good => color(AnsiColor::Green),
            Self::Caution => color(AnsiColor::Yellow),
            Self::Bad => color(AnsiColor::Red).bold(),
            Self::Faint => Ansi::new().dimmed(),
            Self::Strong => Ansi::new().bold(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surroundings(vars: &[(&str, &str)]) -> Surroundings {
        Surroundings::read(false, |name| {
            let found = vars.iter().find(|(n, _)| *n == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn an_empty_no_color_means_nothing() {
        assert!(!surroundings(&[("NO_COLOR", "")]).no_color);
        assert!(surroundings(&[("NO_COLOR", "1")]).no_color);
        assert!(Surroundings::read(true, |_| None).no_color);
    }

    #[test]
    fn nothing_moves_in_ci_or_on_a_dumb_terminal() {
        assert!(surroundings(&[("CI", "true")]).still);
        assert!(!surroundings(&[("CI", "false")]).still);
        assert!(surroundings(&[("TERM", "dumb")]).still);
        assert!(!surroundings(&[("TERM", "xterm")]).still);
    }

    #[test]
    fn a_file_has_neither_colour_nor_width() {
        let file = tempfile::tempfile().unwrap();
        assert_eq!(Style::of(&file, Surroundings::default()), Style::default());
    }

    #[test]
    fn paint_is_plain_without_colour() {
        let plain = Style::default();
        assert_eq!(plain.paint(Tone::Bad, "x"), "x");
        let colored = Style {
            color: true,
            ..plain
        };
        assert_eq!(colored.paint(Tone::Good, "x"), "\u{1b}[32mx\u{1b}[0m");
    }
}
