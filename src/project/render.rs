//! Jinja in YAML values: rendered where dbt renders it, with the place of a mistake.
//!
//! Callers choose what is rendered; tests never reach this file.
//! No message of this file holds the value of a secret variable.

use std::sync::{Arc, LazyLock};

use indexmap::IndexMap;
use regex::{Captures, Regex};
use serde_json::Value as Json;

use crate::diag::codes::{ENV_VAR_MISSING, ENV_VAR_SECRET, YAML_JINJA};
use crate::diag::{Diagnostic, Span, Spanned};
use crate::jinja::{LookupError, YamlContext};

use super::config::is_hook;
use super::yaml::{Check, Node, Yaml};

static DOC_CALL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\{\{-?\s*doc\([^)]*\)\s*-?\}\}").expect("a constant pattern compiles")
});

/// What templates in YAML can see.
#[derive(Clone, Debug, Default)]
pub(crate) struct Renderer {
    /// The environment, read once at start.
    pub(crate) env: Arc<IndexMap<String, String>>,
    /// `vars` that apply here.
    pub(crate) vars: Arc<IndexMap<String, Json>>,
    /// The `target` variable; null while it is not known yet.
    pub(crate) target: Json,
    /// Whether secret environment variables may be read.
    pub(crate) secrets: bool,
}

impl Renderer {
    /// The value of a node as JSON with every text in it rendered.
    pub(crate) fn json(&self, node: &Node, check: &mut Check) -> Json {
        match &node.value {
            Yaml::String(text) if has_jinja(text) => {
                self.render(text, node.span, check).unwrap_or(Json::Null)
            }
            Yaml::Sequence(items) => {
                Json::Array(items.iter().map(|item| self.json(item, check)).collect())
            }
            Yaml::Mapping(entries) => Json::Object(
                entries
                    .iter()
                    .map(|(key, value)| (key.value.clone(), self.json(value, check)))
                    .collect(),
            ),
            _ => node.to_json(),
        }
    }

    /// As [`Renderer::json`], but a text that needs more than is known here (a macro) stays as
    /// it is written, for those who know more.
    pub(crate) fn json_or_raw(&self, node: &Node) -> Json {
        let mut found = Check::default();
        let value = self.json(node, &mut found);
        if found.diagnostics.is_empty() {
            value
        } else {
            node.to_json()
        }
    }

    /// The value of a key: hooks and the like are rendered when they run.
    pub(crate) fn value(&self, key: &str, node: &Node, check: &mut Check) -> Json {
        match key {
            "sql_header" => node.to_json(),
            key if is_hook(key) => node.to_json(),
            // It may use `this`, which is not known here.
            "loaded_at_query" => self.json_or_raw(node),
            _ => self.json(node, check),
        }
    }

    /// A text, rendered; `None` when that failed, which has been said then.
    pub(crate) fn text(&self, text: Spanned<String>, check: &mut Check) -> Option<String> {
        if !has_jinja(&text.value) {
            return Some(text.value);
        }
        match self.render(&text.value, text.span, check)? {
            Json::String(rendered) => Some(rendered),
            other => Some(other.to_string()),
        }
    }

    /// A description with `var`, `env_var` and `target` in it rendered. Calls of `doc` stay for the
    /// graph, and so does a text that needs more than is known here.
    pub(crate) fn description(&self, text: Option<Spanned<String>>) -> String {
        let Some(text) = text.map(|text| text.value) else {
            return String::new();
        };
        let mut calls = Vec::new();
        let without = DOC_CALL.replace_all(&text, |call: &Captures<'_>| {
            calls.push(call[0].to_owned());
            format!("\u{1}{}\u{1}", calls.len() - 1)
        });
        if !has_jinja(&without) {
            return text;
        }
        let Ok(rendered) = self.context().render(&without) else {
            return text;
        };
        let rendered = match rendered {
            Json::String(rendered) => rendered,
            other => other.to_string(),
        };
        let put_back = |out: String, (index, call): (usize, &String)| {
            out.replace(&format!("\u{1}{index}\u{1}"), call)
        };
        calls.iter().enumerate().fold(rendered, put_back)
    }

    fn context(&self) -> YamlContext<'_> {
        YamlContext {
            env: &self.env,
            vars: &self.vars,
            target: Some(&self.target).filter(|target| !target.is_null()),
            secrets: self.secrets,
        }
    }

    fn render(&self, text: &str, span: Span, check: &mut Check) -> Option<Json> {
        match self.context().render(text) {
            Ok(value) => Some(value),
            Err(error) => {
                check.push(self.diagnose(error, span));
                None
            }
        }
    }

    fn diagnose(&self, error: LookupError, span: Span) -> Diagnostic {
        let message = self.without_secrets(error.message);
        let code = if message.starts_with("the environment variable") {
            ENV_VAR_MISSING
        } else if message.starts_with("the secret environment variable") {
            ENV_VAR_SECRET
        } else {
            YAML_JINJA
        };
        let diagnostic = Diagnostic::error(code, message).at(span, "");
        match error.hint {
            Some(hint) => diagnostic.hint(self.without_secrets(hint)),
            None => diagnostic.hint("correct the expression between `{{` and `}}`"),
        }
    }

    /// A message in which the values of secret variables are stars.
    fn without_secrets(&self, mut message: String) -> String {
        for (name, value) in self.env.iter() {
            if name.contains("_ENV_SECRET") && !value.is_empty() {
                message = message.replace(value.as_str(), "*****");
            }
        }
        message
    }
}

/// Whether a text may hold Jinja.
pub(crate) fn has_jinja(text: &str) -> bool {
    text.contains("{{") || text.contains("{%") || text.contains("{#")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::SourceMap;

    fn described(text: &str) -> String {
        let sources = SourceMap::default();
        let file = sources.add("m.yml", text);
        let span = sources.line_span(file, 1);
        let vars: IndexMap<String, Json> =
            [("who".to_owned(), Json::from("us"))].into_iter().collect();
        let renderer = Renderer {
            vars: Arc::new(vars),
            target: serde_json::json!({"name": "dev"}),
            ..Renderer::default()
        };
        let value = text.to_owned();
        renderer.description(Some(Spanned { value, span }))
    }

    #[test]
    fn descriptions_know_vars_and_target_and_keep_docs_for_later() {
        assert_eq!(
            described("of {{ var('who') }} in {{ target.name }}"),
            "of us in dev"
        );
        assert_eq!(
            described("{{ var('who') }}: {{ doc('a') }}, {{ doc('p', 'b') }}"),
            "us: {{ doc('a') }}, {{ doc('p', 'b') }}"
        );
        assert_eq!(described("{{ unknown() }}"), "{{ unknown() }}");
        assert_eq!(described("{{ doc('a') }}"), "{{ doc('a') }}");
    }
}
