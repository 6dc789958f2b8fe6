//! Which tag closes which: the engine only says that something was expected, this says what
//! was opened and never closed, and where.

use super::RewriteError;

/// The blocks that are open, the innermost last, and where they start.
#[derive(Default)]
pub(super) struct Nesting(Vec<(&'static str, usize)>);

/// Tags that open a block, and those that close it.
const PAIRS: [(&str, &str); 9] = [
    ("if", "endif"),
    ("for", "endfor"),
    ("set", "endset"),
    ("call", "endcall"),
    ("macro", "endmacro"),
    ("filter", "endfilter"),
    ("with", "endwith"),
    ("block", "endblock"),
    ("autoescape", "endautoescape"),
];

impl Nesting {
    /// Notes a tag at byte `at`; a `set` opens a block only where it assigns nothing.
    pub(super) fn note(
        &mut self,
        word: &str,
        set_is_block: bool,
        at: usize,
    ) -> Result<(), RewriteError> {
        if let Some((open, _)) = PAIRS.iter().find(|(open, _)| *open == word) {
            if *open != "set" || set_is_block {
                self.0.push((open, at));
            }
            return Ok(());
        }
        if let Some((open, _)) = PAIRS.iter().find(|(_, close)| *close == word) {
            return self.close(open, word, at);
        }
        let innermost = self.0.last().map(|(open, _)| *open);
        let fits = match word {
            "else" => matches!(innermost, Some("if" | "for")),
            "elif" => innermost == Some("if"),
            _ => true,
        };
        if fits {
            return Ok(());
        }
        let message = format!("`{word}` belongs inside of an `{{% if %}}`");
        Err(RewriteError::new(message, at))
    }

    fn close(&mut self, open: &str, word: &str, at: usize) -> Result<(), RewriteError> {
        let message = match self.0.last() {
            Some((innermost, _)) if *innermost == open => {
                self.0.pop();
                return Ok(());
            }
            Some((innermost, _)) => {
                format!("`{word}` comes while `{{% {innermost} %}}` is still open")
            }
            None => format!("`{word}` closes nothing: there is no open `{{% {open} %}}`"),
        };
        Err(RewriteError::new(message, at))
    }

    /// Checks that everything is closed at the end.
    pub(super) fn finish(&self) -> Result<(), RewriteError> {
        let Some((open, at)) = self.0.last() else {
            return Ok(());
        };
        let message = format!("this `{{% {open} %}}` is never closed by `{{% end{open} %}}`");
        Err(RewriteError::new(message, *at))
    }
}

#[cfg(test)]
mod tests {
    use crate::jinja::rewrite::rewrite;

    #[track_caller]
    fn wrong(text: &str, message: &str, at: usize) {
        let error = rewrite(text).expect_err("it is wrong");
        assert_eq!((error.message.as_str(), error.at), (message, at));
    }

    #[test]
    fn an_open_block_is_named_with_its_place() {
        let message = "this `{% if %}` is never closed by `{% endif %}`";
        wrong("a {% if x %}{% set y %}{% endset %}", message, 2);
    }

    #[test]
    fn a_closing_tag_must_fit_the_innermost_block() {
        let message = "`endif` comes while `{% for %}` is still open";
        wrong("{% for a in b %}{% endif %}", message, 16);
        let message = "`endset` closes nothing: there is no open `{% set %}`";
        wrong("{% set a = 1 %}{% endset %}", message, 15);
    }

    #[test]
    fn else_belongs_to_if_and_for() {
        wrong("{% else %}", "`else` belongs inside of an `{% if %}`", 0);
        assert!(rewrite("{% for a in b %}{% else %}{% endfor %}").is_ok());
    }
}
