//! Unit tests as nodes: each is about one model, is given rows for what the model reads, and
//! is a child of the model, so that it is selected with it.

use std::sync::{Arc, LazyLock};

use indexmap::IndexMap;
use regex::Regex;
use serde_json::{Value as Json, json};

use super::unit_test::{self, Fixture, FixtureRows, Given, Record, UnitTest};
use super::{Detail, NameTable, Node, NodeIx, ResourceKind, draft};
use crate::diag::{Diagnostic, SourceMap, Span, Spanned, codes, nearest};
use crate::jinja::{RefCall, SourceCall};
use crate::names::NodeId;
use crate::project::{
    CodeFile, ConfigMap, ConfigOrigin, FixtureFormat, FixtureProperties, GivenProperties,
    NodeConfig, Package, Project, UnitTestProperties, WrittenRows, merge_configs,
};

static REF: LazyLock<Regex> = LazyLock::new(|| {
    let name = r#"['"]([^'"]+)['"]"#;
    Regex::new(&format!(
        r#"^\s*(?:\{{\{{)?\s*(ref|source)\(\s*{name}\s*(?:,\s*{name}\s*)?(?:,\s*(?:v|version)\s*=\s*['"]?([^'",)\s]+)['"]?\s*)?\)\s*(?:\}}\}})?\s*$"#
    ))
    .expect("a constant pattern compiles")
});

/// Unit tests of all packages as nodes to be put behind `nodes`, and those that are disabled
/// by their own config or with their model.
pub(super) fn nodes(
    project: &Project,
    nodes: &[Box<Node>],
    names: &NameTable,
    problems: &mut Vec<Diagnostic>,
) -> (Vec<Box<Node>>, Vec<Box<Node>>) {
    let (mut made, mut disabled) = (Vec::new(), Vec::new());
    for package in &project.packages {
        for written in &package.properties.unit_tests {
            let maker = Maker {
                project,
                package,
                nodes,
                names,
                written,
            };
            for version in unit_test::versions(names, &package.name, written, problems) {
                match maker.node(version.as_deref()) {
                    Ok(node) if node.config.enabled => made.push(node),
                    Ok(node) => disabled.push(node),
                    Err(found) => problems.extend(found),
                }
            }
        }
    }
    (made, disabled)
}

/// Inputs that their models do not read, and what incremental models need; asked once all
/// parents are known.
pub(super) fn check(nodes: &[Box<Node>]) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for node in nodes {
        if let Detail::UnitTest(test) = &node.detail {
            let model = &nodes[test.tested.index()];
            problems.extend(unread_inputs(nodes, node, test));
            problems.extend(incremental(node, test, model));
        }
    }
    problems
}

/// All that a model reads, through ephemeral models, which are part of its query.
fn reads(nodes: &[Box<Node>], model: NodeIx) -> Vec<NodeIx> {
    let mut found: Vec<NodeIx> = Vec::new();
    let mut stack = vec![model];
    while let Some(at) = stack.pop() {
        for parent in &nodes[at.index()].parents {
            if !found.contains(parent) {
                found.push(*parent);
                if nodes[parent.index()].is_ephemeral() {
                    stack.push(*parent);
                }
            }
        }
    }
    found
}

fn unread_inputs(nodes: &[Box<Node>], node: &Node, test: &UnitTest) -> Vec<Diagnostic> {
    let read = reads(nodes, test.tested);
    let model = &nodes[test.tested.index()];
    let mut problems = Vec::new();
    for (at, given) in test.given.iter().enumerate() {
        if let Some(first) = test.given[..at].iter().find(|g| g.of == given.of) {
            let message = format!("unit test `{}` gives {} twice", node.name, given.input);
            problems.push(
                Diagnostic::error(codes::UNIT_TEST_FORM, message)
                    .at(given.span, "")
                    .at(first.span, "the first one")
                    .hint("join the rows of the two"),
            );
        }
        if given.is_this || read.contains(&given.of) {
            continue;
        }
        let known: Vec<String> = read.iter().map(|ix| input_of(&nodes[ix.index()])).collect();
        let hint = match nearest(&given.input, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "remove the input; the model reads nothing".to_owned(),
            None => format!("remove the input; the model reads {}", known.join(", ")),
        };
        let message = format!(
            "unit test `{}` gives {}, which model `{}` does not read",
            node.name, given.input, model.name
        );
        problems.push(
            Diagnostic::error(codes::UNIT_TEST_INPUT, message)
                .at(given.span, "")
                .hint(hint),
        );
    }
    problems
}

/// The call by which a template reads a node.
pub fn input_of(node: &Node) -> String {
    match &node.detail {
        Detail::Source { source, .. } => format!("source('{source}', '{}')", node.name),
        _ => match &node.model.version {
            Some(version) => format!("ref('{}', v={})", node.name, version.text()),
            None => format!("ref('{}')", node.name),
        },
    }
}

/// A model that asks whether it runs incrementally has to be told, as in dbt.
fn incremental(node: &Node, test: &UnitTest, model: &Node) -> Option<Diagnostic> {
    if !model.macros.iter().any(|m| m == "macro.dbt.is_incremental") {
        return None;
    }
    let told = test.overrides.macros.get("is_incremental");
    let problem = |message: String, hint: &str| {
        let problem = Diagnostic::error(codes::UNIT_TEST_FORM, message).hint(hint);
        Some(match node.span {
            Some(span) => problem.at(span, ""),
            None => problem,
        })
    };
    match told {
        Some(Json::Bool(true)) if !test.given.iter().any(|g| g.is_this) => problem(
            format!(
                "unit test `{}` runs model `{}` incrementally without the rows that are there",
                node.name, model.name
            ),
            "add `- input: this` with `rows: [...]` under `given:`",
        ),
        Some(Json::Bool(_)) => None,
        _ => problem(
            format!(
                "model `{}` asks is_incremental(), and unit test `{}` does not answer",
                model.name, node.name
            ),
            "add `overrides: {macros: {is_incremental: false}}`, or true with `input: this`",
        ),
    }
}

/// Makes the node of one declaration.
struct Maker<'a> {
    project: &'a Project,
    package: &'a Package,
    nodes: &'a [Box<Node>],
    names: &'a NameTable,
    written: &'a UnitTestProperties,
}

impl Maker<'_> {
    fn node(&self, version: Option<&str>) -> Result<Box<Node>, Vec<Diagnostic>> {
        let written = self.written;
        let name = &written.name.value;
        let call = RefCall {
            package: None,
            name: written.model.value.clone(),
            version: version.map(str::to_owned),
        };
        let mut node = Box::new(self.bare());
        if let Some(version) = version {
            node.id = NodeId::new(format!("{}_v{version}", node.id));
        }
        node.config = self.config(&node)?.into();
        let tested = match self.names.find_ref(&self.package.name, &call) {
            Ok(ix) => ix,
            // dbt leaves out the tests of a model that is disabled, and so do we.
            Err(error) if error.message.contains("is disabled") => {
                Arc::make_mut(&mut node.config).enabled = false;
                return Ok(node);
            }
            Err(error) => {
                let message = format!("unit test `{name}`: {}", error.message);
                let problem =
                    Diagnostic::error(codes::UNKNOWN_REF, message).at(written.model.span, "");
                return Err(vec![match error.hint {
                    Some(hint) => problem.hint(hint),
                    None => problem,
                }]);
            }
        };
        let model = &self.nodes[tested.index()];
        if model.kind != ResourceKind::Model {
            let message = format!(
                "unit test `{name}` is about the {} `{}`",
                model.kind.as_str(),
                model.name
            );
            return Err(vec![
                Diagnostic::error(codes::UNIT_TEST_FORM, message)
                    .at(written.model.span, "")
                    .hint("name a model; only models have a query to test"),
            ]);
        }
        node.model.version.clone_from(&model.model.version);
        let versions = written.versions.as_ref().filter(|v| !v.value.is_null());
        if let Some(versions) = versions.filter(|_| version.is_none()) {
            return Err(vec![
                Diagnostic::error(
                    codes::UNIT_TEST_FORM,
                    format!(
                        "unit test `{name}` chooses versions of model `{}`, which has none",
                        model.name
                    ),
                )
                .at(versions.span, "")
                .hint("remove `versions`"),
            ]);
        }
        node.refs = vec![(call, self.line(written.model.span))];
        node.detail = Detail::UnitTest(Box::new(self.detail(tested)?));
        Ok(node)
    }

    fn bare(&self) -> Node {
        let written = self.written;
        let (name, model) = (&written.name.value, &written.model.value);
        let package = &self.package.name;
        let mut fqn = vec![package.clone()];
        let mut folders: Vec<&str> = written.path.split('/').skip(1).collect();
        folders.pop();
        fqn.extend(folders.into_iter().map(str::to_owned));
        fqn.extend([model.clone(), name.clone()]);
        let id = format!("unit_test.{package}.{model}.{name}");
        Node {
            path: written.path.clone(),
            fqn,
            file: Some(written.name.span.file),
            span: Some(written.name.span),
            first_line: self.line(written.name.span),
            description: written.description.clone(),
            ..Node::bare(id, ResourceKind::UnitTest, package, name)
        }
    }

    fn config(&self, node: &Node) -> Result<NodeConfig, Vec<Diagnostic>> {
        let (own, over) = draft::tree_layers(self.project, node);
        let written = &self.written.config;
        let declared: ConfigMap = written
            .iter()
            .map(|(k, v)| (k.clone(), v.value.clone()))
            .collect();
        let merged = merge_configs(&[&own, &declared, &over]);
        let what = format!("unit test `{}`", node.name);
        let origin = ConfigOrigin {
            what: &what,
            place: &|key| written.get(key).map(|value| value.span),
            file: Some(&node.path),
        };
        let (config, problems) = NodeConfig::new(merged, "unit", &origin);
        match problems.is_empty() {
            true => Ok(config),
            false => Err(problems),
        }
    }

    fn line(&self, span: Span) -> usize {
        let file = self.project.sources.file(span.file);
        file.line_column(span.start).0
    }

    fn detail(&self, tested: NodeIx) -> Result<UnitTest, Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let mut given = Vec::new();
        for written in &self.written.given {
            match self.given(written, tested) {
                Ok(one) => given.push(one),
                Err(problem) => problems.push(problem),
            }
        }
        let what = format!("`expect` of unit test `{}`", self.written.name.value);
        let expect = self.fixture(&self.written.expect, &what, None);
        match expect {
            Ok(expect) if problems.is_empty() => Ok(UnitTest {
                tested,
                given,
                expect,
                overrides: self.written.overrides.clone(),
            }),
            Ok(_) => Err(problems),
            Err(problem) => {
                problems.push(problem);
                Err(problems)
            }
        }
    }

    fn given(&self, written: &GivenProperties, tested: NodeIx) -> Result<Given, Diagnostic> {
        let input = &written.input;
        let is_this = input.value.trim() == "this";
        let of = if is_this { tested } else { self.input(input)? };
        let test = &self.written.name.value;
        let what = format!("input `{}` of unit test `{test}`", input.value);
        let seed = (self.nodes[of.index()].kind == ResourceKind::Seed).then_some(of);
        Ok(Given {
            input: input.value.trim().to_owned(),
            span: input.span,
            of,
            is_this,
            fixture: self.fixture(&written.fixture, &what, seed)?,
        })
    }

    /// The node that an input names.
    fn input(&self, input: &Spanned<String>) -> Result<NodeIx, Diagnostic> {
        let Some(found) = REF.captures(&input.value) else {
            let message = format!(
                "unit test `{}` has the input `{}`",
                self.written.name.value, input.value
            );
            return Err(Diagnostic::error(codes::UNIT_TEST_FORM, message)
                .at(input.span, "")
                .hint("write ref('model'), source('source', 'table') or this"));
        };
        let part = |at: usize| found.get(at).map(|m| m.as_str().to_owned());
        let package = &self.package.name;
        let (code, result) = match (&found[1], part(3)) {
            ("source", Some(table)) => {
                let source = found[2].to_owned();
                let call = SourceCall { source, table };
                (
                    codes::UNKNOWN_SOURCE,
                    self.names.find_source(package, &call),
                )
            }
            (_, second) => {
                let (package_of, name) = match second {
                    Some(name) => (Some(found[2].to_owned()), name),
                    None => (None, found[2].to_owned()),
                };
                let call = RefCall {
                    package: package_of,
                    name,
                    version: part(4),
                };
                (codes::UNKNOWN_REF, self.names.find_ref(package, &call))
            }
        };
        result.map_err(|error| {
            let test = &self.written.name.value;
            let message = format!("unit test `{test}`: {}", error.message);
            let problem = Diagnostic::error(code, message).at(input.span, "");
            match error.hint {
                Some(hint) => problem.hint(hint),
                None => problem,
            }
        })
    }

    fn fixture(
        &self,
        written: &FixtureProperties,
        what: &str,
        seed: Option<NodeIx>,
    ) -> Result<Fixture, Diagnostic> {
        let rows = match (&written.fixture, &written.rows) {
            (Some(name), _) => self.file_rows(name, written.format, what)?,
            (None, WrittenRows::Dicts(rows)) => records(rows),
            (None, WrittenRows::Text(text)) => {
                let sources = &self.project.sources;
                text_rows(text, written.format, what, sources)?
            }
            (None, WrittenRows::Absent) if seed.is_some() => FixtureRows::SeedFile,
            (None, WrittenRows::Absent) => {
                return Err(Diagnostic::error(
                    codes::UNIT_TEST_FORM,
                    format!("{what} has no rows"),
                )
                .at(written.span, "")
                .hint("add `rows: [...]`, or `rows: []` if there are none"));
            }
        };
        Ok(Fixture {
            span: written.span,
            format: written.format,
            file: written.fixture.as_ref().map(|f| f.value.clone()),
            rows,
        })
    }

    /// The rows of a file under `fixtures/`.
    fn file_rows(
        &self,
        name: &Spanned<String>,
        format: FixtureFormat,
        what: &str,
    ) -> Result<FixtureRows, Diagnostic> {
        let all = &self.package.fixtures;
        let is_of = |file: &&CodeFile, end: &str| {
            file.name == name.value && file.path.to_ascii_lowercase().ends_with(end)
        };
        let end = format!(".{}", format.as_str());
        if let Some(found) = all.iter().find(|file| is_of(file, &end)) {
            let sources = &self.project.sources;
            let text = Spanned {
                value: sources.file(found.file).text.to_string(),
                span: sources.line_span(found.file, 1),
            };
            return text_rows(&text, format, what, sources);
        }
        let other = [FixtureFormat::Csv, FixtureFormat::Sql]
            .into_iter()
            .find(|f| {
                let end = format!(".{}", f.as_str());
                *f != format && all.iter().any(|file| is_of(&file, &end))
            });
        let names = all.iter().map(|file| file.name.as_str());
        let hint = match (other, nearest(&name.value, names)) {
            (Some(other), _) => format!("write `format: {}` beside it", other.as_str()),
            (None, Some(near)) => format!("did you mean `{near}`?"),
            (None, None) => format!(
                "add {}/fixtures/{}.{}",
                self.package
                    .file
                    .paths
                    .tests
                    .first()
                    .map_or("tests", String::as_str),
                name.value,
                match format {
                    FixtureFormat::Dict => "csv",
                    other => other.as_str(),
                }
            ),
        };
        let message = format!(
            "{what} names the fixture `{}`, and there is no such file of format {}",
            name.value,
            format.as_str()
        );
        Err(Diagnostic::error(codes::UNIT_TEST_FORM, message)
            .at(name.span, "")
            .hint(hint))
    }
}

/// Rows with all columns that any of them names. A name that differs from an earlier row's in
/// case alone means the same column, as in dbt.
fn records(rows: &[Spanned<IndexMap<String, Json>>]) -> FixtureRows {
    let mut columns: Vec<String> = Vec::new();
    let mut records = Vec::with_capacity(rows.len());
    for row in rows {
        let mut values = IndexMap::new();
        for (column, value) in &row.value {
            let same = |known: &&String| {
                *known == column
                    || (known.eq_ignore_ascii_case(column) && !row.value.contains_key(*known))
            };
            let known = columns.iter().find(same).cloned();
            let name = known.unwrap_or_else(|| {
                columns.push(column.clone());
                column.clone()
            });
            values.insert(name, value.clone());
        }
        records.push(Record {
            span: row.span,
            values,
        });
    }
    FixtureRows::Records {
        columns,
        rows: records,
    }
}

/// CSV or SQL as rows.
fn text_rows(
    text: &Spanned<String>,
    format: FixtureFormat,
    what: &str,
    sources: &SourceMap,
) -> Result<FixtureRows, Diagnostic> {
    if format == FixtureFormat::Csv {
        return csv_rows(text, what);
    }
    let query = text.value.trim().trim_end_matches(';').trim_end();
    if query.is_empty() {
        return Err(
            Diagnostic::error(codes::UNIT_TEST_FORM, format!("{what} is no query"))
                .at(text.span, "")
                .hint("write a select, for example `select 1 as id`"),
        );
    }
    let file = sources.file(text.span.file);
    Ok(FixtureRows::Query {
        text: Arc::from(query),
        file: text.span.file,
        first_line: file.line_column(text.span.start).0,
    })
}

/// Reads CSV with a header; all values are text, an empty one is null, as dbt has it.
#[expect(clippy::type_complexity, reason = "column names and rows, read once")]
pub fn csv_records(text: &str) -> Result<(Vec<String>, Vec<IndexMap<String, Json>>), String> {
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new().from_reader(text.trim_start().as_bytes());
    let header = reader.headers().map_err(|error| error.to_string())?;
    let columns: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
    if columns.iter().all(String::is_empty) {
        return Err("there is no header".to_owned());
    }
    if let Some(twice) = columns
        .iter()
        .enumerate()
        .find(|(at, name)| columns[..*at].contains(name))
    {
        return Err(format!("the header names `{}` twice", twice.1));
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let value = |text: &str| match text {
            "" => Json::Null,
            text => json!(text),
        };
        let cells = columns.iter().zip(record.iter());
        rows.push(cells.map(|(c, text)| (c.clone(), value(text))).collect());
    }
    Ok((columns, rows))
}

fn csv_rows(text: &Spanned<String>, what: &str) -> Result<FixtureRows, Diagnostic> {
    let (columns, rows) = csv_records(&text.value).map_err(|problem| {
        Diagnostic::error(
            codes::UNIT_TEST_FORM,
            format!("the CSV of {what} cannot be read: {problem}"),
        )
        .at(text.span, "")
        .hint("write a header line, and as many values in each line below it")
    })?;
    let record = |values| Record {
        span: text.span,
        values,
    };
    Ok(FixtureRows::Records {
        columns,
        rows: rows.into_iter().map(record).collect(),
    })
}
