//! One render: who asks, in which mode, and what was found. The render's root is an object that
//! answers node names, then the package's macros; the engine's globals come last.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use indexmap::IndexMap;
use minijinja::value::{Kwargs, Object, Value, from_args};
use minijinja::{Error, ErrorKind, State};

use serde_json::Value as Json;

use super::error::fail;
use super::functions::config::ConfigObject;
use super::native::{columns_value, relation_value};
use super::overrides;
use super::registry::{Macros, Table};
use super::value::{Dict, List, from_json};
use super::{Arg, Database, Names, NodeContext, Scan, Settings};
use crate::names::Relation;

/// What every render of an engine shares.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) macros: Arc<Macros>,
    /// What macros return instead of being run, by `name` or `package.name`.
    pub(super) overrides: IndexMap<String, Json>,
    /// dbt's `graph` variable, once it is known.
    pub(super) graph: Arc<OnceLock<Value>>,
    /// What `selected_resources` lists, once it is known.
    pub(super) selected: Arc<OnceLock<Vec<String>>>,
}

/// Parse or run.
pub(super) enum Mode {
    /// Parse time: nothing is looked up, what the template says is noted.
    Scan(Mutex<Scan>),
    /// Run time.
    Live {
        names: Arc<dyn Names>,
        db: Option<Arc<dyn Database>>,
    },
}

/// One render of one template.
pub(super) struct Run {
    pub(super) shared: Arc<Shared>,
    pub(super) node: Arc<NodeContext>,
    pub(super) mode: Mode,
    table: Arc<Table>,
    model: OnceLock<Value>,
    /// Methods that were called on something undefined at parse time.
    undefined_methods: Mutex<Vec<String>>,
    results: Mutex<HashMap<String, Value>>,
    /// What `context.update` put there; mostly nothing.
    added: OnceLock<Mutex<HashMap<String, Value>>>,
    /// How many vars are being rendered inside each other.
    depth: AtomicUsize,
    invocation: Mutex<Option<(Value, Vec<Value>)>>,
    outcome: Mutex<Option<Value>>,
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<render of {}>", self.node.id)
    }
}

impl Run {
    pub(super) fn new(shared: &Arc<Shared>, node: Arc<NodeContext>, mode: Mode) -> Arc<Self> {
        let table = shared.macros.table(&node.package);
        let table = overrides::over(table, &shared.overrides);
        Arc::new(Self {
            shared: Arc::clone(shared),
            node,
            mode,
            table,
            model: OnceLock::new(),
            undefined_methods: Mutex::default(),
            results: Mutex::default(),
            added: OnceLock::new(),
            depth: AtomicUsize::new(0),
            invocation: Mutex::default(),
            outcome: Mutex::default(),
        })
    }

    /// What the scan found so far; `None` at run time.
    pub(super) fn scan(&self) -> Option<MutexGuard<'_, Scan>> {
        match &self.mode {
            Mode::Scan(scan) => Some(scan.lock().unwrap_or_else(|p| p.into_inner())),
            Mode::Live { .. } => None,
        }
    }

    /// The database, or an error that says why there is none.
    pub(super) fn database(&self) -> Result<&Arc<dyn Database>, Error> {
        match &self.mode {
            Mode::Live { db: Some(db), .. } => Ok(db),
            _ => Err(super::error::fail_with(
                "this template needs the database, but is rendered without a connection",
                "guard the query with `{% if execute %}`",
            )),
        }
    }

    /// Whether queries are to be run.
    pub(super) fn executes(&self) -> bool {
        self.node.execute && matches!(self.mode, Mode::Live { .. })
    }

    pub(super) fn note_macro(&self, unique_id: &str) {
        if let Some(mut scan) = self.scan()
            && !scan.macros.iter().any(|known| known == unique_id)
        {
            scan.macros.push(unique_id.to_owned());
        }
    }

    /// Methods that were called on something undefined.
    pub(super) fn undefined_methods(&self) -> MutexGuard<'_, Vec<String>> {
        self.undefined_methods
            .lock()
            .unwrap_or_else(|p| p.into_inner())
    }

    /// Whether a bare name means something in this render, apart from what templates assign.
    pub(super) fn knows(&self, name: &str) -> bool {
        let own = [
            "this",
            "model",
            "execute",
            "config",
            "context",
            "graph",
            "selected_resources",
        ];
        own.contains(&name)
            || self.added(name).is_some()
            || self.node.extra.contains_key(name)
            || self.table.contains_key(name)
    }

    /// One level deeper until what it gives is dropped; `None` below `limit` levels.
    pub(super) fn deeper(&self, limit: usize) -> Option<Depth<'_>> {
        let depth = Depth(&self.depth);
        (self.depth.fetch_add(1, Ordering::Relaxed) < limit).then_some(depth)
    }

    /// What a template put into its context under this name.
    fn added(&self, name: &str) -> Option<Value> {
        let added = self.added.get()?.lock();
        added.unwrap_or_else(|p| p.into_inner()).get(name).cloned()
    }

    /// `context.update({'name': value})`: macros that are called later see the name.
    fn update(&self, args: &[Value]) -> Result<Value, Error> {
        let (pairs, kwargs): (Option<Value>, Kwargs) = from_args(args)?;
        let mut added = self.added.get_or_init(Mutex::default).lock();
        let added = added.as_mut().map_err(|_| fail("the context is lost"))?;
        if let Some(pairs) = pairs {
            for key in pairs.try_iter()? {
                let value = pairs.get_item(&key)?;
                added.insert(key.to_string(), value);
            }
        }
        for name in kwargs.args() {
            added.insert(name.to_owned(), kwargs.get(name)?);
        }
        Ok(Value::from(()))
    }

    /// The named results of statements.
    pub(super) fn results(&self) -> MutexGuard<'_, HashMap<String, Value>> {
        self.results.lock().unwrap_or_else(|p| p.into_inner())
    }

    /// Sets the macro and arguments of a call from outside of templates.
    pub(super) fn set_invocation(&self, callee: Value, args: Vec<Value>) {
        *self.invocation.lock().unwrap_or_else(|p| p.into_inner()) = Some((callee, args));
    }

    pub(super) fn take_invocation(&self) -> Option<(Value, Vec<Value>)> {
        self.invocation
            .lock()
            .unwrap_or_else(|p| p.into_inner())
            .take()
    }

    pub(super) fn set_outcome(&self, value: Value) {
        *self.outcome.lock().unwrap_or_else(|p| p.into_inner()) = Some(value);
    }

    pub(super) fn take_outcome(&self) -> Option<Value> {
        self.outcome
            .lock()
            .unwrap_or_else(|p| p.into_inner())
            .take()
    }

    fn model(&self) -> Value {
        self.model
            .get_or_init(|| from_json(&self.node.model))
            .clone()
    }

    /// What a name stands for at parse time, when nothing is known of it yet.
    pub(super) fn placeholder(&self, schema: Option<&str>, name: &str) -> Value {
        let target = &self.shared.settings.target;
        let part = |key: &str| target.get(key).and_then(Json::as_str).unwrap_or_default();
        let schema = schema.unwrap_or_else(|| part("schema"));
        relation_value(&Relation::new(part("dbname"), schema, name))
    }

    fn node_name(&self) -> &str {
        let name = self.node.model.get("name").and_then(Json::as_str);
        name.unwrap_or_else(|| self.node.id.as_str())
    }

    /// The macro of a bare name, as a value.
    pub(super) fn macro_named(&self, name: &str) -> Option<Value> {
        self.table.get(name).cloned()
    }
}

/// A level of vars inside vars.
pub(super) struct Depth<'r>(&'r AtomicUsize);

impl Drop for Depth<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An argument as a value of templates.
pub(super) fn from_arg(arg: &Arg) -> Value {
    match arg {
        Arg::Json(json) => from_json(json),
        Arg::Relation(relation) => relation_value(relation),
        Arg::Columns(columns) => columns_value(columns),
        Arg::List(items) => List::value(items.iter().map(from_arg).collect()),
        Arg::Dict(entries) => Dict::value(
            entries
                .iter()
                .map(|(k, v)| (Value::from(k.as_str()), from_arg(v)))
                .collect(),
        ),
    }
}

/// The root object of a render.
#[derive(Debug)]
pub(super) struct Root(pub(super) Arc<Run>);

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        match method {
            "update" => self.0.update(args),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let run = &self.0;
        if let Some(added) = run.added(key) {
            return Some(added);
        }
        match key {
            "this" => {
                return Some(match (&run.node.this, &run.mode) {
                    (Some(this), _) => relation_value(this),
                    (None, Mode::Scan(_)) => run.placeholder(None, run.node_name()),
                    (None, Mode::Live { .. }) => Value::from(()),
                });
            }
            "model" => return Some(run.model()),
            "execute" => return Some(Value::from(run.node.execute)),
            "config" => return Some(Value::from_object(ConfigObject(Arc::clone(run)))),
            "context" => return Some(Value::from_dyn_object(Arc::clone(self))),
            "graph" => {
                return match &run.mode {
                    Mode::Live { .. } => run.shared.graph.get().cloned(),
                    Mode::Scan(_) => Some(Value::from(())),
                };
            }
            "selected_resources" => {
                let ids = run.shared.selected.get().into_iter().flatten();
                return Some(List::value(ids.map(Value::from).collect()));
            }
            "__run" => return Some(Value::from_dyn_object(Arc::new(RunHandle(Arc::clone(run))))),
            _ => {}
        }
        if let Some(extra) = run.node.extra.get(key) {
            return Some(from_arg(extra));
        }
        run.table.get(key).cloned()
    }
}

/// Carries the render into its State.
#[derive(Debug)]
pub(super) struct RunHandle(pub(super) Arc<Run>);

impl Object for RunHandle {}

/// What a State knows of its render: a typed extension, put there by the first line of every
/// template.
pub(super) struct RenderState {
    pub(super) run: Arc<Run>,
    /// The macro that imports a macro's template into this State.
    pub(super) loader: Value,
    /// The macros imported so far, by unique id.
    pub(super) macros: HashMap<String, Value>,
}

impl RenderState {
    /// The session of a State.
    pub(super) fn of<'s>(state: &'s State<'_, '_>) -> Result<&'s Self, Error> {
        state
            .get_extension::<Self>()
            .ok_or_else(|| fail("this value can only be used inside of a render"))
    }

    /// The render of a State.
    pub(super) fn run(state: &State<'_, '_>) -> Result<Arc<Run>, Error> {
        Ok(Arc::clone(&Self::of(state)?.run))
    }

    /// `__boot(loader)`: the first thing every template does.
    pub(super) fn boot(state: &mut State<'_, '_>, loader: Value) -> Result<Value, Error> {
        let handle = state.lookup("__run").unwrap_or_default();
        let Some(handle) = handle.downcast_object::<RunHandle>() else {
            return Err(fail("the render has no context"));
        };
        state.get_or_insert_extension_with(|| Self {
            run: Arc::clone(&handle.0),
            loader,
            macros: HashMap::new(),
        });
        Ok(Value::from(""))
    }

    /// `__keep(id, macro)`: a macro has been imported.
    pub(super) fn keep(
        state: &mut State<'_, '_>,
        id: String,
        value: Value,
    ) -> Result<Value, Error> {
        if let Some(session) = state.get_extension_mut::<Self>() {
            session.macros.insert(id, value);
        }
        Ok(Value::from(""))
    }
}
