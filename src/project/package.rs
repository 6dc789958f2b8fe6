//! One package: its files found, read and sorted by kind, its property files parsed on all
//! cores.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::diag::{Diagnostic, FileId, SourceMap};

use super::declarations::{CodeFile, Package, ProjectFile, Properties, SeedFile};
use super::files::{Found, Walker, read_texts};
use super::properties::{self, Context};
use super::render::Renderer;
use super::yaml::{self, Check};

/// Where a package lies.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Its folder, absolute.
    pub(crate) root: PathBuf,
    /// What its paths begin with when they are shown: empty, or `dbt_packages/x`.
    pub(crate) shown: PathBuf,
}

/// Reads everything below the folders that the project file names.
pub(crate) fn read(
    place: &Place,
    file: ProjectFile,
    renderer: &Renderer,
    sources: &SourceMap,
    check: &mut Check,
) -> Package {
    let listing = Listing::of(place, &file, check);
    let texts = read_texts(&listing.paths(place), sources);
    let mut ids = Vec::with_capacity(texts.len());
    for text in texts {
        match text {
            Ok(id) => ids.push(Some(id)),
            Err(diagnostic) => {
                check.push(diagnostic);
                ids.push(None);
            }
        }
    }
    let name = file.name.value.clone();
    let mut package = Package {
        name,
        root: place.root.clone(),
        file,
        models: Vec::new(),
        seeds: listing.seeds,
        snapshots: Vec::new(),
        analyses: Vec::new(),
        functions: Vec::new(),
        singular_tests: Vec::new(),
        macros: Vec::new(),
        fixtures: Vec::new(),
        docs: Vec::new(),
        properties: Properties::default(),
    };
    let mut property_files = Vec::new();
    for ((role, found), id) in listing.texts.into_iter().zip(ids) {
        let Some(file) = id else { continue };
        let code = CodeFile {
            name: found.name,
            path: found.path,
            base: found.base,
            file,
        };
        match role {
            Role::Model => package.models.push(code),
            Role::Snapshot => package.snapshots.push(code),
            Role::Analysis => package.analyses.push(code),
            Role::Function => package.functions.push(code),
            Role::SingularTest => package.singular_tests.push(code),
            Role::Macro => package.macros.push(code),
            Role::Fixture => package.fixtures.push(code),
            Role::Docs => package.docs.push(code),
            Role::Properties => property_files.push((code.path, file)),
        }
    }
    read_properties(
        &property_files,
        renderer,
        sources,
        &mut package.properties,
        check,
    );
    super::versions::expand(&mut package, check);
    package
}

fn read_properties(
    files: &[(String, FileId)],
    renderer: &Renderer,
    sources: &SourceMap,
    into: &mut Properties,
    check: &mut Check,
) {
    let strict = check.strict;
    let parts: Vec<(Properties, Vec<Diagnostic>)> = files
        .par_iter()
        .map(|(path, file)| {
            let mut properties = Properties::default();
            let mut check = Check::new(strict);
            let text = sources.file(*file).text.clone();
            match yaml::parse(*file, &text) {
                Ok(document) => {
                    super::report_duplicate_keys(&document, &mut check);
                    let context = Context { path, renderer };
                    properties::read(&document, &context, &mut properties, &mut check);
                }
                Err(diagnostic) => check.push(diagnostic),
            }
            (properties, check.diagnostics)
        })
        .collect();
    for (part, diagnostics) in parts {
        into.models.extend(part.models);
        into.seeds.extend(part.seeds);
        into.snapshots.extend(part.snapshots);
        into.analyses.extend(part.analyses);
        into.macros.extend(part.macros);
        into.functions.extend(part.functions);
        into.singular_tests.extend(part.singular_tests);
        into.sources.extend(part.sources);
        into.unit_tests.extend(part.unit_tests);
        into.other.extend(part.other);
        check.diagnostics.extend(diagnostics);
    }
}

/// What a text file is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Model,
    Snapshot,
    Analysis,
    Function,
    SingularTest,
    Macro,
    Fixture,
    Docs,
    Properties,
}

/// The files of a package by what they are read for.
struct Listing {
    texts: Vec<(Role, Found)>,
    seeds: Vec<SeedFile>,
}

impl Listing {
    fn of(place: &Place, file: &ProjectFile, check: &mut Check) -> Self {
        let mut walker = Walker::new(&place.root);
        let mut listing = Self {
            texts: Vec::new(),
            seeds: Vec::new(),
        };
        let paths = &file.paths;
        let kinds: [(&[String], Kind); 7] = [
            (&paths.models, Kind::Models),
            (&paths.seeds, Kind::Seeds),
            (&paths.snapshots, Kind::Snapshots),
            (&paths.analyses, Kind::Analyses),
            (&paths.macros, Kind::Macros),
            (&paths.functions, Kind::Functions),
            (&paths.tests, Kind::Tests),
        ];
        let mut bases: Vec<(&str, Vec<Kind>)> = Vec::new();
        for (folders, kind) in kinds {
            for folder in folders {
                match bases.iter_mut().find(|(base, _)| base == folder) {
                    Some((_, kinds)) => kinds.push(kind),
                    None => bases.push((folder, vec![kind])),
                }
            }
        }
        for folder in &paths.docs {
            match bases.iter_mut().find(|(base, _)| base == folder) {
                Some((_, kinds)) => kinds.push(Kind::Docs),
                None => bases.push((folder, vec![Kind::Docs])),
            }
        }
        let docs_everywhere = paths.docs.is_empty();
        for (base, kinds) in bases {
            for found in walker.files(base) {
                listing.sort_in(found, &kinds, docs_everywhere);
            }
        }
        for mut diagnostic in walker.diagnostics {
            diagnostic.file = diagnostic.file.map(|file| place.shown.join(file));
            check.push(diagnostic);
        }
        listing
    }

    fn sort_in(&mut self, found: Found, kinds: &[Kind], docs_everywhere: bool) {
        match found.extension.as_str() {
            "sql" => {
                for kind in kinds {
                    if let Some(role) = kind.role_of_sql(&found) {
                        self.texts.push((role, found.clone()));
                    }
                }
            }
            "yml" | "yaml" if kinds.iter().any(|kind| *kind != Kind::Docs) => {
                self.texts.push((Role::Properties, found));
            }
            "md" if docs_everywhere || kinds.contains(&Kind::Docs) => {
                self.texts.push((Role::Docs, found));
            }
            "csv" if kinds.contains(&Kind::Tests) && found.path.contains("/fixtures/") => {
                self.texts.push((Role::Fixture, found));
            }
            "csv" if kinds.contains(&Kind::Seeds) => self.seeds.push(SeedFile {
                name: found.name,
                path: found.path,
                base: found.base,
                absolute: found.absolute,
            }),
            _ => {}
        }
    }

    /// Where each text is, and under which path it is shown.
    fn paths(&self, place: &Place) -> Vec<(PathBuf, PathBuf)> {
        self.texts
            .iter()
            .map(|(_, found)| (found.absolute.clone(), shown(place, &found.path)))
            .collect()
    }
}

fn shown(place: &Place, path: &str) -> PathBuf {
    if place.shown.as_os_str().is_empty() {
        PathBuf::from(path)
    } else {
        place.shown.join(Path::new(path))
    }
}

/// What a folder is listed for in the project file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Models,
    Seeds,
    Snapshots,
    Analyses,
    Macros,
    Functions,
    Tests,
    Docs,
}

impl Kind {
    fn role_of_sql(self, found: &Found) -> Option<Role> {
        let below = found.path[found.base.len()..].trim_start_matches('/');
        match self {
            Self::Models => Some(Role::Model),
            Self::Snapshots => Some(Role::Snapshot),
            Self::Analyses => Some(Role::Analysis),
            Self::Macros => Some(Role::Macro),
            Self::Functions => Some(Role::Function),
            Self::Tests if below.starts_with("generic/") => Some(Role::Macro),
            Self::Tests if below.starts_with("fixtures/") => Some(Role::Fixture),
            Self::Tests => Some(Role::SingularTest),
            Self::Seeds | Self::Docs => None,
        }
    }
}
