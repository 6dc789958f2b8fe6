//! `unit_tests:` of property files: what a model is given and what is expected of it.
//!
//! Nothing is resolved here: the graph finds the model, the inputs and the fixture files.

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::diag::codes::UNIT_TEST_FORM;
use crate::diag::{Diagnostic, Span, Spanned, nearest};

use super::keys;
use super::properties::{Context, config};
use super::yaml::{Check, Fields, Node, Yaml};

/// A unit test as declared.
#[derive(Clone, Debug)]
pub struct UnitTestProperties {
    /// The property file, relative to the package.
    pub path: String,
    /// Its name, unique among the tests of its model.
    pub name: Spanned<String>,
    /// `description`, as written.
    pub description: String,
    /// The model it is about.
    pub model: Spanned<String>,
    /// `given:`, in order.
    pub given: Vec<GivenProperties>,
    /// `expect:`.
    pub expect: FixtureProperties,
    /// `overrides:`.
    pub overrides: Overrides,
    /// `config:`.
    pub config: IndexMap<String, Spanned<Json>>,
    /// `versions:`, as written.
    pub versions: Option<Spanned<Json>>,
}

/// One entry of `given:`.
#[derive(Clone, Debug)]
pub struct GivenProperties {
    /// `input`: `ref('x')`, `source('x', 'y')` or `this`.
    pub input: Spanned<String>,
    /// Its rows.
    pub fixture: FixtureProperties,
}

/// Rows, or the file that has them.
#[derive(Clone, Debug)]
pub struct FixtureProperties {
    /// Where it is written.
    pub span: Span,
    /// `format`, by default dict.
    pub format: FixtureFormat,
    /// `rows`.
    pub rows: WrittenRows,
    /// `fixture`: the name of a file under `fixtures/`.
    pub fixture: Option<Spanned<String>>,
}

/// How rows are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FixtureFormat {
    /// A list of mappings.
    #[default]
    Dict,
    /// A header and lines.
    Csv,
    /// A query.
    Sql,
}

impl FixtureFormat {
    /// dbt's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dict => "dict",
            Self::Csv => "csv",
            Self::Sql => "sql",
        }
    }
}

/// `rows:` as written.
#[derive(Clone, Debug)]
pub enum WrittenRows {
    /// No such key, or nothing in it.
    Absent,
    /// A list of rows: values by column.
    Dicts(Vec<Spanned<IndexMap<String, Json>>>),
    /// CSV or SQL.
    Text(Spanned<String>),
}

/// `overrides:`: what the model sees instead of the project's own.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// What macros return, by `name` or `package.name`.
    pub macros: IndexMap<String, Json>,
    /// Vars.
    pub vars: IndexMap<String, Json>,
    /// Environment variables.
    pub env_vars: IndexMap<String, Json>,
}

/// Reads one entry of `unit_tests:`.
pub(crate) fn read(
    node: &Node,
    context: &Context<'_>,
    check: &mut Check,
) -> Option<UnitTestProperties> {
    let mut fields = Fields::of(node, "an entry of `unit_tests`", check)?;
    let name = fields.required_text("name", check)?;
    fields.rename(format!("unit test `{}`", name.value));
    let model = fields.required_text("model", check)?;
    let description = context
        .renderer
        .description(fields.text("description", check));
    let config = config(&mut fields, keys::CONFIG_UNIT_TEST.to_vec(), context, check);
    let mut given = Vec::new();
    let what = fields.what().to_owned();
    for item in fields.list("given", check) {
        given.extend(read_given(item, &what, context, check));
    }
    let overrides = read_overrides(&mut fields, context, check);
    let versions = fields.take("versions").map(|node| Spanned {
        value: node.to_json(),
        span: node.span,
    });
    let expect = match fields.take("expect") {
        Some(node) => {
            let of = format!("`expect` of {what}");
            let mut fields = Fields::of(node, of, check)?;
            let fixture = read_fixture(&mut fields, node.span, context, check);
            fields.rest_known(&["rows", "format", "fixture"], check);
            fixture?
        }
        None => {
            check.push(
                Diagnostic::error(UNIT_TEST_FORM, format!("{what} has no `expect`"))
                    .at(name.span, "")
                    .hint("add `expect: {rows: [...]}` with the rows that the model should give"),
            );
            return None;
        }
    };
    fields.rest_known(keys::UNIT_TEST, check);
    Some(UnitTestProperties {
        path: context.path.to_owned(),
        name,
        description,
        model,
        given,
        expect,
        overrides,
        config,
        versions,
    })
}

fn read_given(
    node: &Node,
    owner: &str,
    context: &Context<'_>,
    check: &mut Check,
) -> Option<GivenProperties> {
    let mut fields = Fields::of(node, format!("an input of {owner}"), check)?;
    let input = fields.required_text("input", check)?;
    fields.rename(format!("input `{}` of {owner}", input.value));
    let fixture = read_fixture(&mut fields, input.span, context, check)?;
    fields.rest_known(&["input", "rows", "format", "fixture"], check);
    Some(GivenProperties { input, fixture })
}

/// `rows`, `format` and `fixture`, as far as they fit one another.
fn read_fixture(
    fields: &mut Fields<'_>,
    span: Span,
    context: &Context<'_>,
    check: &mut Check,
) -> Option<FixtureProperties> {
    let format = read_format(fields, check)?;
    let fixture = fields.text("fixture", check);
    let rows = fields.take("rows");
    let what = fields.what().to_owned();
    if let (Some(rows), Some(fixture)) = (rows, &fixture)
        && !rows.is_null()
    {
        check.push(
            Diagnostic::error(
                UNIT_TEST_FORM,
                format!("{what} has both `rows` and `fixture`"),
            )
            .at(fixture.span, "")
            .at(rows.span, "the rows")
            .hint("remove one of them"),
        );
    }
    let span = rows.filter(|r| !r.is_null()).map_or(span, |r| r.span);
    let rows = match rows {
        None => WrittenRows::Absent,
        Some(node) => written_rows(node, format, &what, context, check)?,
    };
    Some(FixtureProperties {
        span,
        format,
        rows,
        fixture,
    })
}

fn read_format(fields: &mut Fields<'_>, check: &mut Check) -> Option<FixtureFormat> {
    const WORDS: [&str; 3] = ["dict", "csv", "sql"];
    let Some(format) = fields.text("format", check) else {
        return Some(FixtureFormat::Dict);
    };
    match format.value.as_str() {
        "dict" => Some(FixtureFormat::Dict),
        "csv" => Some(FixtureFormat::Csv),
        "sql" => Some(FixtureFormat::Sql),
        other => {
            let hint = match nearest(other, WORDS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "write dict, csv or sql".to_owned(),
            };
            let what = fields.what();
            let message = format!("{what} has the unknown format `{other}`");
            check.push(
                Diagnostic::error(UNIT_TEST_FORM, message)
                    .at(format.span, "")
                    .hint(hint),
            );
            None
        }
    }
}

fn written_rows(
    node: &Node,
    format: FixtureFormat,
    what: &str,
    context: &Context<'_>,
    check: &mut Check,
) -> Option<WrittenRows> {
    match (&node.value, format) {
        (Yaml::Null, _) => Some(WrittenRows::Absent),
        (Yaml::Sequence(items), FixtureFormat::Dict) => {
            let rows = items
                .iter()
                .map(|item| row(item, what, context, check))
                .collect::<Option<Vec<_>>>()?;
            Some(WrittenRows::Dicts(rows))
        }
        (Yaml::String(_), FixtureFormat::Csv | FixtureFormat::Sql) => {
            let text = match context.renderer.json_or_raw(node) {
                Json::String(text) => text,
                other => other.to_string(),
            };
            Some(WrittenRows::Text(Spanned {
                value: text,
                span: node.span,
            }))
        }
        _ => {
            let (expected, hint) = match format {
                FixtureFormat::Dict => (
                    "a list of rows, each with values by column",
                    "write `rows: [{id: 1}]`, or say `format: csv` or `format: sql`",
                ),
                FixtureFormat::Csv => ("CSV text", "write `rows: |`, a header and lines below it"),
                FixtureFormat::Sql => ("a query", "write `rows: select 1 as id`"),
            };
            check.push(
                Diagnostic::error(
                    UNIT_TEST_FORM,
                    format!("`rows` of {what} is {}", node.describe()),
                )
                .at(
                    node.span,
                    format!("format {} expects {expected}", format.as_str()),
                )
                .hint(hint),
            );
            None
        }
    }
}

fn row(
    node: &Node,
    what: &str,
    context: &Context<'_>,
    check: &mut Check,
) -> Option<Spanned<IndexMap<String, Json>>> {
    let Yaml::Mapping(entries) = &node.value else {
        check.push(
            Diagnostic::error(
                UNIT_TEST_FORM,
                format!("a row of {what} is {}", node.describe()),
            )
            .at(node.span, "expected values by column")
            .hint("write `- {id: 1, name: x}`"),
        );
        return None;
    };
    let value = entries
        .iter()
        .map(|(key, value)| (key.value.clone(), context.renderer.json(value, check)))
        .collect();
    Some(Spanned {
        value,
        span: node.span,
    })
}

fn read_overrides(fields: &mut Fields<'_>, context: &Context<'_>, check: &mut Check) -> Overrides {
    let Some(node) = fields.take("overrides") else {
        return Overrides::default();
    };
    let what = format!("`overrides` of {}", fields.what());
    let Some(mut own) = Fields::of(node, what, check) else {
        return Overrides::default();
    };
    let mut part = |key: &str| -> IndexMap<String, Json> {
        let entries = own.mapping(key, check).into_iter().flatten();
        let values = entries.map(|(name, value)| {
            let value = context.renderer.json_or_raw(value);
            (name.value.clone(), value)
        });
        values.collect()
    };
    let overrides = Overrides {
        macros: part("macros"),
        vars: part("vars"),
        env_vars: part("env_vars"),
    };
    own.rest_known(&["macros", "vars", "env_vars"], check);
    overrides
}
