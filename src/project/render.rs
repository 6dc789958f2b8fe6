//! Jinja in YAML values: rendered where dbt renders it, with the place of a mistake.
//!
//! Callers choose what is rendered; descriptions, tests and hooks never reach this file.

use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::{Environment, Error, ErrorKind, Value};
use serde_json::Value as Json;

use crate::diag::codes::{ENV_VAR_MISSING, ENV_VAR_SECRET, YAML_JINJA};
use crate::diag::{Diagnostic, Span, Spanned, nearest};

use super::yaml::{Check, Node, Yaml};

/// The prefix of environment variables that only profiles may read.
const SECRET_PREFIX: &str = "DBT_ENV_SECRET";

/// What templates in YAML can see.
#[derive(Clone, Debug, Default)]
pub(crate) struct Renderer {
    /// The environment, read once at start.
    pub(crate) env: Arc<IndexMap<String, String>>,
    /// `vars` that apply here.
    pub(crate) vars: IndexMap<String, Json>,
    /// The `target` variable; null while it is not known yet.
    pub(crate) target: Json,
    /// Whether secret environment variables may be read.
    pub(crate) secrets: bool,
}

impl Renderer {
    /// The value of a node as JSON with every text in it rendered.
    pub(crate) fn json(&self, node: &Node, check: &mut Check) -> Json {
        match &node.value {
            Yaml::String(text) if has_jinja(text) => self.value(text, node.span, check),
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

    /// A text, rendered; `None` when that failed, which has been said then.
    pub(crate) fn text(&self, text: Spanned<String>, check: &mut Check) -> Option<String> {
        if !has_jinja(&text.value) {
            return Some(text.value);
        }
        match self.render(&text.value) {
            Ok(Json::String(rendered)) => Some(rendered),
            Ok(other) => Some(other.to_string()),
            Err(error) => {
                check.push(self.diagnose(error, text.span));
                None
            }
        }
    }

    fn value(&self, text: &str, span: Span, check: &mut Check) -> Json {
        self.render(text).unwrap_or_else(|error| {
            check.push(self.diagnose(error, span));
            Json::Null
        })
    }

    fn render(&self, text: &str) -> Result<Json, Error> {
        let mut engine = Environment::empty();
        minijinja_contrib::add_to_environment(&mut engine);
        let env = Arc::clone(&self.env);
        let secrets = self.secrets;
        engine.add_function(
            "env_var",
            move |name: String, default: Option<Value>| -> Result<Value, Error> {
                if name.starts_with(SECRET_PREFIX) && !secrets {
                    return Err(Error::new(
                        ErrorKind::InvalidOperation,
                        format!("secret {name}"),
                    ));
                }
                match (env.get(&name), default) {
                    (Some(value), _) => Ok(Value::from(value.clone())),
                    (None, Some(default)) => Ok(default),
                    (None, None) => Err(Error::new(
                        ErrorKind::UndefinedError,
                        format!("env_var {name}"),
                    )),
                }
            },
        );
        let vars = self.vars.clone();
        engine.add_function(
            "var",
            move |name: String, default: Option<Value>| -> Result<Value, Error> {
                match (vars.get(&name), default) {
                    (Some(value), _) => Ok(Value::from(minijinja::value::Serde(value))),
                    (None, Some(default)) => Ok(default),
                    (None, None) => {
                        Err(Error::new(ErrorKind::UndefinedError, format!("var {name}")))
                    }
                }
            },
        );
        engine.add_global("target", Value::from(minijinja::value::Serde(&self.target)));
        if let Some(expression) = sole_expression(text) {
            let value = engine.compile_expression(expression)?.eval(())?;
            return serde_json::to_value(value)
                .map_err(|e| Error::new(ErrorKind::BadSerialization, e.to_string()));
        }
        engine.render_str(text, ()).map(Json::String)
    }

    fn diagnose(&self, error: Error, span: Span) -> Diagnostic {
        let detail = error.detail().unwrap_or_default().to_owned();
        if let Some(name) = detail.strip_prefix("env_var ") {
            let hint = match nearest(name, self.env.keys().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`, which is set?"),
                None => format!(
                    "set it (`export {name}=...`), or give a default: env_var('{name}', '...')"
                ),
            };
            return Diagnostic::error(
                ENV_VAR_MISSING,
                format!("environment variable `{name}` is not set"),
            )
            .at(span, "")
            .hint(hint);
        }
        if let Some(name) = detail.strip_prefix("secret ") {
            return Diagnostic::error(
                ENV_VAR_SECRET,
                format!("the secret `{name}` may be read only in profiles.yml and packages.yml"),
            )
            .at(span, "")
            .hint("move it to profiles.yml, or use a variable without that prefix");
        }
        let message = match detail.strip_prefix("var ") {
            Some(name) => format!("the var `{name}` is not set here"),
            None => format!("Jinja in YAML: {error}"),
        };
        Diagnostic::error(YAML_JINJA, message)
            .at(span, "")
            .hint("give it on the command line with --vars, or a default as second argument")
    }
}

/// Whether a text may hold Jinja.
pub(crate) fn has_jinja(text: &str) -> bool {
    text.contains("{{") || text.contains("{%") || text.contains("{#")
}

/// The expression of a text that is nothing but `{{ expression }}`.
fn sole_expression(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    if has_jinja(inner) || inner.contains("}}") {
        return None;
    }
    Some(inner.trim_matches(|c: char| c == '-' || c.is_whitespace()))
}
