//! `project.yml` or `dbt_project.yml`: found, checked and turned into a [`ProjectFile`].
//!
//! Jinja is rendered in every value but vars, hooks and `query-comment`, as in dbt.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::diag::codes::{PROJECT_NAME, PROJECT_NOT_FOUND, RENAMED_KEY, WRONG_TYPE};
use crate::diag::{Diagnostic, FileId, Spanned};

use super::config_tree::{join_trees, parse_tree};
use super::declarations::{ConfigTrees, ProjectFile, ResourcePaths};
use super::keys;
use super::node_values::Publish;
use super::render::Renderer;
use super::yaml::{Check, Document, Fields, Node, Yaml};

/// Our own file name, then dbt's.
pub(crate) const FILE_NAMES: [&str; 2] = ["project.yml", "dbt_project.yml"];

/// The project file of a folder.
pub(crate) fn find(folder: &Path) -> Option<PathBuf> {
    FILE_NAMES
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
}

/// The message for a folder without a project file.
pub(crate) fn not_found(folder: &Path) -> Diagnostic {
    let diagnostic = Diagnostic::error(
        PROJECT_NOT_FOUND,
        format!("no project.yml or dbt_project.yml in {}", folder.display()),
    );
    let above = folder
        .ancestors()
        .skip(1)
        .find(|ancestor| find(ancestor).is_some());
    match above {
        Some(above) => diagnostic.hint(format!(
            "there is one in {}: go there, or give --project-dir",
            above.display()
        )),
        None => diagnostic.hint("go to a project's folder, or give --project-dir"),
    }
}

/// What is needed before a target is known: the name and the profile.
pub(crate) struct Head {
    /// `profile`, rendered.
    pub(crate) profile: Option<Spanned<String>>,
}

/// Reads the keys that choose the profile.
pub(crate) fn head(document: &Document, renderer: &Renderer) -> Head {
    let mut silent = Check::default();
    let profile = document.root.get("profile").and_then(|node| {
        let text = node.as_str()?.to_owned();
        let span = node.span;
        let value = renderer.text(Spanned { value: text, span }, &mut silent)?;
        Some(Spanned { value, span })
    });
    Head { profile }
}

/// Checks the whole file. `None` when it is no mapping or has no name.
pub(crate) fn read(
    file: FileId,
    document: &Document,
    renderer: &Renderer,
    check: &mut Check,
) -> Option<ProjectFile> {
    let is_marts = check.strict;
    let mut fields = Fields::of(&document.root, "the project file", check)?;
    let name = fields.required_text("name", check)?;
    check_name(&name, check);
    let version = fields.text("version", check).map(|v| v.value);
    let profile = fields.text("profile", check);
    let paths = resource_paths(&mut fields, renderer, check);
    let target_path =
        path(&mut fields, "target-path", renderer, check).unwrap_or_else(|| "target".to_owned());
    let clean_targets = paths_of(&mut fields, "clean-targets", renderer, check)
        .unwrap_or_else(|| vec![target_path.clone()]);
    let configs = trees(&mut fields, renderer, check);
    let vars = json_map(&mut fields, "vars", check);
    let quoting = quoting(&mut fields, renderer, check);
    let dispatch = dispatch(&mut fields, check);
    let on_run_start = fields.texts("on-run-start", check).unwrap_or_default();
    let on_run_end = fields.texts("on-run-end", check).unwrap_or_default();
    let query_comment = fields.take("query-comment").map(Node::to_json);
    let ledger = fields.boolean("ledger", check).unwrap_or(is_marts);
    let sensitive_columns = patterns(&mut fields, "sensitive_columns", check);
    let flags = rendered_map(&mut fields, "flags", renderer, check);
    let publish = publish(&mut fields, renderer, check);
    let other = fields.rest_known(keys::PROJECT, check);
    Some(ProjectFile {
        file,
        is_marts,
        name,
        version,
        profile,
        paths,
        target_path,
        clean_targets,
        configs,
        vars,
        quoting,
        dispatch,
        on_run_start,
        on_run_end,
        query_comment,
        publish,
        ledger,
        sensitive_columns,
        flags,
        other,
    })
}

fn publish(fields: &mut Fields<'_>, renderer: &Renderer, check: &mut Check) -> Option<Publish> {
    let node = fields.take("publish")?;
    let word = node.as_str().and_then(|text| {
        let (value, span) = (text.to_owned(), node.span);
        renderer.text(Spanned { value, span }, check)
    });
    let found = Publish::ALL
        .iter()
        .find(|(known, _)| Some(*known) == word.as_deref());
    if found.is_none() {
        let expected = "immediate, audited or together";
        check.wrong_type("the project file", "publish", node, expected);
    }
    found.map(|(_, publish)| *publish)
}

fn check_name(name: &Spanned<String>, check: &mut Check) {
    let fine = name
        .value
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.value.starts_with(|c: char| c.is_ascii_digit());
    if !fine {
        let better: String = name
            .value
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .collect();
        check.push(
            Diagnostic::error(
                PROJECT_NAME,
                format!("`{}` cannot be a project's name", name.value),
            )
            .at(name.span, "letters, digits and _ only")
            .hint(format!(
                "write `name: {}`",
                better.trim_start_matches(|c: char| c.is_ascii_digit())
            )),
        );
    }
}

/// Keys that dbt renamed, by their new names.
const RENAMED: [(&str, &str); 2] = [
    ("source-paths", "model-paths"),
    ("data-paths", "seed-paths"),
];

/// The paths under a key's older name, which dbt still reads; a project of our own has no older names.
fn renamed(
    fields: &mut Fields<'_>,
    new: &str,
    renderer: &Renderer,
    check: &mut Check,
) -> Option<Vec<String>> {
    let (old, _) = RENAMED.iter().find(|(_, now)| *now == new)?;
    let (key, node) = fields.take_entry(old)?;
    let told = format!("`{old}` is now called `{new}`");
    let report = match check.strict {
        true => Diagnostic::error(RENAMED_KEY, told),
        false => Diagnostic::warning(RENAMED_KEY, told),
    };
    check.push(
        report
            .at(key.span, "")
            .hint(format!("rename the key to `{new}`")),
    );
    let texts = match &node.value {
        Yaml::Sequence(items) => items.iter().filter_map(Node::as_str).collect(),
        _ => Vec::from_iter(node.as_str()),
    };
    let rendered = texts.into_iter().filter_map(|text| {
        let (value, span) = (text.to_owned(), node.span);
        renderer.text(Spanned { value, span }, check)
    });
    Some(rendered.collect())
}

fn resource_paths(
    fields: &mut Fields<'_>,
    renderer: &Renderer,
    check: &mut Check,
) -> ResourcePaths {
    let mut folder = |key: &str, default: &str| {
        let older = renamed(fields, key, renderer, check);
        paths_of(fields, key, renderer, check)
            .or(older)
            .unwrap_or_else(|| vec![default.to_owned()])
    };
    let models = folder("model-paths", "models");
    let seeds = folder("seed-paths", "seeds");
    let tests = folder("test-paths", "tests");
    let snapshots = folder("snapshot-paths", "snapshots");
    let analyses = folder("analysis-paths", "analyses");
    let macros = folder("macro-paths", "macros");
    let functions = folder("function-paths", "functions");
    let docs = paths_of(fields, "docs-paths", renderer, check).unwrap_or_default();
    ResourcePaths {
        models,
        seeds,
        tests,
        snapshots,
        analyses,
        macros,
        functions,
        docs,
    }
}

fn path(
    fields: &mut Fields<'_>,
    key: &str,
    renderer: &Renderer,
    check: &mut Check,
) -> Option<String> {
    let text = fields.text(key, check)?;
    renderer.text(text, check)
}

fn paths_of(
    fields: &mut Fields<'_>,
    key: &str,
    renderer: &Renderer,
    check: &mut Check,
) -> Option<Vec<String>> {
    let texts = fields.texts(key, check)?;
    Some(
        texts
            .into_iter()
            .filter_map(|text| renderer.text(text, check))
            .collect(),
    )
}

fn trees(fields: &mut Fields<'_>, renderer: &Renderer, check: &mut Check) -> ConfigTrees {
    let mut tree = |key: &str| match fields.take(key) {
        Some(node) => parse_tree(key, node, renderer, check),
        None => super::ConfigTree::default(),
    };
    let models = tree("models");
    let seeds = tree("seeds");
    let snapshots = tree("snapshots");
    let sources = tree("sources");
    let unit_tests = tree("unit_tests");
    let functions = tree("functions");
    let mut tests = tree("data_tests");
    // `tests:` is the older name of the same tree.
    join_trees(&mut tests, tree("tests"));
    let mut other = IndexMap::new();
    for key in keys::OTHER_TREES {
        if let Some(node) = fields.take(key) {
            other.insert((*key).to_owned(), renderer.json(node, check));
        }
    }
    ConfigTrees {
        models,
        seeds,
        snapshots,
        tests,
        sources,
        unit_tests,
        functions,
        other,
    }
}

/// Patterns of names, such as `*email*`.
fn patterns(fields: &mut Fields<'_>, key: &str, check: &mut Check) -> Vec<Spanned<String>> {
    let patterns = fields.texts(key, check).unwrap_or_default();
    for pattern in &patterns {
        if let Err(error) = globset::Glob::new(&pattern.value) {
            check.push(
                Diagnostic::error(
                    WRONG_TYPE,
                    format!("`{}` of `{key}` is no pattern of names", pattern.value),
                )
                .at(pattern.span, error.kind().to_string())
                .hint("write names with `*` for any letters, such as \"*email*\""),
            );
        }
    }
    patterns
}

fn json_map(fields: &mut Fields<'_>, key: &str, check: &mut Check) -> IndexMap<String, Json> {
    fields
        .mapping(key, check)
        .into_iter()
        .flatten()
        .map(|(name, node)| (name.value.clone(), node.to_json()))
        .collect()
}

fn rendered_map(
    fields: &mut Fields<'_>,
    key: &str,
    renderer: &Renderer,
    check: &mut Check,
) -> IndexMap<String, Json> {
    let mut map = IndexMap::new();
    for (name, node) in fields.mapping(key, check).into_iter().flatten() {
        map.insert(name.value.clone(), renderer.json(node, check));
    }
    map
}

/// `quoting:`, rendered; as it stands in the project file and with sources.
pub(crate) fn quoting(
    fields: &mut Fields<'_>,
    renderer: &Renderer,
    check: &mut Check,
) -> IndexMap<String, bool> {
    let mut quoting = IndexMap::new();
    for (name, node) in fields.mapping("quoting", check).into_iter().flatten() {
        match renderer.json(node, check) {
            Json::Bool(value) => {
                if !keys::QUOTING.contains(&name.value.as_str()) {
                    super::yaml::unknown_key("`quoting`", name, keys::QUOTING, check);
                }
                quoting.insert(name.value.clone(), value);
            }
            Json::Null => {}
            _ => check.wrong_type("`quoting`", &name.value, node, "true or false"),
        }
    }
    quoting
}

fn dispatch(fields: &mut Fields<'_>, check: &mut Check) -> IndexMap<String, Vec<String>> {
    let mut dispatch = IndexMap::new();
    for item in fields.list("dispatch", check) {
        let Some(mut entry) = Fields::of(item, "an entry of `dispatch`", check) else {
            continue;
        };
        let namespace = entry.required_text("macro_namespace", check);
        let order = entry.texts("search_order", check).unwrap_or_default();
        entry.rest_known(&["macro_namespace", "search_order"], check);
        if let Some(namespace) = namespace {
            let order = order.into_iter().map(|text| text.value).collect();
            dispatch.insert(namespace.value, order);
        }
    }
    dispatch
}
