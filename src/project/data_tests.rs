//! Generic tests as they are declared on a model or column, in all of dbt's forms.

use indexmap::IndexMap;

use crate::diag::codes::{TEST_FORM, TEST_KEYS_TWICE, WRONG_TYPE};
use crate::diag::{Diagnostic, Spanned};

use super::declarations::{ConfigMap, TestDeclaration};
use super::keys;
use super::properties::Context;
use super::yaml::{Check, Fields, Node, Yaml};

/// Config keys that dbt also takes beside a test's arguments, in the order in which it writes them.
pub const TEST_CONFIG_KEYS: &[&str] = &[
    "severity",
    "tags",
    "enabled",
    "where",
    "limit",
    "warn_if",
    "error_if",
    "fail_calc",
    "store_failures",
    "store_failures_as",
    "meta",
    "database",
    "schema",
    "alias",
];

/// `data_tests:` and `tests:` of a resource or column.
pub(crate) fn declarations(
    fields: &mut Fields<'_>,
    context: &Context<'_>,
    check: &mut Check,
) -> Vec<TestDeclaration> {
    let owner = fields.what().to_owned();
    let mut tests = Vec::new();
    let old = fields.take_entry("tests");
    let new = fields.take_entry("data_tests");
    if let (Some((old, _)), Some((new, _))) = (old, new) {
        check.push(
            Diagnostic::error(
                TEST_KEYS_TWICE,
                format!("{owner} has both `tests` and `data_tests`"),
            )
            .at(old.span, "the older name")
            .at(new.span, "")
            .hint("move all of them under `data_tests:`"),
        );
    }
    for (key, node) in [old, new].into_iter().flatten() {
        match &node.value {
            Yaml::Sequence(items) => {
                for item in items {
                    tests.extend(declaration(item, &owner, context, check));
                }
            }
            Yaml::Null => {}
            _ => check.wrong_type(&owner, &key.value, node, "a list of tests"),
        }
    }
    tests
}

fn declaration(
    node: &Node,
    owner: &str,
    context: &Context<'_>,
    check: &mut Check,
) -> Option<TestDeclaration> {
    let entries = match &node.value {
        Yaml::String(name) => {
            return Some(bare(Spanned {
                value: name.clone(),
                span: node.span,
            }));
        }
        Yaml::Mapping(entries) if !entries.is_empty() => entries,
        _ => {
            check.push(
                Diagnostic::error(
                    TEST_FORM,
                    format!("a test of {owner} is {}", node.describe()),
                )
                .at(node.span, "expected a test's name")
                .hint("write `- not_null`, or `- accepted_values: {arguments: {values: [...]}}`"),
            );
            return None;
        }
    };
    if node.get("test_name").is_some() {
        return flat(node, owner, context, check);
    }
    match entries.as_slice() {
        [(name, body)] => nested(name.clone(), body, owner, context, check),
        [(name, body), rest @ ..] => {
            check.push(wrong_indent(name, body, rest, owner));
            None
        }
        [] => None,
    }
}

fn bare(test: Spanned<String>) -> TestDeclaration {
    TestDeclaration {
        test,
        arguments: IndexMap::new(),
        config: ConfigMap::new(),
        config_places: IndexMap::new(),
        name: None,
        description: String::new(),
    }
}

/// `- accepted_values:` with its arguments on the same column is the usual slip.
fn wrong_indent(
    name: &Spanned<String>,
    body: &Node,
    rest: &[(Spanned<String>, Node)],
    owner: &str,
) -> Diagnostic {
    let keys: Vec<String> = rest
        .iter()
        .map(|(key, _)| format!("`{}`", key.value))
        .collect();
    let diagnostic = Diagnostic::error(
        TEST_FORM,
        format!(
            "a test of {owner} has {} keys, where one is its name",
            rest.len() + 1
        ),
    )
    .at(name.span, "");
    if body.is_null() {
        return diagnostic.hint(format!(
            "indent {} further than `{}`",
            keys.join(", "),
            name.value
        ));
    }
    diagnostic.hint("begin each test with `- ` in a line of its own")
}

/// `- unique: {config: {...}}`.
fn nested(
    name: Spanned<String>,
    body: &Node,
    owner: &str,
    context: &Context<'_>,
    check: &mut Check,
) -> Option<TestDeclaration> {
    if !matches!(body.value, Yaml::Mapping(_) | Yaml::Null) {
        check.push(
            Diagnostic::error(
                WRONG_TYPE,
                format!(
                    "test `{}` of {owner} is given {}",
                    name.value,
                    body.describe()
                ),
            )
            .at(body.span, "expected its arguments, by name")
            .hint(format!(
                "write `{}: {{arguments: {{key: value}}}}`",
                name.value
            )),
        );
        return None;
    }
    let what = format!("test `{}` of {owner}", name.value);
    let fields = Fields::of(body, what, check)?;
    Some(build(name, fields, context, check))
}

/// `- name: x` with `test_name: unique` and everything beside it.
fn flat(
    node: &Node,
    owner: &str,
    context: &Context<'_>,
    check: &mut Check,
) -> Option<TestDeclaration> {
    let mut fields = Fields::of(node, format!("a test of {owner}"), check)?;
    let test = fields.required_text("test_name", check)?;
    fields.rename(format!("test `{}` of {owner}", test.value));
    Some(build(test, fields, context, check))
}

fn build(
    test: Spanned<String>,
    mut fields: Fields<'_>,
    context: &Context<'_>,
    check: &mut Check,
) -> TestDeclaration {
    let name = fields.text("name", check).map(|t| t.value);
    let description = context
        .renderer
        .description(fields.text("description", check));
    let mut config = ConfigMap::new();
    let mut config_places = IndexMap::new();
    // dbt puts `arguments:` beside the other keys before it takes the config out of them.
    let named = fields
        .mapping("arguments", check)
        .map_or(&[][..], Vec::as_slice);
    let within = named.iter().find(|(key, _)| key.value == "config");
    let within = match within.map(|(_, node)| &node.value) {
        Some(Yaml::Mapping(entries)) => entries.as_slice(),
        _ => &[],
    };
    for (key, value) in fields
        .mapping("config", check)
        .into_iter()
        .flatten()
        .chain(within)
    {
        let bare = key.value.trim_start_matches('+');
        if !keys::CONFIG_TEST.contains(&bare) {
            let known: Vec<&str> = keys::CONFIG_TEST.to_vec();
            near_config(fields.what(), key, &known, check);
        }
        config_places.insert(bare.to_owned(), value.span);
        config.insert(bare.to_owned(), context.renderer.json_or_raw(value));
    }
    let mut arguments = IndexMap::new();
    let named = named.iter().filter(|(key, _)| key.value != "config");
    for (key, value) in named.chain(fields.rest()) {
        if TEST_CONFIG_KEYS.contains(&key.value.as_str()) {
            config_places.entry(key.value.clone()).or_insert(value.span);
            config
                .entry(key.value.clone())
                .or_insert_with(|| context.renderer.json_or_raw(value));
        } else {
            arguments.insert(key.value.clone(), value.to_json());
        }
    }
    arguments.shift_remove("model");
    TestDeclaration {
        test,
        arguments,
        config,
        config_places,
        name,
        description,
    }
}

fn near_config(what: &str, key: &Spanned<String>, known: &[&str], check: &mut Check) {
    let Some(near) = crate::diag::nearest(&key.value, known.iter().copied()) else {
        return;
    };
    check.push(
        Diagnostic::warning(
            crate::diag::codes::UNKNOWN_KEY,
            format!("`{}` of {what} is not a config that marts knows", key.value),
        )
        .at(key.span, "")
        .hint(format!("did you mean `{near}`?")),
    );
}
