//! From a project's files to its graph.

mod build;
mod config;
mod manifest;
mod plain_tests;

use indexmap::IndexMap;
use marts::diag::{Diagnostic, RenderOptions, render_all};
use marts::graph::build::{Built, build};
use marts::graph::{Graph, Node};
use marts::jinja::{Engine, MacroFile, Settings};
use marts::project::Project;
use serde_json::json;

use crate::project::support::Scratch;

/// A project that was read and resolved.
pub(crate) struct Resolved {
    pub(crate) project: Project,
    pub(crate) engine: Engine,
    pub(crate) built: Built,
}

impl Resolved {
    pub(crate) fn graph(&self) -> &Graph {
        &self.built.graph
    }

    /// The node of a unique id.
    pub(crate) fn node(&self, id: &str) -> &Node {
        let mut nodes = self.graph().nodes().map(|(_, node)| node);
        nodes
            .find(|node| node.id.as_str() == id)
            .unwrap_or_else(|| panic!("there is no {id}"))
    }

    /// The unique ids of what a node reads, in order.
    pub(crate) fn parents(&self, id: &str) -> Vec<&str> {
        let parents = self.node(id).parents.iter();
        parents
            .map(|ix| self.graph().node(*ix).id.as_str())
            .collect()
    }
}

/// Resolves a project; what is wrong with it comes as users see it.
pub(crate) fn resolve(scratch: &Scratch) -> Result<Resolved, String> {
    let project = scratch.read();
    let root = project.root_package();
    let settings = Settings {
        project_name: root.name.clone(),
        target: json!({"name": "dev", "schema": "s", "dbname": "d", "type": "postgres"}),
        vars: IndexMap::from([(root.name.clone(), root.file.vars.clone())]),
        run_started_at: "2024-05-06T07:08:09.123456Z".to_owned(),
        ..Settings::default()
    };
    let macros: Vec<MacroFile> = project
        .packages
        .iter()
        .flat_map(|package| {
            let files = package.macros.iter();
            files.map(|file| MacroFile {
                package: package.name.clone(),
                file: file.file,
            })
        })
        .collect();
    let shown = |problems: Vec<Diagnostic>| {
        render_all(&problems, &project.sources, RenderOptions::default())
    };
    let engine = Engine::new(settings, &macros, project.sources.clone()).map_err(shown)?;
    let built = build(&project, &engine).map_err(shown)?;
    Ok(Resolved {
        project,
        engine,
        built,
    })
}

/// A project that resolves.
pub(crate) fn resolved(scratch: &Scratch) -> Resolved {
    resolve(scratch).unwrap_or_else(|problems| panic!("{problems}"))
}
