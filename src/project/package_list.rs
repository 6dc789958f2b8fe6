//! What a folder's `packages.yml` and `dependencies.yml` ask for, for those who fetch it.

mod hash;

use std::path::Path;
use std::sync::Arc;

use serde_json::Value as Json;

use super::packages::{INSTALL_PATH, LISTS, bad_entry};
use super::render::Renderer;
use super::yaml::{Check, Fields, Node};
use super::{ReadFailure, ReadOptions, load_yaml, project_file};
use crate::diag::{Severity, SourceMap, Span};

/// A package that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct PackageEntry {
    /// Where it comes from.
    pub source: PackageSource,
    /// Where it is asked for.
    pub span: Span,
}

/// Where a package comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PackageSource {
    /// A folder, seen from the file that names it.
    Local(String),
    /// The hub: `namespace/name` and what its version must fulfil, for example `>=1.0.0`.
    Hub {
        /// `namespace/name`.
        package: String,
        /// Conditions; none means any version.
        versions: Vec<String>,
        /// Whether versions such as `1.0.0-rc1` count.
        prerelease: bool,
    },
    /// A git repository.
    Git {
        /// Its URL.
        url: String,
        /// A branch, tag or commit.
        revision: Option<String>,
        /// The folder in it that has the project.
        subdirectory: Option<String>,
    },
    /// An archive.
    Tarball {
        /// Its URL.
        url: String,
        /// The package's name.
        name: String,
    },
}

/// All that a folder asks for.
#[derive(Debug)]
pub struct PackageList {
    /// In order.
    pub entries: Vec<PackageEntry>,
    /// The folder into which packages are put.
    pub install_path: String,
    /// The name of the folder's own project.
    pub name: Option<String>,
    /// dbt's hash of the entries, by which it knows that they changed.
    pub sha1_hash: String,
    /// The files.
    pub sources: SourceMap,
}

/// Reads the lists of a folder.
pub fn read_package_list(folder: &Path, options: &ReadOptions) -> Result<PackageList, ReadFailure> {
    let sources = SourceMap::default();
    let mut check = Check::new(false);
    let renderer = Renderer {
        env: Arc::clone(&options.env),
        vars: Arc::new(options.cli_vars.clone()),
        target: Json::Null,
        secrets: true,
    };
    let mut list = PackageList {
        entries: Vec::new(),
        install_path: INSTALL_PATH.to_owned(),
        name: None,
        sha1_hash: String::new(),
        sources: sources.clone(),
    };
    if let Some(path) = project_file::find(folder)
        && let Some((_, document)) = load_yaml(&path, &path, &sources, &mut check)
    {
        let text = |key: &str| document.root.get(key)?.as_str().map(str::to_owned);
        list.name = text("name");
        if let Some(path) = text("packages-install-path") {
            list.install_path = path;
        }
    }
    let mut texts = Vec::new();
    for name in LISTS {
        let path = folder.join(name);
        let shown = path.strip_prefix(&options.project_dir).unwrap_or(&path);
        if !path.is_file() {
            continue;
        }
        let Some((_, document)) = load_yaml(&path, shown, &sources, &mut check) else {
            continue;
        };
        let Some(mut fields) = Fields::of(&document.root, "the package list", &mut check) else {
            continue;
        };
        for item in fields.list("packages", &mut check) {
            texts.extend(hash::text(&item.to_json(), &renderer.json_or_raw(item)));
            match entry(item, &renderer, &mut check) {
                Some(entry) => list.entries.push(entry),
                None => check.push(bad_entry(item)),
            }
        }
    }
    list.sha1_hash = hash::of(texts);
    let diagnostics = check.diagnostics;
    match diagnostics.iter().any(|d| d.severity == Severity::Error) {
        true => Err(ReadFailure {
            diagnostics,
            sources,
        }),
        false => Ok(list),
    }
}

fn entry(node: &Node, renderer: &Renderer, check: &mut Check) -> Option<PackageEntry> {
    let mut get = |key: &str| node.get(key).map(|value| renderer.json(value, check));
    let text = |value: Option<Json>| value.and_then(|v| v.as_str().map(str::to_owned));
    let key = ["local", "package", "git", "tarball"];
    let key = key.into_iter().find(|key| node.get(key).is_some())?;
    let value = text(get(key))?;
    let source = match key {
        "local" => PackageSource::Local(value),
        "package" => PackageSource::Hub {
            package: value,
            versions: match get("version") {
                None | Some(Json::Null) => Vec::new(),
                Some(Json::Array(list)) => list.iter().map(plain).collect(),
                Some(one) => vec![plain(&one)],
            },
            prerelease: get("install_prerelease").or(get("install-prerelease"))
                == Some(Json::Bool(true)),
        },
        "git" => PackageSource::Git {
            url: value,
            revision: get("revision").as_ref().map(plain),
            subdirectory: text(get("subdirectory")),
        },
        _ => PackageSource::Tarball {
            url: value,
            name: text(get("name"))?,
        },
    };
    Some(PackageEntry {
        source,
        span: node.get(key)?.span,
    })
}

fn plain(value: &Json) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
