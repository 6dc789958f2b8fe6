//! The `adapter` object. At parse time its lookups answer nothing, as dbt's do.

use std::sync::Arc;

use minijinja::value::{Kwargs, Object, ObjectRepr, Tuple, Value, from_args};
use minijinja::{Error, ErrorKind, State};
use serde_json::Value as Json;

use crate::jinja::callable::MacroCallable;
use crate::jinja::context::{RenderState, Run};
use crate::jinja::error::{fail, fail_with};
use crate::jinja::native::{
    BoundMethod, column_class, columns_value, relation_class, relation_of, relation_value,
    response_value, table_value,
};
use crate::jinja::value::{Dict, List, from_json};
use crate::names::{Relation, quote_ident};

/// `adapter` of every template; the render is found in the State.
#[derive(Debug)]
pub(in crate::jinja) struct Adapter;

/// `api`: the classes that templates make relations and columns with.
pub(super) fn api() -> Value {
    let classes = [("Relation", relation_class()), ("Column", column_class())];
    Dict::value(
        classes
            .into_iter()
            .map(|(k, v)| (Value::from(k), v))
            .collect(),
    )
}

type Method = fn(&Arc<Run>, &mut State<'_, '_>, &[Value]) -> Result<Value, Error>;

/// The methods by name.
const METHODS: &[(&str, Method)] = &[
    ("dispatch", dispatch),
    ("execute", execute),
    ("add_query", add_query),
    ("get_relation", get_relation),
    ("list_relations", list_relations),
    ("list_relations_without_caching", list_relations),
    ("list_schemas", list_schemas),
    ("check_schema_exists", check_schema_exists),
    ("get_columns_in_relation", get_columns),
    ("get_column_schema_from_query", get_column_schema),
    ("get_missing_columns", get_missing_columns),
    ("expand_target_column_types", expand_column_types),
    ("expand_column_types", expand_column_types),
    ("create_schema", |_, s, a| macro_call(s, "create_schema", a)),
    ("drop_schema", |_, s, a| macro_call(s, "drop_schema", a)),
    ("drop_relation", |_, s, a| macro_call(s, "drop_relation", a)),
    ("truncate_relation", |_, s, a| {
        macro_call(s, "truncate_relation", a)
    }),
    ("rename_relation", |_, s, a| {
        macro_call(s, "rename_relation", a)
    }),
    ("quote", quote),
    ("quote_as_configured", quote_as_configured),
    ("quote_seed_column", quote_seed_column),
    ("already_exists", already_exists),
    ("type", |_, _, _| Ok(Value::from("postgres"))),
    ("commit", commit),
    ("release_connection", |_, _, _| Ok(Value::from(""))),
    ("nice_connection_name", |_, _, _| Ok(Value::from("master"))),
    ("cache_added", |_, _, _| Ok(Value::from(""))),
    ("cache_dropped", |_, _, _| Ok(Value::from(""))),
    ("cache_renamed", |_, _, _| Ok(Value::from(""))),
    ("verify_database", |_, _, _| Ok(Value::from(""))),
    ("valid_incremental_strategies", strategies),
    ("get_incremental_strategy_macro", strategy_macro),
    ("convert_type", convert_type),
    ("parse_index", parse_index),
];

impl Object for Adapter {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let key = key.as_str()?;
        match key {
            "Relation" => return Some(relation_class()),
            "Column" => return Some(column_class()),
            _ => {}
        }
        let (name, _) = METHODS.iter().find(|(name, _)| *name == key)?;
        Some(BoundMethod::value(
            Value::from_dyn_object(Arc::clone(self)),
            name,
        ))
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let Some((_, call)) = METHODS.iter().find(|(name, _)| *name == method) else {
            let known = METHODS.iter().map(|(name, _)| *name);
            let hint = match crate::diag::nearest(method, known) {
                Some(near) => format!("did you mean adapter.{near}()?"),
                None => "see the list of adapter methods in dbt's documentation".to_owned(),
            };
            let found = fail_with(format!("the adapter has no method `{method}`"), hint);
            return Err(found);
        };
        let run = RenderState::run(state)?;
        call(&run, state, args)
    }
}

/// Calls the macro of that name as the node sees it.
fn macro_call(state: &mut State<'_, '_>, name: &str, args: &[Value]) -> Result<Value, Error> {
    let run = RenderState::run(state)?;
    if !run.executes() {
        return Ok(Value::from(()));
    }
    match run.macro_named(name) {
        Some(found) => found.call(state, args),
        None => Err(Error::new(
            ErrorKind::UnknownFunction,
            format!("{name} is unknown"),
        )),
    }
}

/// An argument by its place or one of its names.
fn argument(
    kwargs: &Kwargs,
    positional: Option<Value>,
    names: &[&str],
) -> Result<Option<Value>, Error> {
    if positional.is_some() {
        return Ok(positional);
    }
    for name in names {
        if let Some(value) = kwargs.get::<Option<Value>>(name)? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

fn text(value: Option<Value>) -> String {
    value
        .filter(|v| !v.is_none() && !v.is_undefined())
        .map_or_else(String::new, |v| v.to_string())
}

fn dispatch(run: &Arc<Run>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (name, namespace, kwargs): (Option<String>, Option<Value>, Kwargs) = from_args(args)?;
    let name = match name {
        Some(name) => name,
        None => kwargs.get::<String>("macro_name")?,
    };
    let namespace = argument(&kwargs, namespace, &["macro_namespace"])?;
    let namespace = namespace.as_ref().and_then(Value::as_str);
    if name.contains('.') {
        return Err(fail_with(
            format!("adapter.dispatch('{name}') must not name the package with a dot"),
            "give the package as the second argument: adapter.dispatch('macro', 'package')",
        ));
    }
    match run
        .shared
        .macros
        .dispatch(&run.node.package, &name, namespace)
    {
        Ok(found) => Ok(MacroCallable::value(found)),
        Err(tried) => Err(fail_with(
            format!("adapter.dispatch finds no macro `{name}`"),
            format!("none of these exists: {}", tried.join(", ")),
        )),
    }
}

fn execute(run: &Arc<Run>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    query(run, args, false)
}

fn add_query(run: &Arc<Run>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    query(run, args, true)
}

/// Ends the transaction in which a materialization works.
fn commit(run: &Arc<Run>, _: &mut State<'_, '_>, _: &[Value]) -> Result<Value, Error> {
    if run.executes() {
        let done = run.database()?.commit();
        done.map_err(crate::jinja::error::raise)?;
    }
    Ok(Value::from(""))
}

/// Runs SQL, in a transaction where `auto_begin` says so.
fn query(run: &Arc<Run>, args: &[Value], auto_begin: bool) -> Result<Value, Error> {
    let (sql, kwargs): (Option<Value>, Kwargs) = {
        let positional: Vec<Value> = args
            .iter()
            .filter(|v| !v.is_kwargs())
            .take(1)
            .cloned()
            .collect();
        let kwargs = args.iter().find(|v| v.is_kwargs()).cloned();
        let kwargs = match kwargs {
            Some(kwargs) => Kwargs::try_from(kwargs)?,
            None => Kwargs::from_iter(std::iter::empty::<(&str, Value)>()),
        };
        (positional.into_iter().next(), kwargs)
    };
    let sql = text(argument(&kwargs, sql, &["sql"])?);
    let begin = args.get(1).filter(|v| !v.is_kwargs()).cloned();
    let begin = argument(&kwargs, begin, &["auto_begin"])?;
    let begin = begin.map_or(auto_begin, |value| value.is_true());
    let table = if run.executes() {
        if begin {
            let begun = run.database()?.begin();
            begun.map_err(crate::jinja::error::raise)?;
        }
        run.database()?
            .query(&sql)
            .map_err(crate::jinja::error::raise)?
    } else {
        crate::jinja::Table::default()
    };
    let response = response_value(&table.status);
    Ok(Value::from(Tuple::from([response, table_value(&table)])))
}

fn get_relation(run: &Arc<Run>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (database, schema, identifier, kwargs): (
        Option<Value>,
        Option<Value>,
        Option<Value>,
        Kwargs,
    ) = from_args(args)?;
    argument(&kwargs, database, &["database"])?;
    let schema = text(argument(&kwargs, schema, &["schema"])?);
    let identifier = text(argument(&kwargs, identifier, &["identifier"])?);
    if !run.executes() {
        return Ok(Value::from(()));
    }
    let found = run.database()?.relation(&schema, &identifier);
    let found = found.map_err(crate::jinja::error::raise)?;
    Ok(found.map_or(Value::from(()), |r| relation_value(&r)))
}

fn already_exists(run: &Arc<Run>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (schema, identifier): (Value, Value) = from_args(args)?;
    if !run.executes() {
        return Ok(Value::from(false));
    }
    let found = run
        .database()?
        .relation(&schema.to_string(), &identifier.to_string());
    Ok(Value::from(
        found.map_err(crate::jinja::error::raise)?.is_some(),
    ))
}

fn list_relations(run: &Arc<Run>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (first, second, kwargs): (Option<Value>, Option<Value>, Kwargs) = from_args(args)?;
    if !run.executes() {
        return Ok(List::value(Vec::new()));
    }
    argument(&kwargs, first.clone(), &["database", "schema_relation"])?;
    let schema = match first.as_ref().and_then(relation_of) {
        Some(relation) => relation.schema,
        None => text(argument(&kwargs, second, &["schema"])?),
    };
    let found = run
        .database()?
        .relations(&schema)
        .map_err(crate::jinja::error::raise)?;
    Ok(List::value(found.iter().map(relation_value).collect()))
}

fn list_schemas(run: &Arc<Run>, _: &mut State<'_, '_>, _: &[Value]) -> Result<Value, Error> {
    if !run.executes() {
        return Ok(List::value(Vec::new()));
    }
    let schemas = run
        .database()?
        .schemas()
        .map_err(crate::jinja::error::raise)?;
    Ok(List::value(schemas.into_iter().map(Value::from).collect()))
}

fn check_schema_exists(
    run: &Arc<Run>,
    _: &mut State<'_, '_>,
    args: &[Value],
) -> Result<Value, Error> {
    let (database, schema, kwargs): (Option<Value>, Option<Value>, Kwargs) = from_args(args)?;
    argument(&kwargs, database, &["database"])?;
    let schema = text(argument(&kwargs, schema, &["schema"])?);
    if !run.executes() {
        return Ok(Value::from(false));
    }
    let schemas = run
        .database()?
        .schemas()
        .map_err(crate::jinja::error::raise)?;
    Ok(Value::from(schemas.contains(&schema)))
}

/// A relation argument, or an error that names the method.
fn relation_argument(value: Option<&Value>, method: &str) -> Result<Relation, Error> {
    value
        .and_then(relation_of)
        .ok_or_else(|| fail(format!("adapter.{method}() takes a relation")))
}

fn get_columns(run: &Arc<Run>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (relation, kwargs): (Option<Value>, Kwargs) = from_args(args)?;
    let relation = argument(&kwargs, relation, &["relation"])?;
    if !run.executes() {
        return Ok(List::value(Vec::new()));
    }
    let relation = relation_argument(relation.as_ref(), "get_columns_in_relation")?;
    let columns = run
        .database()?
        .columns(&relation)
        .map_err(crate::jinja::error::raise)?;
    Ok(columns_value(&columns))
}

/// The columns of a query's result, as the server names their types.
fn get_column_schema(
    run: &Arc<Run>,
    _: &mut State<'_, '_>,
    args: &[Value],
) -> Result<Value, Error> {
    let (sql,): (Value,) = from_args(args)?;
    if !run.executes() {
        return Ok(List::value(Vec::new()));
    }
    let table = run
        .database()?
        .query(&sql.to_string())
        .map_err(crate::jinja::error::raise)?;
    Ok(columns_value(&table.columns))
}

fn get_missing_columns(
    run: &Arc<Run>,
    _: &mut State<'_, '_>,
    args: &[Value],
) -> Result<Value, Error> {
    let (from, to, kwargs): (Option<Value>, Option<Value>, Kwargs) = from_args(args)?;
    if !run.executes() {
        return Ok(List::value(Vec::new()));
    }
    let from = argument(&kwargs, from, &["from_relation"])?;
    let to = argument(&kwargs, to, &["to_relation"])?;
    let db = run.database()?;
    let columns = |value: Option<&Value>| {
        let relation = relation_argument(value, "get_missing_columns")?;
        db.columns(&relation).map_err(crate::jinja::error::raise)
    };
    let known = columns(to.as_ref())?;
    let mut missing = columns(from.as_ref())?;
    missing.retain(|column| known.iter().all(|k| k.name != column.name));
    Ok(columns_value(&missing))
}

fn expand_column_types(
    run: &Arc<Run>,
    state: &mut State<'_, '_>,
    args: &[Value],
) -> Result<Value, Error> {
    let (from, to, kwargs): (Option<Value>, Option<Value>, Kwargs) = from_args(args)?;
    if !run.executes() {
        return Ok(Value::from(()));
    }
    let from = argument(&kwargs, from, &["from_relation", "goal"])?;
    let to = argument(&kwargs, to, &["to_relation", "current"])?;
    let source = relation_argument(from.as_ref(), "expand_target_column_types")?;
    let target = relation_argument(to.as_ref(), "expand_target_column_types")?;
    let db = run.database()?;
    let goal = db.columns(&source).map_err(crate::jinja::error::raise)?;
    let current = db.columns(&target).map_err(crate::jinja::error::raise)?;
    for column in &goal {
        let Some(old) = current.iter().find(|c| c.name == column.name) else {
            continue;
        };
        if text_size(&column.data_type) > text_size(&old.data_type)
            && text_size(&old.data_type).is_some()
        {
            let call = [
                relation_value(&target),
                Value::from(&column.name),
                Value::from(&column.data_type),
            ];
            macro_call(state, "alter_column_type", &call)?;
        }
    }
    Ok(Value::from(()))
}

/// The size of `character varying(n)`.
fn text_size(data_type: &str) -> Option<u32> {
    let (base, rest) = data_type.split_once('(')?;
    matches!(base, "character varying" | "character" | "varchar")
        .then(|| rest.trim_end_matches(')').parse().ok())
        .flatten()
}

fn quote(_: &Arc<Run>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (name, kwargs): (Option<Value>, Kwargs) = from_args(args)?;
    let name = text(argument(&kwargs, name, &["identifier"])?);
    Ok(Value::from(quote_ident(&name)))
}

fn quote_as_configured(
    run: &Arc<Run>,
    state: &mut State<'_, '_>,
    args: &[Value],
) -> Result<Value, Error> {
    let first: Vec<Value> = args.iter().take(1).cloned().collect();
    quote(run, state, &first)
}

fn quote_seed_column(
    run: &Arc<Run>,
    state: &mut State<'_, '_>,
    args: &[Value],
) -> Result<Value, Error> {
    let (name, quoted): (Value, Option<Value>) = from_args(args)?;
    match quoted {
        Some(quoted) if !quoted.is_none() && !quoted.is_true() => Ok(name),
        _ => quote(run, state, &[name]),
    }
}

const STRATEGIES: [&str; 4] = ["append", "delete+insert", "merge", "microbatch"];

fn strategies(_: &Arc<Run>, _: &mut State<'_, '_>, _: &[Value]) -> Result<Value, Error> {
    Ok(List::value(
        STRATEGIES.iter().map(|s| Value::from(*s)).collect(),
    ))
}

/// The macro that gives an incremental strategy's SQL: `get_incremental_<strategy>_sql`.
fn strategy_macro(run: &Arc<Run>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (_, strategy): (Value, Value) = from_args(args)?;
    let strategy = strategy.to_string();
    let name = format!("get_incremental_{}_sql", strategy.replace('+', "_"));
    run.macro_named(&name).ok_or_else(|| {
        fail_with(
            format!("there is no incremental strategy `{strategy}`"),
            format!(
                "define a macro {name}(arg_dict), or use one of {}",
                STRATEGIES.join(", ")
            ),
        )
    })
}

/// The SQL type for a column of a result; text stands for all that is not known.
fn convert_type(_: &Arc<Run>, _: &mut State<'_, '_>, _: &[Value]) -> Result<Value, Error> {
    Ok(Value::from("text"))
}

/// An entry of the config `indexes` with all its fields and `render(relation)`.
fn parse_index(_: &Arc<Run>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (raw,): (Value,) = from_args(args)?;
    let json = crate::jinja::value::to_json(&raw);
    let Some(Json::Array(columns)) = json.get("columns") else {
        return Err(fail_with(
            "an index needs its `columns`",
            "write indexes=[{'columns': ['a', 'b'], 'unique': true, 'type': 'btree'}]",
        ));
    };
    let entries = [
        ("columns", from_json(&Json::Array(columns.clone()))),
        (
            "unique",
            from_json(json.get("unique").unwrap_or(&Json::Bool(false))),
        ),
        ("type", from_json(json.get("type").unwrap_or(&Json::Null))),
    ];
    Ok(Dict::value(
        entries
            .into_iter()
            .map(|(k, v)| (Value::from(k), v))
            .collect(),
    ))
}
