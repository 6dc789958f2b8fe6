//! Which packages a project has: what lies in its install folder, and the local ones that
//! `packages.yml` names and that were not installed.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value as Json;

use crate::diag::codes::{PACKAGE_ENTRY, PACKAGE_MISSING, PACKAGE_PATH};
use crate::diag::{Diagnostic, Severity, SourceMap, Span};

use super::declarations::{Package, ProjectFile};
use super::package::Place;
use super::project_file::find;
use super::render::Renderer;
use super::yaml::{Check, Document, Fields, Node};
use super::{ReadOptions, load_yaml, package, package_vars, project_file, report_duplicate_keys};

/// Files that list packages, in the order in which they are looked for.
pub(super) const LISTS: [&str; 2] = ["packages.yml", "dependencies.yml"];
/// Where packages are installed unless the project says otherwise.
pub(super) const INSTALL_PATH: &str = "dbt_packages";

/// What every package is read with.
pub(crate) struct PackageReader<'a> {
    /// The options of this read.
    pub(crate) options: &'a ReadOptions,
    /// Renders the root project's YAML; its vars are replaced for each package.
    pub(crate) renderer: &'a Renderer,
    /// Every file that was read.
    pub(crate) sources: &'a SourceMap,
}

impl PackageReader<'_> {
    /// All packages of a root project, in order of their folders' names.
    pub(crate) fn read(&self, root: &ProjectFile, check: &mut Check) -> Vec<Package> {
        let folder = &self.options.project_dir;
        let install = install_path(root);
        let mut places = installed(folder, &install);
        let wanted = self.wanted(folder, check);
        self.add_local(folder, &wanted, &mut places, check);
        let mut packages: Vec<Package> = Vec::new();
        for place in &places {
            packages.extend(self.package(place, root, check));
        }
        if !check
            .diagnostics
            .iter()
            .any(|d| d.severity == Severity::Error)
        {
            report_missing(&wanted, &packages, &install, check);
        }
        packages
    }

    fn package(&self, place: &Place, root: &ProjectFile, check: &mut Check) -> Option<Package> {
        let path = find(&place.root)?;
        let shown = place.shown.join(path.file_name()?);
        let mut own = Check::new(false);
        let package = self.read_package(place, &path, &shown, root, &mut own);
        // A package's author can heed its warnings; its user can not.
        check.diagnostics.extend(
            own.diagnostics
                .into_iter()
                .filter(|d| d.severity == Severity::Error),
        );
        package
    }

    fn read_package(
        &self,
        place: &Place,
        path: &Path,
        shown: &Path,
        root: &ProjectFile,
        check: &mut Check,
    ) -> Option<Package> {
        let (file, document) = load_yaml(path, shown, self.sources, check)?;
        report_duplicate_keys(&document, check);
        let mut renderer = self.renderer.clone();
        renderer.vars = Arc::new(self.options.cli_vars.clone());
        let project_file = project_file::read(file, &document, &renderer, check)?;
        renderer.vars = Arc::new(package_vars(&project_file, Some(root), self.options));
        Some(package::read(
            place,
            project_file,
            &renderer,
            self.sources,
            check,
        ))
    }

    /// The entries of a folder's package list.
    fn wanted(&self, folder: &Path, check: &mut Check) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        for name in LISTS {
            let path = folder.join(name);
            if !path.is_file() {
                continue;
            }
            let shown = self.shown(&path);
            if let Some((_, document)) = load_yaml(&path, &shown, self.sources, check) {
                self.entries(&document, &mut wanted, check);
            }
        }
        wanted
    }

    fn entries(&self, document: &Document, wanted: &mut Vec<Wanted>, check: &mut Check) {
        let renderer = Renderer {
            vars: Arc::new(self.options.cli_vars.clone()),
            secrets: true,
            ..self.renderer.clone()
        };
        let Some(mut fields) = Fields::of(&document.root, "the package list", check) else {
            return;
        };
        for item in fields.list("packages", check) {
            match entry(item, &renderer, check) {
                Some(found) => wanted.push(found),
                None => check.push(bad_entry(item)),
            }
        }
    }

    /// Adds local packages that are not installed yet, and theirs.
    fn add_local(
        &self,
        folder: &Path,
        wanted: &[Wanted],
        places: &mut Vec<Place>,
        check: &mut Check,
    ) {
        let mut seen: HashSet<PathBuf> = places.iter().map(|p| real(&p.root)).collect();
        seen.insert(real(folder));
        // What is installed stands, wherever the list says that it came from.
        let installed: HashSet<String> = places
            .iter()
            .flat_map(|p| [folder_name(&p.root), self.name(&p.root)])
            .flatten()
            .collect();
        let complete = places.len() >= wanted.len();
        let mut queue: Vec<(PathBuf, Wanted)> = wanted
            .iter()
            .map(|w| (folder.to_owned(), w.clone()))
            .collect();
        while let Some((base, entry)) = queue.pop() {
            let Source::Local(path) = &entry.source else {
                continue;
            };
            let root = base.join(path);
            if find(&root).is_none() {
                if complete {
                    continue;
                }
                check.push(missing_folder(path, entry.span, &root));
                continue;
            }
            let known = !seen.insert(real(&root));
            let package = self.name(&root).or_else(|| folder_name(&root));
            if known || package.is_some_and(|name| installed.contains(&name)) {
                continue;
            }
            let below = self.wanted(&root, check);
            queue.extend(below.into_iter().map(|w| (root.clone(), w)));
            places.push(Place {
                shown: self.shown(&root),
                root,
            });
        }
    }

    /// The name in a folder's project file; mistakes in the file are told when it is read.
    fn name(&self, root: &Path) -> Option<String> {
        let path = find(root)?;
        let (_, document) = load_yaml(
            &path,
            &self.shown(&path),
            self.sources,
            &mut Check::new(false),
        )?;
        document.root.get("name")?.as_str().map(str::to_owned)
    }

    fn shown(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.options.project_dir)
            .unwrap_or(path)
            .to_owned()
    }
}

/// An entry of a package list.
#[derive(Clone, Debug)]
struct Wanted {
    source: Source,
    span: Span,
}

#[derive(Clone, Debug)]
enum Source {
    Local(String),
    /// From the hub, git or an archive: the folder's name where it can be told.
    Remote(Option<String>),
}

fn entry(node: &Node, renderer: &Renderer, check: &mut Check) -> Option<Wanted> {
    let key = ["local", "package", "git", "tarball", "private"]
        .into_iter()
        .find(|key| node.get(key).is_some())?;
    let value = renderer.json(node.get(key)?, check);
    let text = value.as_str()?;
    let span = node.get(key)?.span;
    let last = |text: &str| {
        text.trim_end_matches('/')
            .rsplit(['/', ':'])
            .next()
            .map(|name| name.trim_end_matches(".git").to_owned())
    };
    let source = match key {
        "local" => Source::Local(text.to_owned()),
        "package" => Source::Remote(last(text)),
        "tarball" => {
            let name = node.get("name").map(|n| renderer.json(n, check));
            Source::Remote(name.as_ref().and_then(Json::as_str).map(str::to_owned))
        }
        _ => Source::Remote(None),
    };
    Some(Wanted { source, span })
}

pub(super) fn bad_entry(node: &Node) -> Diagnostic {
    let span = node
        .as_mapping()
        .and_then(|entries| entries.first())
        .map_or(node.span, |(key, _)| key.span);
    Diagnostic::error(
        PACKAGE_ENTRY,
        "an entry of `packages` does not say where the package is",
    )
    .at(span, "expected package, git, tarball or local")
    .hint("write for example `- local: ../shared` or `- package: dbt-labs/dbt_utils`")
}

fn missing_folder(path: &str, span: Span, root: &Path) -> Diagnostic {
    let reason = if root.is_dir() {
        "has no project file"
    } else {
        "does not exist"
    };
    Diagnostic::error(PACKAGE_PATH, format!("the local package `{path}` {reason}"))
        .at(span, "")
        .hint("give the folder that holds its dbt_project.yml, seen from this file")
}

/// Packages of a list that are not there.
fn report_missing(wanted: &[Wanted], packages: &[Package], install: &str, check: &mut Check) {
    let is_there = |name: &str| {
        packages
            .iter()
            .any(|p| p.name == name || folder_name(&p.root).as_deref() == Some(name))
    };
    let unnamed = wanted
        .iter()
        .any(|w| matches!(w.source, Source::Remote(None)));
    for entry in wanted {
        let Source::Remote(name) = &entry.source else {
            continue;
        };
        let missing = match name {
            Some(name) => !is_there(name) && (!unnamed || packages.len() < wanted.len()),
            None => packages.len() < wanted.len(),
        };
        if missing {
            let what = name
                .as_deref()
                .map_or("a package".to_owned(), |n| format!("package `{n}`"));
            check.push(
                Diagnostic::error(
                    PACKAGE_MISSING,
                    format!("{what} is not installed in {install}"),
                )
                .at(entry.span, "listed here")
                .hint("install it with `marts deps`, or put its folder there"),
            );
        }
    }
}

fn install_path(root: &ProjectFile) -> String {
    root.other
        .get("packages-install-path")
        .and_then(Json::as_str)
        .unwrap_or(INSTALL_PATH)
        .to_owned()
}

/// Every folder with a project file below the install folder, sorted.
fn installed(folder: &Path, install: &str) -> Vec<Place> {
    let mut places = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder.join(install)) else {
        return places;
    };
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    for name in names {
        let root = folder.join(install).join(&name);
        if !name.to_string_lossy().starts_with(['.', '_']) && find(&root).is_some() {
            places.push(Place {
                root,
                shown: Path::new(install).join(&name),
            });
        }
    }
    places
}

fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn folder_name(path: &Path) -> Option<String> {
    real(path)
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
}
