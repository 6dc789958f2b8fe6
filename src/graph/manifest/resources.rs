//! Exposures, macros, docs and groups as views in the shape of dbt's manifest.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use indexmap::IndexMap;
use regex::Regex;
use serde_json::{Map, Value as Json, json};

use super::ManifestInput;
use crate::artifact::manifest::view::{
    DependsOn, Docs, Documentation, Entries, Exposure, Group, Macro, MacroDependsOn,
};
use crate::graph::Node;
use crate::jinja::MacroInfo;
use crate::project::{Package, Project, ResourceProperties};

/// A resource's entry in a property file.
struct Written<'a> {
    package: &'a Package,
    path: &'a str,
    json: &'a Json,
}

impl<'a> Written<'a> {
    fn text(&self, key: &str) -> Option<&'a str> {
        self.json.get(key).and_then(Json::as_str)
    }

    fn name(&self) -> &'a str {
        self.text("name").unwrap_or_default()
    }

    /// A value of `config:`, else of the entry itself.
    fn configured(&self, key: &str) -> Option<&'a Json> {
        let config = self.json.get("config").and_then(|config| config.get(key));
        config.or_else(|| self.json.get(key))
    }

    fn map(&self, key: &str) -> Map<String, Json> {
        match self.configured(key) {
            Some(Json::Object(map)) => map.clone(),
            _ => Map::new(),
        }
    }

    /// The path without its resource folder.
    fn inner_path(&self) -> &'a str {
        inner(self.path, &self.package.file.paths.models)
    }
}

/// Entries of one kind in all property files.
fn written<'a>(project: &'a Project, key: &'a str) -> impl Iterator<Item = Written<'a>> {
    project.packages.iter().flat_map(move |package| {
        let entries = package.properties.other.iter();
        entries
            .filter(move |(kind, _, _)| kind == key)
            .flat_map(move |(_, json, path)| {
                let list = match &json.value {
                    Json::Array(list) => list.as_slice(),
                    one => std::slice::from_ref(one),
                };
                list.iter().map(move |json| Written {
                    package,
                    path,
                    json,
                })
            })
    })
}

pub(super) fn inner<'a>(path: &'a str, bases: &[String]) -> &'a str {
    let base = bases
        .iter()
        .find_map(|base| path.strip_prefix(base.as_str())?.strip_prefix('/'));
    base.unwrap_or(path)
}

pub(super) fn group_names(project: &Project) -> impl Iterator<Item = String> + '_ {
    written(project, "groups").map(|group| group.name().to_owned())
}

/// An owner with both keys that dbt gives it.
fn owner(written: Option<&Json>) -> Json {
    let mut whole = json!({ "email": null, "name": null });
    if let (Some(whole), Some(Json::Object(written))) = (whole.as_object_mut(), written) {
        whole.extend(written.clone());
    }
    whole
}

pub(super) fn groups<'a>(input: &'a ManifestInput<'a>) -> IndexMap<String, Group<'a>> {
    written(input.project, "groups")
        .map(|group| {
            let package = &group.package.name;
            let id = format!("group.{package}.{}", group.name());
            let view = Group {
                name: group.name().to_owned(),
                resource_type: "group",
                package_name: package,
                path: group.inner_path(),
                original_file_path: group.path,
                unique_id: id.clone(),
                owner: owner(group.json.get("owner")),
                description: group.text("description").map(str::to_owned),
                config: json!({ "meta": group.map("meta") }),
            };
            (id, view)
        })
        .collect()
}

/// An exposure, with what it needs resolved.
pub(super) fn exposure<'a>(input: &'a ManifestInput<'a>, node: &'a Node) -> Exposure<'a> {
    let text = |key: &str| node.other.get(key).and_then(Json::as_str);
    let parents = node.parents.iter();
    let parents = parents.map(|ix| input.graph.node(*ix).id.as_str());
    let mut packages = input.project.packages.iter();
    let bases = packages.find(|p| p.name == node.package);
    let bases = bases.map_or(&[][..], |p| &p.file.paths.models);
    Exposure {
        name: &node.name,
        resource_type: "exposure",
        package_name: &node.package,
        path: inner(&node.path, bases),
        original_file_path: &node.path,
        unique_id: node.id.as_str(),
        fqn: &node.fqn,
        kind: text("type").unwrap_or("dashboard"),
        owner: owner(node.other.get("owner")),
        description: &node.description,
        label: text("label"),
        maturity: text("maturity"),
        meta: &node.config.meta,
        tags: input.graph.tags(node),
        config: json!({
            "enabled": node.config.enabled, "tags": node.config.tags,
            "meta": node.config.meta,
        }),
        unrendered_config: Map::new(),
        url: text("url"),
        depends_on: DependsOn {
            macros: Vec::new(),
            nodes: parents.collect(),
        },
        refs: super::calls::refs(node),
        sources: super::calls::sources(node),
        metrics: node
            .model
            .metrics
            .iter()
            .map(|name| [name.as_str()])
            .collect(),
        created_at: input.created_at,
    }
}

pub(super) fn docs<'a>(input: &'a ManifestInput<'a>) -> Entries<'a, Documentation<'a>> {
    let blocks = input.docs.blocks();
    Entries::new(blocks.len(), move |index| {
        let block = &blocks[index];
        let id = format!("doc.{}.{}", block.package, block.name);
        let view = Documentation {
            name: &block.name,
            resource_type: "doc",
            package_name: &block.package,
            path: inner(&block.path, std::slice::from_ref(&block.base)),
            original_file_path: &block.path,
            unique_id: id.clone(),
            block_contents: &block.text,
        };
        (Cow::Owned(id), view)
    })
}

pub(super) fn macros<'a>(input: &'a ManifestInput<'a>) -> Entries<'a, Macro<'a>> {
    let known = KnownMacros::new(input.macros);
    let described: HashMap<(&str, &str), &ResourceProperties> = input
        .project
        .packages
        .iter()
        .flat_map(|package| {
            let entries = package.properties.macros.iter();
            entries.map(move |p| ((package.name.as_str(), p.name.value.as_str()), p))
        })
        .collect();
    Entries::new(input.macros.len(), move |index| {
        let info = &input.macros[index];
        let properties = described.get(&(info.package.as_str(), info.name.as_str()));
        let view = macro_view(input, info, properties.copied(), known.called_by(info));
        (Cow::Borrowed(info.unique_id.as_str()), view)
    })
}

fn macro_view<'a>(
    input: &ManifestInput<'_>,
    info: &'a MacroInfo,
    properties: Option<&'a ResourceProperties>,
    called: Vec<&'a str>,
) -> Macro<'a> {
    let file = input.project.sources.file(info.file);
    // From the package's folder, so that a package reads the same wherever it is installed.
    let packages = &mut input.project.packages.iter();
    let home = packages.find(|p| p.name == info.package).map(|p| {
        let below = p.root.strip_prefix(&input.project.root);
        below.unwrap_or(&p.root)
    });
    let inner = home.and_then(|home| file.path.strip_prefix(home).ok());
    let path = inner.unwrap_or(&file.path).to_string_lossy().into_owned();
    let of = |key: &str| properties.and_then(|p| p.other.get(key));
    let mut meta = Map::new();
    let inside = properties.and_then(|p| p.config.get("meta"));
    for written in [of("meta"), inside.map(|inside| &inside.value)] {
        if let Some(Json::Object(map)) = written {
            meta.extend(map.clone());
        }
    }
    Macro {
        name: &info.name,
        resource_type: "macro",
        package_name: &info.package,
        path: Cow::Owned(path.clone()),
        original_file_path: Cow::Owned(path),
        unique_id: &info.unique_id,
        macro_sql: &info.text,
        depends_on: MacroDependsOn { macros: called },
        description: properties.map_or("", |p| &p.description),
        meta: meta.clone(),
        docs: Docs {
            show: true,
            node_color: None,
        },
        patch_path: properties.map(|p| format!("{}://{}", info.package, p.path)),
        arguments: match of("arguments") {
            Some(Json::Array(list)) if !list.is_empty() => list.iter().map(argument).collect(),
            // dbt tells none of a generic test's.
            _ if tells_arguments(input) && !is_test_block(&info.text) => {
                let names = info.arguments.iter();
                names
                    .map(|name| argument(&json!({ "name": name })))
                    .collect()
            }
            _ => Vec::new(),
        },
        created_at: input.created_at,
        config: json!({ "meta": meta, "docs": { "show": true, "node_color": null } }),
        supported_languages: info
            .name
            .starts_with("materialization_")
            .then(|| vec!["sql"]),
    }
}

/// Whether the project's flags want the arguments of macros that no property file tells.
fn tells_arguments(input: &ManifestInput<'_>) -> bool {
    let flags = &input.project.root_package().file.flags;
    flags.get("validate_macro_args") == Some(&Json::Bool(true))
}

/// Whether a block is written as `{% test … %}`.
fn is_test_block(text: &str) -> bool {
    let tag = text.trim_start_matches(['{', '%', '-', '+', ' ', '\t', '\n', '\r']);
    let word = tag.split_whitespace().next();
    matches!(word, Some("test" | "data_test"))
}

fn argument(written: &Json) -> Json {
    let of = |key: &str| written.get(key).cloned();
    json!({
        "name": of("name").unwrap_or_default(),
        "type": of("type").unwrap_or_default(),
        "description": of("description").unwrap_or_else(|| json!("")),
    })
}

/// Which macros a macro's text calls, told by the names in it.
pub(in crate::graph) struct KnownMacros<'a> {
    by_name: HashMap<&'a str, Vec<&'a MacroInfo>>,
}

static CALLED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?:\b(\w+)\.)?\b(\w+)\s*\(\s*(?:['"](\w+)['"])?"#)
        .expect("a constant pattern compiles")
});

impl<'a> KnownMacros<'a> {
    pub(in crate::graph) fn new(macros: &'a [MacroInfo]) -> Self {
        let mut by_name: HashMap<&str, Vec<&MacroInfo>> = HashMap::new();
        for info in macros {
            by_name.entry(&info.name).or_default().push(info);
        }
        Self { by_name }
    }

    fn find(&self, package: Option<&str>, caller: &MacroInfo, name: &str) -> Option<&'a MacroInfo> {
        let named = self.by_name.get(name)?;
        let of = |package: &str| named.iter().find(|info| info.package == package).copied();
        match package {
            Some(package) => of(package),
            None => of(&caller.package)
                .or_else(|| of("dbt"))
                .or(named.first().copied()),
        }
    }

    pub(in crate::graph) fn called_by(&self, info: &'a MacroInfo) -> Vec<&'a str> {
        let mut called: Vec<&str> = Vec::new();
        for call in CALLED.captures_iter(&info.text) {
            let (package, name) = (call.get(1).map(|m| m.as_str()), &call[2]);
            let found = match (package, name, call.get(3)) {
                (Some("adapter"), "dispatch", Some(of)) => ["postgres__", "default__"]
                    .iter()
                    .find_map(|prefix| self.find(None, info, &format!("{prefix}{}", of.as_str()))),
                _ => self.find(package, info, name),
            };
            if let Some(found) = found
                && found.unique_id != info.unique_id
                && !called.contains(&found.unique_id.as_str())
            {
                called.push(&found.unique_id);
            }
        }
        called
    }
}
