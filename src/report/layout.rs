//! Where the parts of a node's line stand, by the terminal's width and the number of nodes.

use super::format::{clip_middle, width};
use super::style::{Style, Tone};

/// Line width where there is no terminal to ask; nothing is cut then.
const PAPER: usize = 100;
/// Beyond this, numbers at the right edge stand too far from their label.
const WIDEST: usize = 120;
/// Terminals narrower than this go without the kind.
const NARROW: usize = 80;
const STATUS: usize = 5;
const KIND: usize = 17;

/// The columns of a run's lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    nodes: usize,
    digits: usize,
    width: usize,
    kind: usize,
    /// Whether labels are cut to fit: on a terminal only.
    cut: bool,
}

/// What stands on a node's line.
pub(super) struct Parts<'a> {
    pub(super) index: usize,
    pub(super) status: (Tone, &'static str),
    pub(super) kind: &'a str,
    pub(super) label: &'a str,
    /// At the right edge, for example `1,204 rows    0.31s`.
    pub(super) right: String,
}

impl Layout {
    pub(super) fn new(nodes: usize, style: Style) -> Self {
        let width = style.width.map_or(PAPER, |w| w.clamp(40, WIDEST));
        Self {
            nodes,
            digits: nodes.max(1).to_string().len(),
            width,
            kind: if width < NARROW { 0 } else { KIND + 2 },
            cut: style.width.is_some(),
        }
    }

    /// Columns before the status, which is also where details stand.
    pub(super) fn indent(&self) -> usize {
        2 + 2 * self.digits + 1 + 2
    }

    /// Columns for details below a line.
    pub(super) fn detail_width(&self) -> usize {
        self.width.saturating_sub(self.indent()).max(20)
    }

    /// One line, without its newline and without spaces at its end.
    pub(super) fn line(&self, parts: &Parts<'_>, style: Style) -> String {
        let digits = self.digits;
        let counter = format!("  {:>digits$}/{}  ", parts.index, self.nodes);
        let (tone, word) = parts.status;
        let status = style.paint(tone, word) + &" ".repeat(STATUS.saturating_sub(word.len()) + 2);
        let kind = if self.kind == 0 {
            String::new()
        } else {
            let kind = clip_middle(parts.kind, KIND);
            let pad = " ".repeat(self.kind - width(&kind));
            kind + &pad
        };
        let before = self.indent() + STATUS + 2 + self.kind;
        let gap = if parts.right.is_empty() { 0 } else { 2 };
        let room = self
            .width
            .saturating_sub(before + gap + width(&parts.right));
        let label = if self.cut {
            clip_middle(parts.label, room.max(8))
        } else {
            parts.label.to_owned()
        };
        let pad = " ".repeat(room.saturating_sub(width(&label)) + gap);
        let right = style.paint(Tone::Faint, &parts.right);
        let counter = style.paint(Tone::Faint, &counter);
        let line = format!(
            "{counter}{status}{}{label}{pad}{right}",
            style.paint(Tone::Faint, &kind)
        );
        line.trim_end().to_owned()
    }
}
