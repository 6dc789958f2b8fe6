//! The way from arguments to a resolved project, shared by every command that needs one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use super::World;
use super::args::{Global, LogFormat, SelectArgs};
use super::failure::Failure;
use super::state::EarlierRuns;
use super::warn_errors::WarnErrors;
use crate::diag::{Diagnostic, RenderOptions, SourceMap, render};
use crate::event::Event;
use crate::graph::select::{self, IndirectSelection, SelectContext, Selection, Selectors};
use crate::graph::{self, Graph, NodeIx};
use crate::jinja::{Engine, MacroFile, Settings};
use crate::project::{self, Package, Project, ReadOptions};
use crate::report::run_results::Idle;
use crate::report::{JsonLines, Progress, Reporter, Terminal};

/// Flags of the command line that templates see.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags {
    pub(super) full_refresh: bool,
    pub(super) store_failures: bool,
    pub(super) empty: bool,
}

/// A project that was read and resolved.
pub(super) struct Invocation {
    /// What becomes of warnings.
    pub(super) policy: WarnErrors,
    pub(super) project: Project,
    pub(super) engine: Engine,
    pub(super) graph: Arc<Graph>,
    pub(super) warnings: Vec<Diagnostic>,
    pub(super) run_id: String,
    pub(super) target_path: String,
    /// What the environment adds to the head of artifacts: `DBT_ENV_CUSTOM_ENV_*`.
    pub(super) custom_env: BTreeMap<String, String>,
    pub(super) cli_vars: IndexMap<String, Json>,
    /// What of a build's selection has a result although nothing is done for it.
    pub(super) idle: Arc<OnceLock<Vec<Idle>>>,
}

/// The project's folder, absolute where that is possible.
pub(super) fn project_dir(global: &Global) -> PathBuf {
    let dir = global
        .project_dir
        .clone()
        .unwrap_or_else(|| PathBuf::from("."));
    std::path::absolute(&dir).unwrap_or(dir)
}

/// What is read, and from where.
pub(super) fn read_options(global: &Global, world: &World) -> Result<ReadOptions, Failure> {
    Ok(ReadOptions {
        project_dir: project_dir(global),
        profiles_dir: global.profiles_dir.clone(),
        profile: global.profile.clone(),
        target: global.target.clone(),
        cli_vars: cli_vars(global)?,
        env: Arc::clone(&world.env),
        url: global.url.clone(),
        threads: global.threads,
    })
}

/// Reads the project without resolving it.
pub(super) fn read(global: &Global, world: &World) -> Result<(Project, Vec<Diagnostic>), Failure> {
    let options = read_options(global, world)?;
    project::read(&options).map_err(|failed| Failure::new(failed.diagnostics, failed.sources))
}

impl Invocation {
    /// Leaves what was read to the end of the process, which takes all of it back at once: to free
    /// thousands of nodes one by one is a twentieth of a parse.
    pub(super) fn leave(self) {
        std::mem::forget(self);
    }

    /// Reads and resolves the project.
    pub(super) fn load(
        global: &Global,
        command: &str,
        full_refresh: bool,
        world: &World,
    ) -> Result<Self, Failure> {
        let flags = Flags {
            full_refresh,
            ..Flags::default()
        };
        Self::load_with(global, command, flags, world)
    }

    /// Reads and resolves the project, with flags that templates see.
    pub(super) fn load_with(
        global: &Global,
        command: &str,
        flags: Flags,
        world: &World,
    ) -> Result<Self, Failure> {
        let (project, mut warnings) = read(global, world)?;
        let run_id = new_id();
        let settings = settings(global, &project, (command, flags), &run_id, world)?;
        let macros: Vec<MacroFile> = project
            .packages
            .iter()
            .flat_map(|package| {
                package.macros.iter().map(|file| MacroFile {
                    package: package.name.clone(),
                    file: file.file,
                })
            })
            .collect();
        let fail = |problems| Failure::new(problems, project.sources.clone());
        let engine = Engine::new(settings, &macros, project.sources.clone()).map_err(fail)?;
        let built = graph::build::build(&project, &engine).map_err(fail)?;
        warnings.extend(built.warnings);
        let policy = WarnErrors::read(global, &project)?;
        let warnings = policy.sort(warnings, &project.sources)?;
        let graph = match policy.tests() {
            true => built.graph.with_warnings_as_errors(),
            false => built.graph,
        };
        let target_path = global
            .target_path
            .clone()
            .unwrap_or_else(|| project.root_package().file.target_path.clone());
        Ok(Self {
            engine,
            graph: Arc::new(graph),
            policy,
            warnings,
            run_id,
            target_path,
            custom_env: custom_env(world),
            cli_vars: cli_vars(global)?,
            idle: Arc::default(),
            project,
        })
    }

    /// The selected nodes; criteria that match nothing become warnings.
    pub(super) fn select(
        &self,
        args: &SelectArgs,
        reporter: &mut dyn Reporter,
        color: bool,
    ) -> Result<Vec<NodeIx>, Failure> {
        let fail = |problem| Failure::new(vec![problem], self.sources().clone());
        let flag = self.flag("indirect_selection");
        let of_project = flag.and_then(Json::as_str);
        let indirect = match args.indirect_selection.as_deref().or(of_project) {
            None => IndirectSelection::default(),
            Some(word) => IndirectSelection::parse(word).map_err(fail)?,
        };
        let selectors = Selectors::new(&self.project.selectors, indirect)
            .map_err(|problems| Failure::new(problems, self.sources().clone()))?;
        let selection = Selection::parse(&select::SelectArgs {
            select: &args.select,
            exclude: &args.exclude,
            selector: args.selector.as_deref(),
            selectors: Some(&selectors),
            indirect,
            resource_types: &args.resource_type,
            exclude_resource_types: &args.exclude_resource_type,
        })
        .map_err(fail)?;
        let earlier = EarlierRuns::read(self, selection.compares(), args.state.as_deref())?;
        let context = SelectContext {
            root_package: &self.project.root_package().name,
            earlier: earlier.answers(),
        };
        let selected = selection.resolve(&self.graph, &context).map_err(fail)?;
        let warnings = self.policy.sort(selected.warnings, self.sources())?;
        tell(&warnings, self.sources(), reporter, color);
        Ok(selected.nodes)
    }

    /// Says what of a build's selection has a result although nothing is done for it.
    pub(super) fn tell_idle(&self, selected: &[NodeIx]) {
        use graph::ResourceKind::{Exposure, SavedQuery};
        let idle = |ix: &NodeIx| {
            let node = self.graph.node(*ix);
            if !matches!(node.kind, Exposure | SavedQuery) {
                return None;
            }
            let tests = node.parents.iter().flat_map(|p| self.graph.children(*p));
            let tests = tests.filter(|ix| self.graph.node(*ix).is_test());
            let needs = node.parents.iter().copied().chain(tests);
            Some(Idle {
                node: node.id.clone(),
                needs: needs.map(|ix| self.graph.node(ix).id.clone()).collect(),
            })
        };
        self.idle
            .get_or_init(|| selected.iter().filter_map(idle).collect());
    }

    /// Says which nodes templates find in `selected_resources`.
    pub(super) fn tell_selected<'a>(&self, nodes: impl Iterator<Item = &'a NodeIx>) {
        let nodes = nodes.map(|ix| self.graph.node(*ix));
        let runs = nodes.filter(|node| node.kind != graph::ResourceKind::Source);
        self.engine
            .set_selected(runs.map(|node| node.id.to_string()).collect());
    }

    /// A flag of the project file.
    pub(super) fn flag(&self, key: &str) -> Option<&Json> {
        self.project.root_package().file.flags.get(key)
    }

    /// All files.
    pub(super) fn sources(&self) -> &SourceMap {
        &self.project.sources
    }

    /// The project's folder.
    pub(super) fn root(&self) -> &Path {
        &self.project.root
    }

    /// Tells the project's warnings.
    pub(super) fn tell_warnings(&self, reporter: &mut dyn Reporter, color: bool) {
        tell(&self.warnings, self.sources(), reporter, color);
    }
}

fn tell(warnings: &[Diagnostic], sources: &SourceMap, reporter: &mut dyn Reporter, color: bool) {
    for warning in warnings {
        reporter.event(&Event::Warned {
            code: warning.code.as_str().to_owned(),
            message: render(warning, sources, RenderOptions { color }),
        });
    }
}

/// The reporter for stderr that the arguments ask for.
pub(super) fn reporter(global: &Global, world: &World) -> Box<dyn Reporter> {
    let out = Box::new(std::io::stderr());
    match global.log_format {
        LogFormat::Json => Box::new(JsonLines::new(out)),
        LogFormat::Text => {
            let progress = Progress::on_stderr(world.stderr_style, world.surroundings);
            Box::new(Terminal::new(out, world.stderr_style, progress))
        }
    }
}

/// `--vars` as data.
fn cli_vars(global: &Global) -> Result<IndexMap<String, Json>, Failure> {
    let Some(text) = &global.vars else {
        return Ok(IndexMap::new());
    };
    let sources = SourceMap::default();
    project::parse_vars(text, &sources).map_err(|wrong| Failure::new(vec![wrong], sources))
}

fn settings(
    global: &Global,
    project: &Project,
    (command, flags): (&str, Flags),
    run_id: &str,
    world: &World,
) -> Result<Settings, Failure> {
    let root = project.root_package();
    let vars = project
        .packages
        .iter()
        .map(|package| (package.name.clone(), package.file.vars.clone()))
        .collect();
    let version = |package: &Package| Some((package.name.clone(), package.file.version.clone()?));
    Ok(Settings {
        project_name: root.name.clone(),
        versions: project.packages.iter().filter_map(version).collect(),
        cli_vars: cli_vars(global)?,
        vars,
        target: target_json(project),
        flags: flags_json(global, (command, flags)),
        dispatch: root.file.dispatch.clone(),
        invocation_id: run_id.to_owned(),
        run_started_at: jiff::Timestamp::now()
            .strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
            .to_string(),
        env: Arc::clone(&world.env),
    })
}

/// The `flags` variable, as dbt has it; what is not there is what dbt has by default.
fn flags_json(global: &Global, (command, flags): (&str, Flags)) -> Json {
    let path = |path: &Option<PathBuf>| path.as_ref().map(|p| p.display().to_string());
    json!({
        "FULL_REFRESH": flags.full_refresh,
        "WHICH": command,
        "STORE_FAILURES": flags.store_failures,
        "EMPTY": flags.empty,
        "DEBUG": global.debug,
        "QUIET": global.quiet,
        "WARN_ERROR": global.warn_error,
        "USE_COLORS": !global.no_use_colors,
        "LOG_FORMAT": match global.log_format {
            LogFormat::Text => "default",
            LogFormat::Json => "json",
        },
        "PROFILES_DIR": path(&global.profiles_dir),
        "TARGET_PATH": global.target_path,
        "LOG_PATH": path(&global.log_path),
        "INVOCATION_COMMAND": format!("dbt {command}"),
        "VERSION_CHECK": true,
        "PARTIAL_PARSE": true,
        "STATIC_PARSER": true,
        "INTROSPECT": true,
        "WRITE_JSON": true,
        "SEND_ANONYMOUS_USAGE_STATS": false,
    })
}

/// The `target` variable: everything of the output but its secrets.
fn target_json(project: &Project) -> Json {
    let target = &project.target;
    let secret = ["password", "pass", "sslkey"];
    let mut map: serde_json::Map<String, Json> = target
        .output
        .iter()
        .filter(|(key, _)| !secret.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let dbname = map
        .get("dbname")
        .or(map.get("database"))
        .cloned()
        .unwrap_or_default();
    map.insert("dbname".to_owned(), dbname.clone());
    map.insert("database".to_owned(), dbname);
    map.insert("type".to_owned(), json!("postgres"));
    map.insert("name".to_owned(), json!(target.name));
    map.insert("target_name".to_owned(), json!(target.name));
    map.insert("profile_name".to_owned(), json!(target.profile));
    map.insert("schema".to_owned(), json!(target.schema));
    map.insert("threads".to_owned(), json!(target.threads));
    Json::Object(map)
}

/// Variables that are meant for artifacts, without their prefix.
fn custom_env(world: &World) -> BTreeMap<String, String> {
    let strip = |name: &String| name.strip_prefix("DBT_ENV_CUSTOM_ENV_").map(str::to_owned);
    let pairs = world.env.iter();
    pairs
        .filter_map(|(name, value)| Some((strip(name)?, value.clone())))
        .collect()
}

/// A version 4 UUID.
fn new_id() -> String {
    let mut bytes: [u8; 16] = rand::random();
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = crate::encode::hex(bytes);
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}
