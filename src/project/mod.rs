//! Reads a project's files into [`Project`]: the only place that reads project files.
//!
//! Start at [`read`], then `declarations`; every mistake becomes a diagnostic with its
//! place, and as many as can be found are reported at once.

mod config;
mod config_reader;
mod config_tree;
mod data_tests;
mod declarations;
mod duplicates;
mod files;
mod ingest;
mod keys;
mod node_config;
mod node_values;
mod package;
mod package_list;
mod packages;
mod profile;
mod project_file;
mod properties;
mod render;
mod selectors;
mod sources;
mod threshold;
mod unit_tests;
mod url;
mod vars;
mod versions;
mod yaml;

pub use config::merge_configs;
pub use data_tests::TEST_CONFIG_KEYS;
pub use declarations::*;
pub use ingest::{IngestFile, IngestTable, read_ingest};
pub use node_config::{ConfigOrigin, NodeConfig};
pub use node_values::*;
pub use package_list::{PackageEntry, PackageList, PackageSource, read_package_list};
pub use selectors::{Selector, SelectorCriterion, SelectorDefinition};
pub use threshold::{Share, Threshold};
pub use unit_tests::{
    FixtureFormat, FixtureProperties, GivenProperties, Overrides, UnitTestProperties, WrittenRows,
};
pub use vars::parse_vars;
pub use versions::{ModelVersion, VersionColumns, VersionProperties};

use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::diag::codes::{DUPLICATE_KEY, DUPLICATE_PACKAGE};
use crate::diag::{Diagnostic, FileId, Severity, SourceMap};

use package::Place;
use packages::PackageReader;
use render::Renderer;
use yaml::{Check, Document};

/// What is read, and from where.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// The project's folder.
    pub project_dir: PathBuf,
    /// The folder of `profiles.yml`; without it the project's folder, then `~/.dbt`.
    pub profiles_dir: Option<PathBuf>,
    /// `--profile`.
    pub profile: Option<String>,
    /// `--target`.
    pub target: Option<String>,
    /// `--vars`.
    pub cli_vars: IndexMap<String, Json>,
    /// The environment, as read once at start.
    pub env: Arc<IndexMap<String, String>>,
    /// `--url` or `DATABASE_URL`; no profile is needed then.
    pub url: Option<String>,
    /// `--threads`.
    pub threads: Option<usize>,
}

/// A project that could not be read: everything that is wrong with it.
#[derive(Debug)]
pub struct ReadFailure {
    /// At least one error; warnings among them.
    pub diagnostics: Vec<Diagnostic>,
    /// The files that they point into.
    pub sources: SourceMap,
}

/// Reads the project, its packages and the chosen target.
///
/// Beside the project come warnings. On failure come all diagnostics that could be found.
pub fn read(options: &ReadOptions) -> Result<(Project, Vec<Diagnostic>), ReadFailure> {
    let sources = SourceMap::default();
    let mut check = Check::default();
    let project = read_all(options, &sources, &mut check);
    let diagnostics = check.diagnostics;
    let failed = diagnostics.iter().any(|d| d.severity == Severity::Error);
    match project {
        Some(project) if !failed => Ok((project, diagnostics)),
        _ => Err(ReadFailure {
            diagnostics,
            sources,
        }),
    }
}

fn read_all(options: &ReadOptions, sources: &SourceMap, check: &mut Check) -> Option<Project> {
    let root = match std::path::absolute(&options.project_dir) {
        Ok(root) => root,
        Err(_) => options.project_dir.clone(),
    };
    let options = &ReadOptions {
        project_dir: root.clone(),
        ..options.clone()
    };
    let Some(path) = project_file::find(&root) else {
        check.push(project_file::not_found(&root));
        return None;
    };
    let (file, document) = load_yaml(&path, &shown_in(&root, &path), sources, check)?;
    check.strict = is_ours(&path);
    report_duplicate_keys(&document, check);
    let mut renderer = Renderer {
        env: options.env.clone(),
        vars: Arc::new(options.cli_vars.clone()),
        target: Json::Null,
        secrets: false,
    };
    let head = project_file::head(&document, &renderer);
    let target = profile::read(options, head.profile.as_ref(), sources, check);
    renderer.target = target.as_ref().map_or(Json::Null, Target::variable);
    let project_file = project_file::read(file, &document, &renderer, check)?;
    let selectors = read_selectors(&root, &renderer, sources, check);
    let installed = PackageReader {
        options,
        renderer: &renderer,
        sources,
    }
    .read(&project_file, check);
    let place = Place {
        root: root.clone(),
        shown: PathBuf::new(),
    };
    renderer.vars = Arc::new(package_vars(&project_file, None, options));
    let root_package = package::read(&place, project_file, &renderer, sources, check);
    let mut packages = vec![root_package];
    packages.extend(installed);
    check_names(&packages, check);
    Some(Project {
        root,
        packages,
        selectors,
        target: target?,
        sources: sources.clone(),
    })
}

fn read_selectors(
    root: &Path,
    renderer: &Renderer,
    sources: &SourceMap,
    check: &mut Check,
) -> Vec<Selector> {
    let path = root.join("selectors.yml");
    if !path.is_file() {
        return Vec::new();
    }
    match load_yaml(&path, Path::new("selectors.yml"), sources, check) {
        Some((_, document)) => {
            report_duplicate_keys(&document, check);
            selectors::read(&document, renderer, check)
        }
        None => Vec::new(),
    }
}

/// What is there twice: packages of one name, and descriptions within each.
fn check_names(packages: &[Package], check: &mut Check) {
    for (index, package) in packages.iter().enumerate() {
        duplicates::check(package, check);
        if let Some(first) = packages[..index].iter().find(|p| p.name == package.name) {
            check.push(
                Diagnostic::error(
                    DUPLICATE_PACKAGE,
                    format!("two packages are called `{}`", package.name),
                )
                .at(package.file.name.span, "")
                .at(first.file.name.span, "the first one")
                .hint("remove one of them from packages.yml, or rename it"),
            );
        }
    }
}

fn is_ours(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name == project_file::FILE_NAMES[0])
}

fn shown_in(root: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(root).unwrap_or(path).to_owned()
}

/// Reads and parses a YAML file.
fn load_yaml(
    path: &Path,
    shown: &Path,
    sources: &SourceMap,
    check: &mut Check,
) -> Option<(FileId, Document)> {
    let text = match files::read_text(path, shown) {
        Ok(text) => text,
        Err(diagnostic) => {
            check.push(diagnostic);
            return None;
        }
    };
    let file = sources.add(shown, text.clone());
    match yaml::parse(file, &text) {
        Ok(document) => Some((file, document)),
        Err(diagnostic) => {
            check.push(diagnostic);
            None
        }
    }
}

/// Says which keys were written twice.
fn report_duplicate_keys(document: &Document, check: &mut Check) {
    for duplicate in &document.duplicates {
        let diagnostic = check
            .lint(
                DUPLICATE_KEY,
                format!("the key `{}` is written twice", duplicate.key),
            )
            .at(duplicate.second, "this one counts")
            .at(duplicate.first, "this one is lost")
            .hint("join the two, or remove one");
        check.push(diagnostic);
    }
}

/// The vars that a package's property files see: its own, the root's for it, the command
/// line's; the later win.
fn package_vars(
    file: &ProjectFile,
    root: Option<&ProjectFile>,
    options: &ReadOptions,
) -> IndexMap<String, Json> {
    let mut vars = IndexMap::new();
    let name = file.name.value.as_str();
    for owner in [Some(file), root].into_iter().flatten() {
        for (key, value) in &owner.vars {
            if key != name {
                vars.insert(key.clone(), value.clone());
            }
        }
        if let Some(Json::Object(own)) = owner.vars.get(name) {
            vars.extend(own.iter().map(|(k, v)| (k.clone(), v.clone())));
        }
    }
    vars.extend(options.cli_vars.iter().map(|(k, v)| (k.clone(), v.clone())));
    vars
}
