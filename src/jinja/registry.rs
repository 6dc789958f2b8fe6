//! All macros by package: what is loaded at start are names and signatures. Who calls decides
//! what a bare name means: the calling node's package, then the root project, then `dbt`.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use indexmap::IndexMap;
use minijinja::Value;

use super::blocks::{self, Block, BlockKind};
use super::callable::{MacroCallable, Namespace};
use super::rewrite::{self, RewriteError};
use super::{MacroInfo, builtin};
use crate::diag::{Diagnostic, FileId, SourceMap, Span, codes};

/// The package of the built-in macros, and its second name.
pub(super) const BUILTIN: &str = "dbt";
const BUILTIN_ALIAS: &str = "dbt_postgres";

/// The text of a macro file, shared by its macros.
#[derive(Debug)]
pub(super) struct MacroSource {
    pub(super) file: FileId,
    /// The text with normalised newlines.
    pub(super) text: String,
}

/// A macro, test or materialization.
#[derive(Debug)]
pub(super) struct MacroDef {
    /// For example `macro.shop.cents`; also the name of its template.
    pub(super) unique_id: String,
    pub(super) package: String,
    pub(super) block: Block,
    pub(super) source: Arc<MacroSource>,
}

impl MacroDef {
    /// The line of its opening tag, from 1.
    pub(super) fn line(&self) -> usize {
        self.source.text[..self.block.head.start]
            .matches('\n')
            .count()
            + 1
    }

    pub(super) fn info(&self) -> MacroInfo {
        let names = self.block.params.iter().map(|p| p.name.clone());
        MacroInfo {
            unique_id: self.unique_id.clone(),
            name: self.block.name.clone(),
            package: self.package.clone(),
            arguments: names.collect(),
            line: self.line(),
            file: self.source.file,
            text: self.text().to_owned(),
        }
    }

    /// The whole block as written.
    fn text(&self) -> &str {
        let end = &self.source.text[self.block.body.end..];
        let close = end.find("%}").map_or(end.len(), |at| at + 2);
        &self.source.text[self.block.head.start..self.block.body.end + close]
    }
}

/// What a bare name means for the nodes of one package.
pub(super) type Table = HashMap<String, Value>;

/// Every macro there is.
#[derive(Debug)]
pub(super) struct Macros {
    root: String,
    packages: IndexMap<String, IndexMap<String, Arc<MacroDef>>>,
    dispatch: IndexMap<String, Vec<String>>,
    tables: Mutex<HashMap<String, Arc<Table>>>,
}

/// A file to load.
pub(super) struct Loaded<'a> {
    pub(super) package: &'a str,
    pub(super) file: FileId,
    pub(super) text: Arc<str>,
}

impl Macros {
    /// Reads names and signatures of all files, the built-in ones included.
    pub(super) fn load(
        root: &str,
        dispatch: IndexMap<String, Vec<String>>,
        files: &[Loaded<'_>],
        sources: &SourceMap,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut macros = Self {
            root: root.to_owned(),
            packages: IndexMap::from([(BUILTIN.to_owned(), IndexMap::new())]),
            dispatch,
            tables: Mutex::default(),
        };
        let mut errors = Vec::new();
        for (path, text) in builtin::FILES {
            let file = sources.add(path, *text);
            let text = Arc::from(*text);
            let loaded = Loaded {
                package: BUILTIN,
                file,
                text,
            };
            macros.add_file(&loaded, sources, &mut errors);
        }
        for file in files {
            macros.add_file(file, sources, &mut errors);
        }
        if errors.is_empty() {
            Ok(macros)
        } else {
            Err(errors)
        }
    }

    fn add_file(&mut self, file: &Loaded<'_>, sources: &SourceMap, errors: &mut Vec<Diagnostic>) {
        let text = rewrite::normalise(&file.text).into_owned();
        let blocks = match blocks::scan(&text) {
            Ok(blocks) => blocks,
            Err(error) => {
                errors.push(syntax_error(&error, &text, file.file, sources));
                return;
            }
        };
        let source = Arc::new(MacroSource {
            file: file.file,
            text,
        });
        let package = self.packages.entry(file.package.to_owned()).or_default();
        for block in blocks {
            if !matches!(
                block.kind,
                BlockKind::Macro | BlockKind::Test | BlockKind::Materialization
            ) {
                continue;
            }
            let def = Arc::new(MacroDef {
                unique_id: format!("macro.{}.{}", file.package, block.name),
                package: file.package.to_owned(),
                block,
                source: Arc::clone(&source),
            });
            if let Some(earlier) = package.get(&def.block.name) {
                errors.push(duplicate(earlier, &def, sources));
            }
            package.insert(def.block.name.clone(), def);
        }
    }

    /// The macro of a package, by its exact name.
    pub(super) fn in_package(&self, package: &str, name: &str) -> Option<&Arc<MacroDef>> {
        let package = if package == BUILTIN_ALIAS {
            BUILTIN
        } else {
            package
        };
        self.packages.get(package)?.get(name)
    }

    /// What `name` or `package.name` means for a node of `from`.
    pub(super) fn resolve(&self, from: &str, name: &str) -> Option<&Arc<MacroDef>> {
        if let Some((package, name)) = name.split_once('.') {
            return self.in_package(package, name);
        }
        [from, &self.root, BUILTIN]
            .into_iter()
            .find_map(|package| self.in_package(package, name))
    }

    /// What `adapter.dispatch(name, namespace)` means for a node of `from`; the names tried
    /// otherwise.
    pub(super) fn dispatch(
        &self,
        from: &str,
        name: &str,
        namespace: Option<&str>,
    ) -> Result<&Arc<MacroDef>, Vec<String>> {
        let packages: Vec<Option<&str>> = match namespace {
            None => vec![None],
            Some(space) => match self.dispatch.get(space) {
                Some(order) => order.iter().map(|p| Some(p.as_str())).collect(),
                None if space != BUILTIN && self.packages.contains_key(space) => {
                    vec![Some(self.root.as_str()), Some(space)]
                }
                None => vec![None],
            },
        };
        let mut tried = Vec::new();
        for package in packages {
            for prefix in ["postgres", "default"] {
                let candidate = format!("{prefix}__{name}");
                let found = match package {
                    Some(package) => self.in_package(package, &candidate),
                    None => self.resolve(from, &candidate),
                };
                if let Some(found) = found {
                    return Ok(found);
                }
                tried.push(match package {
                    Some(package) => format!("{package}.{candidate}"),
                    None => candidate,
                });
            }
        }
        Err(tried)
    }

    /// The name table for nodes of a package.
    pub(super) fn table(&self, from: &str) -> Arc<Table> {
        let mut tables = self.tables.lock().unwrap_or_else(|p| p.into_inner());
        if let Some(table) = tables.get(from) {
            return Arc::clone(table);
        }
        let mut table = Table::new();
        for (name, defs) in &self.packages {
            let members = defs
                .values()
                .map(|d| (d.block.name.clone(), MacroCallable::value(d)));
            table.insert(name.clone(), Namespace::value(name, members.collect()));
        }
        if let Some(builtin) = table.get(BUILTIN).cloned() {
            table.insert(BUILTIN_ALIAS.to_owned(), builtin);
        }
        for package in [BUILTIN, &self.root, from] {
            for (name, def) in self.packages.get(package).into_iter().flatten() {
                table.insert(name.clone(), MacroCallable::value(def));
            }
        }
        let table = Arc::new(table);
        tables.insert(from.to_owned(), Arc::clone(&table));
        table
    }

    /// The template of a macro, by its unique id, not yet rewritten.
    pub(super) fn by_id(&self, unique_id: &str) -> Option<&Arc<MacroDef>> {
        let (package, name) = unique_id.strip_prefix("macro.")?.split_once('.')?;
        self.in_package(package, name)
    }

    /// The names of all packages.
    pub(super) fn packages(&self) -> impl Iterator<Item = &str> {
        self.packages.keys().map(String::as_str)
    }

    /// All macros, the built-in ones first.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<MacroDef>> {
        self.packages.values().flat_map(IndexMap::values)
    }

    /// All names that can be called bare or qualified, for suggestions.
    pub(super) fn names(&self, from: &str) -> HashSet<&str> {
        [from, &self.root, BUILTIN]
            .into_iter()
            .filter_map(|package| self.packages.get(package))
            .flat_map(|defs| defs.keys().map(String::as_str))
            .chain(self.packages.keys().map(String::as_str))
            .collect()
    }
}

fn duplicate(earlier: &MacroDef, later: &MacroDef, sources: &SourceMap) -> Diagnostic {
    let name = &later.block.name;
    let message = format!("package `{}` has two macros called `{name}`", later.package);
    Diagnostic::error(codes::DUPLICATE_MACRO, message)
        .at(
            sources.line_span(later.source.file, later.line()),
            "the second one",
        )
        .at(
            sources.line_span(earlier.source.file, earlier.line()),
            "the first one",
        )
        .hint("rename or remove one of them")
}

/// A syntax error found by the rewrite, as a diagnostic.
pub(super) fn syntax_error(
    error: &RewriteError,
    text: &str,
    file: FileId,
    sources: &SourceMap,
) -> Diagnostic {
    let span = place_of(error.at, text, 1, file, sources);
    Diagnostic::error(codes::JINJA_SYNTAX, error.message.clone()).at(span, "")
}

/// The place in a file of byte `at` of normalised text that starts on its line `first_line`.
pub(super) fn place_of(
    at: usize,
    text: &str,
    first_line: usize,
    file: FileId,
    sources: &SourceMap,
) -> Span {
    let before = &text.as_bytes()[..at.min(text.len())];
    let line = before.iter().filter(|b| **b == b'\n').count();
    let column = before.len()
        - before
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |p| p + 1);
    let whole = sources.line_span(file, first_line + line);
    let start = (whole.start + column as u32).min(whole.end);
    let rest = sources.file(file).text[start as usize..whole.end as usize].to_owned();
    // a tag is shown whole, anything else as its word
    let width = match rest.starts_with('{') {
        true => rest.trim_end().len(),
        false => rest
            .find(|c: char| c != '_' && !c.is_alphanumeric())
            .unwrap_or(rest.len()),
    };
    Span {
        file,
        start,
        end: (start + width.max(1) as u32).min(whole.end.max(start)),
    }
}
