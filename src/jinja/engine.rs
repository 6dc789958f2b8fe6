//! The engine: two environments (parse and run) over one registry of macros.

use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::value::{Kwargs, Value};
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior};
use serde_json::Value as Json;

use super::blocks::macro_template;
use super::context::{Mode, RenderState, Root, Run, Shared, from_arg};
use super::error::{MacroSyntax, Place, innermost, lookup_error, places, returned};
use super::registry::{BUILTIN, Loaded, MacroDef, Macros, place_of};
use super::value::{from_json, to_json};
use super::{
    Arg, Database, EngineOverrides, LookupError, MacroFile, MacroInfo, MacroOutput, Names,
    NodeContext, Rendered, Scan, Settings, Template, contract, functions, lines, rewrite, unknown,
    value,
};
use crate::diag::{Diagnostic, FileId, SourceMap, Span, codes, nearest};

/// The template that prepares a State; every other template includes it first.
const BOOT: &str = "{% macro __load(id) %}{% import id as t %}{% set _ = __keep(id, t.m) %}{% endmacro %}\
                    {% set _ = __boot(__load) %}";
pub(super) const INCLUDE_BOOT: &str = "{% include '__boot' %}";
const CALL: &str = "{% include '__boot' %}{% set _ = __invoke() %}";

/// Recursion deeper than this is taken for endless.
const RECURSION_LIMIT: usize = 5_000;

/// dbt's Jinja dialect with a project's macros loaded. Cheap to clone and to share.
#[derive(Clone)]
pub struct Engine(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) shared: Arc<Shared>,
    sources: SourceMap,
    parse: Environment<'static>,
    pub(super) run: Environment<'static>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Engine")
    }
}

impl Engine {
    /// Loads the names and signatures of all macros. Bodies are read when they are first used.
    ///
    /// # Errors
    /// One diagnostic for each file that cannot be read as macros, and for each name that a
    /// package has twice.
    pub fn new(
        settings: Settings,
        macro_files: &[MacroFile],
        sources: SourceMap,
    ) -> Result<Self, Vec<Diagnostic>> {
        let files: Vec<Loaded<'_>> = macro_files
            .iter()
            .map(|f| Loaded {
                package: &f.package,
                file: f.file,
                text: Arc::clone(&sources.file(f.file).text),
            })
            .collect();
        let dispatch = settings.dispatch.clone();
        let macros = Macros::load(&settings.project_name, dispatch, &files, &sources)?;
        let macros = Arc::new(macros);
        let shared = Shared {
            settings,
            macros,
            overrides: IndexMap::new(),
            graph: Arc::default(),
            selected: Arc::default(),
        };
        Ok(Self::of(shared, sources))
    }

    fn of(shared: Shared, sources: SourceMap) -> Self {
        let shared = Arc::new(shared);
        let parse = environment(&shared, UndefinedBehavior::Chainable);
        let run = environment(&shared, UndefinedBehavior::Lenient);
        Self(Arc::new(Inner {
            shared,
            sources,
            parse,
            run,
        }))
    }

    /// The same engine with other vars, environment variables and macros that return values of
    /// their own: what a unit test overrides.
    #[must_use]
    pub fn with_overrides(&self, overrides: &EngineOverrides) -> Self {
        let shared = &self.0.shared;
        let mut settings = shared.settings.clone();
        overrides.apply_to(&mut settings);
        let shared = Shared {
            settings,
            macros: Arc::clone(&shared.macros),
            overrides: overrides.macros.clone(),
            graph: Arc::clone(&shared.graph),
            selected: Arc::clone(&shared.selected),
        };
        Self::of(shared, self.0.sources.clone())
    }

    /// Says what dbt's `graph` variable is at run time; only the first time counts.
    pub fn set_graph(&self, graph: &Json) {
        self.0.shared.graph.get_or_init(|| from_json(graph));
    }

    /// Says which unique ids `selected_resources` lists; only the first time counts.
    pub fn set_selected(&self, ids: Vec<String>) {
        self.0.shared.selected.get_or_init(|| ids);
    }

    /// Renders a whole file at parse time and tells what it said of itself.
    pub fn scan(
        &self,
        node: impl Into<Arc<NodeContext>>,
        file: FileId,
    ) -> Result<Scan, Diagnostic> {
        let text = Arc::clone(&self.0.sources.file(file).text);
        self.scan_text(
            node,
            &Template {
                file,
                text,
                first_line: 1,
            },
        )
    }

    /// Renders a text at parse time and tells what it said of itself.
    pub fn scan_text(
        &self,
        node: impl Into<Arc<NodeContext>>,
        template: &Template,
    ) -> Result<Scan, Diagnostic> {
        let node = node.into();
        let run = Run::new(
            &self.0.shared,
            node,
            Mode::Scan(std::sync::Mutex::default()),
        );
        self.render_in(&self.0.parse, &run, template)?;
        self.check_packages(&run, template)?;
        let mut scan = run
            .scan()
            .map(|mut s| std::mem::take(&mut *s))
            .unwrap_or_default();
        lines::place_calls(&mut scan, template);
        Ok(scan)
    }

    /// Renders a template at run time. Blocks while the template queries the database.
    pub fn render(
        &self,
        node: impl Into<Arc<NodeContext>>,
        template: &Template,
        names: Arc<dyn Names>,
        db: Option<Arc<dyn Database>>,
    ) -> Result<Rendered, Diagnostic> {
        let run = Run::new(&self.0.shared, node.into(), Mode::Live { names, db });
        let text = self.render_in(&self.0.run, &run, template)?;
        let lines = lines::map(&text, template);
        Ok(Rendered { text, lines })
    }

    /// The same, where the text may also give its value by `return()`, as a query comment may.
    pub fn render_value(
        &self,
        node: impl Into<Arc<NodeContext>>,
        template: &Template,
        names: Arc<dyn Names>,
        db: Option<Arc<dyn Database>>,
    ) -> Result<String, Diagnostic> {
        let run = Run::new(&self.0.shared, node.into(), Mode::Live { names, db });
        let done = self.try_render_in(&self.0.run, &run, template)?;
        done.or_else(|error| match returned(&error) {
            Some(value) => Ok(value.to_string()),
            None => Err(self.diagnose(&run, &error, Some(template))),
        })
    }

    /// Calls a macro by its name (`name` or `package.name`), as a template of the node would.
    /// Where there is no macro of the name, `postgres__name` and `default__name` are tried.
    /// Named arguments go by their order to a macro that names its parameters otherwise: those
    /// who override a built-in macro choose their own names.
    pub fn call_macro(
        &self,
        node: impl Into<Arc<NodeContext>>,
        macro_name: &str,
        args: &[(Option<&str>, Arg)],
        names: Arc<dyn Names>,
        db: Option<Arc<dyn Database>>,
    ) -> Result<MacroOutput, Diagnostic> {
        let node = node.into();
        let macros = &self.0.shared.macros;
        let found = macros
            .resolve(&node.package, macro_name)
            .or_else(|| macros.dispatch(&node.package, macro_name, None).ok());
        let Some(def) = found else {
            return Err(self.unknown_macro(&node.package, macro_name));
        };
        let values = arguments(def, args);
        let callee = super::callable::MacroCallable::value(def);
        let run = Run::new(&self.0.shared, node, Mode::Live { names, db });
        run.set_invocation(callee, values);
        let root = Value::from_object(Root(Arc::clone(&run)));
        let done = self
            .0
            .run
            .get_template("__call")
            .and_then(|t| t.render(root));
        done.map_err(|e| self.diagnose(&run, &e, None))?;
        let value = run.take_outcome().unwrap_or_default();
        Ok(MacroOutput {
            text: if value.is_none() {
                String::new()
            } else {
                value.to_string()
            },
            value: to_json(&value),
        })
    }

    /// When the invocation started, as an RFC 3339 instant in UTC.
    pub fn started_at(&self) -> &str {
        &self.0.shared.settings.run_started_at
    }

    /// The macro that a name means for nodes of a package.
    pub fn find_macro(&self, name: &str, package: &str) -> Option<MacroInfo> {
        let macros = &self.0.shared.macros;
        macros.resolve(package, name).map(|def| def.info())
    }

    /// Whether a name means a macro for nodes of a package.
    pub fn has_macro(&self, name: &str, package: &str) -> bool {
        self.0.shared.macros.resolve(package, name).is_some()
    }

    /// Whether the macro that a name means for nodes of a package, dispatched or not, is one
    /// of the built-in ones; also true where there is none.
    pub fn is_builtin(&self, name: &str, package: &str) -> bool {
        let macros = &self.0.shared.macros;
        let own = |def: &Arc<MacroDef>| def.package == BUILTIN;
        let dispatched = macros.dispatch(package, name, Some(BUILTIN));
        macros.resolve(package, name).is_none_or(own) && dispatched.map_or(true, own)
    }

    /// All macros, the built-in ones first.
    pub fn macros(&self) -> Vec<MacroInfo> {
        self.0.shared.macros.all().map(|def| def.info()).collect()
    }

    /// Compiles every macro and tells what is wrong; rendering alone finds that only in macros
    /// that are used.
    pub fn check_macros(&self) -> Vec<Diagnostic> {
        let macros = &self.0.shared.macros;
        let broken = macros.all().filter_map(|def| {
            let error = self.0.run.get_template(&def.unique_id).err()?;
            let inner = innermost(&error);
            let message = inner
                .detail()
                .map_or_else(|| inner.to_string(), str::to_owned);
            let diagnostic = Diagnostic::error(codes::JINJA_SYNTAX, message);
            let places = places(&error);
            let span = places.iter().find_map(|place| self.span(place, None));
            Some(match span {
                Some(span) => diagnostic.at(span, ""),
                None => diagnostic.note(format!("in macro {}", def.unique_id)),
            })
        });
        broken.collect()
    }

    /// Calls of packages that are not there, which pass at parse time.
    fn check_packages(&self, run: &Run, template: &Template) -> Result<(), Diagnostic> {
        let methods = run.undefined_methods();
        if methods.is_empty() {
            return Ok(());
        }
        let is_global = |name: &str| self.0.parse.globals().any(|(global, _)| global == name);
        let known = |name: &str| run.knows(name) || is_global(name);
        let Some(call) = unknown::call_of_unknown(template, &methods, known) else {
            return Ok(());
        };
        let packages = self.0.shared.macros.packages();
        let hint = match nearest(&call.name, packages) {
            Some(near) => format!("did you mean `{near}.{}`?", call.method),
            None => "add the package to packages.yml and install it".to_owned(),
        };
        let message = format!(
            "there is no package `{}` to call `{}` of",
            call.name, call.method
        );
        let line = self.0.sources.line_span(template.file, call.line);
        Err(Diagnostic::error(codes::UNKNOWN_MACRO, message)
            .at(tags_of(line, &self.0.sources), "")
            .hint(hint))
    }

    fn unknown_macro(&self, package: &str, name: &str) -> Diagnostic {
        let message = format!("there is no macro `{name}`");
        let diagnostic = Diagnostic::error(codes::UNKNOWN_MACRO, message);
        match nearest(name, self.0.shared.macros.names(package)) {
            Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
            None => diagnostic.hint("check the name, and that its package is installed"),
        }
    }

    fn render_in(
        &self,
        env: &Environment<'static>,
        run: &Arc<Run>,
        template: &Template,
    ) -> Result<String, Diagnostic> {
        let done = self.try_render_in(env, run, template)?;
        done.map_err(|e| self.diagnose(run, &e, Some(template)))
    }

    /// The outer error is a text that cannot be rewritten, the inner one the engine's.
    fn try_render_in(
        &self,
        env: &Environment<'static>,
        run: &Arc<Run>,
        template: &Template,
    ) -> Result<Result<String, Error>, Diagnostic> {
        let text = rewrite::normalise(&template.text);
        let rewritten = rewrite::rewrite(&text).map_err(|e| {
            let span = place_of(
                e.at,
                &text,
                template.first_line,
                template.file,
                &self.0.sources,
            );
            Diagnostic::error(codes::JINJA_SYNTAX, e.message).at(span, "")
        })?;
        let source = format!("{INCLUDE_BOOT}{rewritten}");
        let root = Value::from_object(Root(Arc::clone(run)));
        Ok(env.render_named_str(TEMPLATE, &source, root))
    }

    /// An error of the engine as a diagnostic: the innermost place first, then who called.
    pub(super) fn diagnose(
        &self,
        run: &Run,
        error: &Error,
        template: Option<&Template>,
    ) -> Diagnostic {
        if let Some(broken) = contract::broken(error) {
            return broken.diagnostic(&run.node);
        }
        let inner = innermost(error);
        let (message, hint) = self.explain(run, error, inner);
        let code = match inner.kind() {
            ErrorKind::SyntaxError => codes::JINJA_SYNTAX,
            ErrorKind::UnknownFunction | ErrorKind::UnknownMethod => codes::UNKNOWN_MACRO,
            _ => codes::JINJA_ERROR,
        };
        let mut diagnostic = Diagnostic::error(code, message);
        for (index, span) in self.shown_places(error, template).into_iter().enumerate() {
            diagnostic = diagnostic.at(span, if index == 0 { "" } else { "called here" });
        }
        if let Some(template) = template
            && !diagnostic
                .labels
                .iter()
                .any(|l| l.span.file == template.file)
        {
            let path = self.0.sources.file(template.file).path.clone();
            diagnostic = diagnostic.note(format!("while rendering {}", path.display()));
        } else if template.is_none() {
            diagnostic = diagnostic.note(format!("while working on {}", run.node.id));
        }
        match hint {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        }
    }

    /// The places of an error worth showing: those in built-in macros say little to a user, so
    /// they stand only where there is no other.
    fn shown_places(&self, error: &Error, template: Option<&Template>) -> Vec<Span> {
        let places = places(error);
        let is_builtin = |place: &&Place| {
            let def = self.0.shared.macros.by_id(&place.template);
            def.is_some_and(|def| def.package == BUILTIN)
        };
        let span = |place: &Place| self.span(place, template);
        let mut spans: Vec<Span> = places
            .iter()
            .filter(|p| !is_builtin(p))
            .filter_map(span)
            .collect();
        if spans.is_empty() {
            spans = places.iter().filter_map(span).collect();
        }
        spans.dedup();
        spans.truncate(MAX_PLACES);
        spans
    }

    fn span(&self, place: &Place, template: Option<&Template>) -> Option<Span> {
        let (file, line) = if place.template == TEMPLATE {
            let template = template?;
            (template.file, template.first_line + place.line - 1)
        } else {
            let def = self.0.shared.macros.by_id(&place.template)?;
            (def.source.file, place.line)
        };
        Some(tags_of(
            self.0.sources.line_span(file, line),
            &self.0.sources,
        ))
    }

    fn explain(&self, run: &Run, error: &Error, inner: &Error) -> (String, Option<String>) {
        if let Some(LookupError { message, hint }) = lookup_error(error) {
            return (message, hint);
        }
        let detail = inner.detail().unwrap_or_default();
        if inner.kind() == ErrorKind::UnknownFunction
            && let Some(name) = detail.split_whitespace().next()
        {
            let names = self.0.shared.macros.names(&run.node.package);
            let globals = self.0.run.globals().map(|(name, _)| name);
            let near = nearest(name, names.into_iter().chain(globals));
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "define the macro, or install the package that has it".to_owned(),
            };
            return (format!("`{name}` is not defined"), Some(hint));
        }
        let message = if detail.is_empty() {
            inner.kind().to_string()
        } else {
            detail.to_owned()
        };
        (message, None)
    }
}

/// The part of a line from its first tag to its last; the line without its indent where there
/// is none. The engine tells lines only.
fn tags_of(line: Span, sources: &SourceMap) -> Span {
    let file = sources.file(line.file);
    let text = &file.text[line.start as usize..line.end as usize];
    let indent = text.len() - text.trim_start().len();
    let open = text.find("{{").into_iter().chain(text.find("{%")).min();
    let close = text.rfind("}}").into_iter().chain(text.rfind("%}")).max();
    let (start, end) = match (open, close) {
        (Some(open), Some(close)) if open < close => (open, close + 2),
        _ => (indent, text.trim_end().len().max(indent)),
    };
    Span {
        file: line.file,
        start: line.start + start as u32,
        end: line.start + end as u32,
    }
}

/// The engine's name for the template that a caller gave.
pub(super) const TEMPLATE: &str = "template";

/// A diagnostic shows at most so many places of a chain of calls.
const MAX_PLACES: usize = 6;

fn environment(shared: &Arc<Shared>, undefined: UndefinedBehavior) -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(undefined);
    env.set_debug(false);
    env.set_recursion_limit(RECURSION_LIMIT);
    env.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    value::register(&mut env);
    functions::register(&mut env, shared);
    env.add_function("__invoke", invoke);
    env.set_unknown_method_callback(functions::methods::unknown_method);
    let macros = Arc::clone(&shared.macros);
    env.set_loader(move |name| match name {
        "__boot" => Ok(Some(BOOT.to_owned())),
        "__call" => Ok(Some(CALL.to_owned())),
        name => macros.by_id(name).map(|def| macro_source(def)).transpose(),
    });
    env
}

/// The arguments of a call from Rust.
fn arguments(def: &MacroDef, args: &[(Option<&str>, Arg)]) -> Vec<Value> {
    let has = |name: &str| def.block.params.iter().any(|p| p.name == name);
    let by_order = !def.block.kwargs && args.iter().any(|(name, _)| name.is_some_and(|n| !has(n)));
    let mut values: Vec<Value> = Vec::new();
    let mut named: Vec<(&str, Value)> = Vec::new();
    for (name, arg) in args {
        match name {
            Some(name) if !by_order => named.push((name, from_arg(arg))),
            _ => values.push(from_arg(arg)),
        }
    }
    if !named.is_empty() {
        values.push(Value::from(Kwargs::from_iter(named)));
    }
    values
}

/// The rewritten template of a macro.
fn macro_source(def: &MacroDef) -> Result<String, Error> {
    let template = macro_template(&def.source.text, &def.block);
    rewrite::rewrite(&template).map_err(|e| {
        let place = Place {
            template: def.unique_id.clone(),
            line: template[..e.at.min(template.len())].matches('\n').count() + 1,
        };
        let message = e.message.clone();
        Error::new(ErrorKind::SyntaxError, e.message).with_source(MacroSyntax { message, place })
    })
}

fn invoke(state: &mut State<'_, '_>) -> Result<Value, Error> {
    let run = RenderState::run(state)?;
    let Some((callee, args)) = run.take_invocation() else {
        return Err(super::error::fail("there is nothing to call"));
    };
    let value = callee.call(state, &args)?;
    run.set_outcome(value);
    Ok(Value::from(""))
}
