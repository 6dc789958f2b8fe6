//! Columns whose values no report shows, and taking those values out of samples and of what
//! Postgres says. Where it cannot be known whose value a text is, it goes.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use regex::{Captures, Regex};
use serde_json::Value as Json;

use crate::diag::codes;
use crate::event::Sample;
use crate::graph::{ColumnInfo, Detail, Graph, Node, NodeIx};
use crate::session::SessionError;

/// Columns of tests' own making that hold no value of the tested relation.
const SAYS_NOTHING: [&str; 8] = [
    "n_records",
    "class",
    "left_rows",
    "right_rows",
    "first_seen",
    "age_days",
    "gates",
    "money_problem",
];

/// What stands in the place of a value.
pub const MASK: &str = "•••";

/// Which columns are sensitive for a node: by name, without regard to case.
#[derive(Clone, Debug, Default)]
pub struct Sensitive {
    names: BTreeSet<String>,
    patterns: GlobSet,
}

/// The project's patterns, compiled; what is no pattern was refused when the project was read.
pub fn patterns(texts: &[String]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for text in texts {
        if let Ok(glob) = GlobBuilder::new(text).case_insensitive(true).build() {
            set.add(glob);
        }
    }
    set.build().unwrap_or_default()
}

impl Sensitive {
    /// For a node: what is marked on it or on anything it is made of, and the patterns. A
    /// column that keeps its name on the way is found so; one that is renamed is not.
    pub fn of(graph: &Graph, ix: NodeIx, patterns: &GlobSet) -> Self {
        let mut names = BTreeSet::new();
        let ancestors = graph.ancestors(ix, None);
        for at in ancestors.into_iter().chain([ix]) {
            let columns = &graph.node(at).columns;
            let marked = columns.iter().filter(|(_, info)| is_marked(info));
            names.extend(marked.map(|(name, _)| plain(name)));
        }
        Self {
            names,
            patterns: patterns.clone(),
        }
    }

    /// For anything that may be about every node.
    pub fn of_all(graph: &Graph, patterns: &GlobSet) -> Self {
        let columns = graph.nodes().flat_map(|(_, node)| &node.columns);
        let marked = columns.filter(|(_, info)| is_marked(info));
        Self {
            names: marked.map(|(name, _)| plain(name)).collect(),
            patterns: patterns.clone(),
        }
    }

    /// Whether there is any such column.
    pub fn any(&self) -> bool {
        !self.names.is_empty() || !self.patterns.is_empty()
    }

    /// Whether a column's values are hidden.
    pub fn is(&self, column: &str) -> bool {
        let name = plain(column);
        self.names.contains(&name) || self.patterns.is_match(&name)
    }

    /// Hides values of a sample. `columns` are those of the tested relation, where known.
    pub fn mask(&self, sample: &mut Sample, test: &Node, columns: &[String]) {
        if !self.any() {
            return;
        }
        let about = self.is_about_one(test);
        let known = |name: &str| columns.iter().any(|c| plain(c) == plain(name));
        let hidden: Vec<bool> = sample
            .columns
            .iter()
            .map(|name| {
                self.is(name) || about && !known(name) && !SAYS_NOTHING.contains(&name.as_str())
            })
            .collect();
        for row in &mut sample.rows {
            for (cell, hidden) in row.iter_mut().zip(&hidden) {
                if *hidden && cell.is_some() {
                    *cell = Some(MASK.to_owned());
                }
            }
        }
    }

    /// Whether a test asks about a sensitive column: what it returns under names of its own
    /// (`unique_field`, `value_field`, `from_field`, …) are that column's values.
    pub fn is_about_one(&self, test: &Node) -> bool {
        let Detail::GenericTest(test) = &test.detail else {
            return false;
        };
        let in_arguments = test.arguments.values().any(|value| self.names_one(value));
        test.column.as_deref().is_some_and(|c| self.is(c)) || in_arguments
    }

    fn names_one(&self, value: &Json) -> bool {
        match value {
            Json::String(text) => self.is(text),
            Json::Array(items) => items.iter().any(|item| self.names_one(item)),
            Json::Object(map) => {
                let mut entries = map.iter();
                entries.any(|(key, value)| self.is(key) || self.names_one(value))
            }
            _ => false,
        }
    }

    /// Takes values out of what Postgres said of a failing statement. The words of the server
    /// may be of any language, so its codes and the forms of quoting decide.
    #[must_use]
    pub fn mask_error(&self, mut error: SessionError) -> SessionError {
        if !self.any() {
            return error;
        }
        let state = error.sqlstate.clone().unwrap_or_default();
        // A row or key that breaks a constraint, a check option, a partition's bounds.
        let shows_row = matches!(state.as_str(), "23502" | "23514" | "44000");
        // Class 22 is about values: `invalid input syntax for type integer: "…"`.
        // So is what is wrong with a seed's file.
        let of_file = error.diagnostic.code == codes::SEED_FILE;
        let shows_value = state.starts_with("22") || of_file;
        let diagnostic = &mut error.diagnostic;
        let texts = [&mut diagnostic.message].into_iter();
        for (at, text) in texts.chain(diagnostic.notes.iter_mut()).enumerate() {
            // The user's own SQL.
            if text.starts_with("at `") {
                continue;
            }
            *text = self.mask_text(text);
            if shows_row && at > 0 {
                *text = hide(text, "(", ")");
            }
            if shows_value {
                for (open, close) in [("\"", "\""), ("»", "«"), ("«", "»"), ("„", "“"), ("“", "”")]
                {
                    let hidden = hide(text, open, close);
                    // The closing mark of one language opens in another.
                    if hidden != *text {
                        *text = hidden;
                        break;
                    }
                }
            }
        }
        error
    }

    /// The forms in which Postgres quotes keys, rows and lines of a COPY.
    pub fn mask_text(&self, text: &str) -> String {
        static KEY: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"(?s)\((.*?)\) ?= ?\(.*\)").expect("a constant pattern compiles")
        });
        static COPY: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r#"(?s)(COPY .+?, line \d+)(, column (.+?))?: ".*"?"#)
                .expect("a constant pattern compiles")
        });
        static SEED: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"(?s)(, line \d+(?:, column `([^`]+)`)?: )`.*`$")
                .expect("a constant pattern compiles")
        });
        let text = KEY.replace_all(text, |found: &Captures<'_>| match self.key(&found[1]) {
            true => format!("({})=({MASK})", &found[1]),
            false => found[0].to_owned(),
        });
        let text = match text.split_once("row contains (") {
            Some((before, _)) => format!("{before}row contains ({MASK})"),
            None => text.into_owned(),
        };
        let text = COPY.replace_all(&text, |found: &Captures<'_>| {
            match found.get(3).map(|column| column.as_str()) {
                Some(column) if !self.is(column) => found[0].to_owned(),
                Some(column) => format!("{}, column {column}: \"{MASK}\"", &found[1]),
                None => format!("{}: \"{MASK}\"", &found[1]),
            }
        });
        // The line of a seed that did not load.
        let text = SEED.replace_all(&text, |found: &Captures<'_>| match found.get(2) {
            Some(column) if !self.is(column.as_str()) => found[0].to_owned(),
            _ => format!("{}`{MASK}`", &found[1]),
        });
        text.into_owned()
    }

    /// Whether a key has a sensitive column, also inside of an expression. Which value is whose
    /// cannot be told, so all of them go then.
    fn key(&self, columns: &str) -> bool {
        let words = columns.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
        let mut parts = columns.split(", ").chain(words).chain([columns]);
        parts.any(|part| self.is(part))
    }
}

/// Hides what stands between the first `open` and the last `close` behind it.
fn hide(text: &str, open: &str, close: &str) -> String {
    let Some((before, rest)) = text.split_once(open) else {
        return text.to_owned();
    };
    match rest.rsplit_once(close) {
        Some((_, after)) => format!("{before}{open}{MASK}{close}{after}"),
        // Cut in the middle of a value, as Postgres does with long lines.
        None => format!("{before}{open}{MASK}"),
    }
}

/// A column's name as it is compared: without quotes, in lower case.
fn plain(name: &str) -> String {
    let name = name.trim();
    let inner = name.strip_prefix('"').and_then(|n| n.strip_suffix('"'));
    inner.map_or(name.to_lowercase(), |n| {
        n.replace("\"\"", "\"").to_lowercase()
    })
}

/// `meta: {sensitive: true}`, beside the column or in its `config`.
fn is_marked(info: &ColumnInfo) -> bool {
    let config = info
        .other
        .get("config")
        .and_then(|config| config.get("meta"));
    let marks = [info.other.get("meta"), config];
    marks
        .into_iter()
        .flatten()
        .any(|meta| match meta.get("sensitive") {
            Some(Json::Bool(yes)) => *yes,
            Some(Json::String(text)) => matches!(text.as_str(), "true" | "True" | "yes"),
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sensitive(names: &[&str], globs: &[&str]) -> Sensitive {
        let globs: Vec<String> = globs.iter().map(|g| (*g).to_owned()).collect();
        Sensitive {
            names: names.iter().map(|n| plain(n)).collect(),
            patterns: patterns(&globs),
        }
    }

    #[test]
    fn names_and_patterns_have_no_case() {
        let of = sensitive(&["Email", "\"Full Name\""], &["*iban*"]);
        for column in ["email", "EMAIL", "full name", "customer_IBAN", "iban"] {
            assert!(of.is(column), "{column}");
        }
        assert!(!of.is("email_domain"));
        assert!(!sensitive(&[], &[]).any());
    }

    #[test]
    fn keys_lose_their_values_where_a_column_of_them_is_sensitive() {
        let of = sensitive(&["email"], &[]);
        let masked = |text: &str| of.mask_text(text);
        assert_eq!(
            masked("Key (email)=(ann@x.org) already exists."),
            "Key (email)=(•••) already exists."
        );
        assert_eq!(
            masked("Key (day, email)=(2025-01-01, a) (b@x.org) is duplicated."),
            "Key (day, email)=(•••) is duplicated."
        );
        assert_eq!(
            masked("Key (lower(email))=(ann@x.org) is duplicated."),
            "Key (lower(email))=(•••) is duplicated."
        );
        assert_eq!(
            masked("Key (email)=(a@x.org) is not present in table \"t\"."),
            "Key (email)=(•••) is not present in table \"t\"."
        );
        let other = "Key (id)=(7) already exists.";
        assert_eq!(masked(other), other);
    }

    #[test]
    fn whole_rows_and_lines_of_a_copy_go() {
        let of = sensitive(&["email"], &[]);
        let masked = |text: &str| of.mask_text(text);
        assert_eq!(
            masked("Failing row contains (1, ann@x.org, null, (x))."),
            "Failing row contains (•••)"
        );
        assert_eq!(
            masked("COPY people, line 3, column email: \"ann@x.org\""),
            "COPY people, line 3, column email: \"•••\""
        );
        assert_eq!(
            masked("COPY people, line 3: \"1,ann@x.org\""),
            "COPY people, line 3: \"•••\""
        );
        let other = "COPY people, line 3, column id: \"x\"";
        assert_eq!(masked(other), other);
    }

    #[test]
    fn the_servers_language_does_not_matter() {
        let of = sensitive(&["email"], &[]);
        let masked = |state: &str, text: &str| {
            let mut error = SessionError::materialization("x");
            error.sqlstate = Some(state.to_owned());
            error.diagnostic.notes.push(text.to_owned());
            of.mask_error(error).diagnostic.notes.remove(0)
        };
        assert_eq!(
            masked(
                "23505",
                "Schlüssel »(email)=(ann@x.org)« existiert bereits."
            ),
            "Schlüssel »(email)=(•••)« existiert bereits."
        );
        assert_eq!(
            masked("23502", "Fehlgeschlagene Zeile enthält (1, ann@x.org)."),
            "Fehlgeschlagene Zeile enthält (•••)."
        );
        assert_eq!(
            masked("22P02", "COPY a, Zeile 1, Spalte n: »ann@x.org«"),
            "COPY a, Zeile 1, Spalte n: »•••«"
        );
        let sql = "at `values ('x', (1))`";
        assert_eq!(masked("23502", sql), sql);
    }

    #[test]
    fn without_sensitive_columns_nothing_changes() {
        let mut error = SessionError::materialization("Key (email)=(x) already exists.");
        error.sqlstate = Some("23505".to_owned());
        let same = sensitive(&[], &[]).mask_error(error.clone());
        assert_eq!(same.diagnostic.message, error.diagnostic.message);
    }

    #[test]
    fn a_value_that_has_the_wrong_form_goes_from_the_message() {
        let message = "invalid input syntax for type integer: \"ann \"the\" x@x.org\"";
        let mut error = SessionError::materialization(message);
        error.sqlstate = Some("22P02".to_owned());
        let masked = sensitive(&["email"], &[]).mask_error(error);
        assert_eq!(
            masked.diagnostic.message,
            "invalid input syntax for type integer: \"•••\""
        );
    }
}
