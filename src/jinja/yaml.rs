//! Jinja in the strings of YAML files, before there are macros: `env_var`, `var` and, in
//! property files, `target`; filters `as_number`, `as_bool`, `as_native`, `as_text`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;
use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};
use serde_json::Value as Json;

use super::LookupError;
use super::functions::{self, lookup};
use super::rewrite::{self, Piece};
use super::value::{self, from_json, to_json};

/// What the strings of a YAML file may use.
#[derive(Clone, Copy, Debug)]
pub struct YamlContext<'a> {
    /// The environment.
    pub env: &'a Arc<IndexMap<String, String>>,
    /// `vars`, as far as they are known where the string stands.
    pub vars: &'a Arc<IndexMap<String, Json>>,
    /// The `target` variable, where there is one.
    pub target: Option<&'a Json>,
    /// Whether secret variables may be read: only in profiles and package lists.
    pub secrets: bool,
}

/// Renders a description, where `doc('name')` or `doc('package', 'name')` stands for a docs
/// block; `find` gets its arguments.
pub fn render_description(
    text: &str,
    find: impl Fn(&[&str]) -> Option<String> + Send + Sync + 'static,
) -> Result<String, LookupError> {
    if !["{{", "{%", "{#"]
        .iter()
        .any(|marker| text.contains(marker))
    {
        return Ok(text.to_owned());
    }
    let text = rewrite::normalise(text);
    let rewritten = rewrite::rewrite(&text).map_err(|e| plain(e.message))?;
    let mut env = Environment::new();
    env.set_debug(false);
    value::register(&mut env);
    env.add_function("doc", move |names: minijinja::value::Rest<String>| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        find(&names).ok_or_else(|| {
            super::error::fail_with(
                format!("there is no docs block `{}`", names.join(".")),
                "write {% docs name %} … {% enddocs %} in a .md file",
            )
        })
    });
    env.render_str(&rewritten, ())
        .map_err(|e| failure(&e, text.trim()))
}

impl YamlContext<'_> {
    /// Renders a string. One that is a single expression keeps the expression's type;
    /// everything else is text. With `secrets` the result may hold one: it must not be
    /// printed or stored.
    pub fn render(&self, text: &str) -> Result<Json, LookupError> {
        if !["{{", "{%", "{#"]
            .iter()
            .any(|marker| text.contains(marker))
        {
            return Ok(Json::String(text.to_owned()));
        }
        let text = rewrite::normalise(text);
        let rewritten = rewrite::rewrite(&text).map_err(|e| plain(e.message))?;
        let marks = Marks::default();
        let env = self.environment(&marks);
        match single_expression(&rewritten) {
            Some(expression) => {
                let evaluated = env
                    .compile_expression(expression)
                    .and_then(|e| e.eval(self.variables()))
                    .and_then(|value| marks.apply(value))
                    .map_err(|e| failure(&e, text.trim()))?;
                if evaluated.is_undefined() {
                    return Ok(Json::String(String::new()));
                }
                Ok(to_json(&evaluated))
            }
            None => env
                .render_str(&rewritten, self.variables())
                .map(Json::String)
                .map_err(|e| failure(&e, text.trim())),
        }
    }

    fn variables(&self) -> Value {
        let target = self.target.map(from_json);
        Value::from_pairs(target.map(|t| ("target", t)))
    }

    fn environment(&self, marks: &Marks) -> Environment<'static> {
        let mut env = Environment::new();
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        env.set_debug(false);
        value::register(&mut env);
        marks.register(&mut env);
        let (variables, secrets) = (Arc::clone(self.env), self.secrets);
        env.add_function(
            "env_var",
            move |name: &str, default: Option<Value>, _: Kwargs| {
                lookup::env_var(&variables, secrets, name, default)
            },
        );
        let vars = Arc::clone(self.vars);
        let var = move |args: minijinja::value::Rest<Value>| {
            let name = args.first().map(Value::to_string).unwrap_or_default();
            lookup::var(vars.get(&name), &name, lookup::given(&args, 1, "default"))
        };
        env.add_function("var", var);
        functions::register_plain(&mut env);
        env.set_unknown_method_callback(functions::methods::unknown_method);
        functions::filters::register(&mut env);
        env
    }
}

/// The expression of a template that is nothing but `{{ … }}`.
fn single_expression(text: &str) -> Option<&str> {
    let mut pieces = rewrite::pieces(text);
    match (pieces.next(), pieces.next()) {
        (Some(Ok(Piece::Expression { inner, tag, .. })), None) => {
            Some(&text[inner..tag.close_start])
        }
        _ => None,
    }
}

fn plain(message: String) -> LookupError {
    LookupError {
        message,
        hint: None,
    }
}

/// The user's view of an error; a lookup's own message where there is one.
fn failure(error: &Error, text: &str) -> LookupError {
    if let Some(own) = super::error::lookup_error(error) {
        return own;
    }
    let what = error
        .detail()
        .map_or_else(|| error.kind().to_string(), str::to_owned);
    LookupError {
        message: format!("cannot render `{text}`: {what}"),
        hint: Some(
            "here only `env_var`, `var` and, in property files, `target` are known".to_owned(),
        ),
    }
}

/// The type that `as_bool` and its like ask for. It counts for the value of the whole text only:
/// in `target.type == 'x' | as_bool`, where the filter is the name's, that name stays text, as in dbt.
#[derive(Clone, Default)]
struct Marks(Arc<Mutex<Vec<(String, Convert)>>>);

type Convert = fn(Value) -> Result<Value, Error>;

const CONVERSIONS: [(&str, Convert); 4] = [
    ("as_number", as_number),
    ("as_bool", as_bool),
    ("as_native", |value| Ok(as_native(&value))),
    ("as_text", |value| Ok(Value::from(value.to_string()))),
];

impl Marks {
    /// The filters: each gives text that remembers what it is meant to become.
    fn register(&self, env: &mut Environment<'static>) {
        for (name, convert) in CONVERSIONS {
            let marks = self.clone();
            env.add_filter(name, move |value: Value| {
                let text = value.to_string();
                marks.lock().push((text.clone(), convert));
                Value::from_safe_string(text)
            });
        }
    }

    /// The value of the whole text: of the type that its last filter asked for.
    fn apply(&self, value: Value) -> Result<Value, Error> {
        let text = match value.as_str() {
            Some(text) if value.is_safe() => text.to_owned(),
            _ => return Ok(value),
        };
        let found = self.lock().iter().rev().find(|(t, _)| *t == text).cloned();
        match found {
            Some((_, convert)) => convert(Value::from(text)),
            None => Ok(Value::from(text)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(String, Convert)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn as_number(value: Value) -> Result<Value, Error> {
    let native = as_native(&value);
    if native.kind() == ValueKind::Number {
        return Ok(native);
    }
    let message = format!("`{value}` is not a number");
    Err(Error::new(ErrorKind::InvalidOperation, message))
}

fn as_bool(value: Value) -> Result<Value, Error> {
    match value.to_string().to_lowercase().as_str() {
        "true" => Ok(Value::from(true)),
        "false" => Ok(Value::from(false)),
        _ => {
            let message = format!("`{value}` is neither true nor false");
            Err(Error::new(ErrorKind::InvalidOperation, message))
        }
    }
}

/// Text as the Python literal that it spells; anything else as it is.
fn as_native(value: &Value) -> Value {
    let Some(text) = value.as_str().map(str::trim) else {
        return value.clone();
    };
    match text {
        "True" => return Value::from(true),
        "False" => return Value::from(false),
        "None" => return Value::from(()),
        _ => {}
    }
    if let Ok(int) = text.parse::<i64>() {
        return Value::from(int);
    }
    if let Ok(float) = text.parse::<f64>()
        && text.chars().any(|c| c.is_ascii_digit())
    {
        return Value::from(float);
    }
    if text.starts_with(['[', '{'])
        && let Ok(json) = serde_json::from_str::<Json>(&text.replace('\'', "\""))
    {
        return from_json(&json);
    }
    value.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(text: &str) -> Result<Json, LookupError> {
        let env = Arc::new(IndexMap::from([("PORT".to_owned(), "5432".to_owned())]));
        let vars = Arc::new(IndexMap::from([("days".to_owned(), Json::from(3))]));
        let context = YamlContext {
            env: &env,
            vars: &vars,
            target: None,
            secrets: false,
        };
        context.render(text)
    }

    #[test]
    fn text_without_jinja_stays() {
        assert_eq!(render("plain"), Ok(Json::from("plain")));
    }

    #[test]
    fn one_expression_keeps_its_type() {
        assert_eq!(render("{{ var('days') }}"), Ok(Json::from(3)));
        assert_eq!(
            render("{{ env_var('PORT') | as_number }}"),
            Ok(Json::from(5432))
        );
        assert_eq!(render("{{ env_var('PORT') }}"), Ok(Json::from("5432")));
        assert_eq!(
            render("{{ env_var('X', 'no') }}-{{ var('days') }}"),
            Ok(Json::from("no-3"))
        );
    }

    #[test]
    fn a_conversion_inside_an_expression_leaves_text() {
        let is = |text: &str| render(text);
        assert_eq!(
            is("{{ 'postgres' == 'bigquery' | as_bool }}"),
            Ok(false.into())
        );
        assert_eq!(is("{{ 'a' in ['a', 'b'] | as_bool() }}"), Ok(true.into()));
        assert_eq!(is("{{ ('a' == 'a') | as_bool }}"), Ok(true.into()));
        assert_eq!(
            is("{{ '1' | as_number + 1 if false else '7' | as_number }}"),
            Ok(7.into())
        );
        assert_eq!(is("{{ '007' | as_text }}"), Ok("007".into()));
        assert_eq!(
            is("{{ '[1, 2]' | as_native }}"),
            Ok(serde_json::json!([1, 2]))
        );
        let error = is("{{ 'maybe' | as_bool }}").expect_err("it is no boolean");
        assert!(error.message.contains("maybe"), "{}", error.message);
    }

    #[test]
    fn what_asks_for_no_node_is_there() {
        let old = render("{{ (dbt_version.split('.')[0] | int) < 2 }}");
        assert_eq!(old, Ok(true.into()));
        let year = render("y{{ run_started_at.strftime('%Y') }}").expect("it renders");
        assert!(year.as_str().is_some_and(|y| y.len() == 5), "{year}");
        assert_eq!(render("{{ tojson([1]) }}"), Ok("[1]".into()));
    }

    #[test]
    fn a_missing_variable_is_named() {
        let error = render("{{ env_var('NOPE') }}").expect_err("it is missing");
        assert!(error.message.contains("NOPE"), "{}", error.message);
        let error = render("{{ var('nope') }}").expect_err("it is missing");
        assert!(error.message.contains("nope"), "{}", error.message);
    }

    #[test]
    fn secrets_are_readable_only_in_profiles() {
        let env = IndexMap::from([("DBT_ENV_SECRET_P".to_owned(), "hush".to_owned())]);
        let (env, vars) = (Arc::new(env), Arc::default());
        let context = |secrets| YamlContext {
            env: &env,
            vars: &vars,
            target: None,
            secrets,
        };
        let text = "{{ env_var('DBT_ENV_SECRET_P') }}";
        let error = context(false).render(text).expect_err("it is secret");
        assert!(!error.message.contains("hush"));
        assert_eq!(context(true).render(text), Ok(Json::from("hush")));
    }
}
