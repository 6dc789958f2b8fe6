//! `ref`, `source`, `var`, `env_var`: names that somebody else answers.

use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::value::{Kwargs, Value, ValueKind, from_args};
use minijinja::{Error, State};
use serde_json::Value as Json;

use super::Body;
use crate::diag::nearest;
use crate::jinja::context::{Mode, RenderState, Root, Run};
use crate::jinja::engine::{INCLUDE_BOOT, TEMPLATE};
use crate::jinja::error::{fail_with, raise};
use crate::jinja::native::read_relation;
use crate::jinja::rewrite;
use crate::jinja::value::from_json;
use crate::jinja::{FunctionCall, RefCall, SourceCall};

/// The functions by name.
pub(super) const FUNCTIONS: &[(&str, Body)] = &[
    ("ref", reference),
    ("source", source),
    ("function", user_function),
    ("var", variable),
    ("env_var", environment),
];

/// Variables with these prefixes are secret.
const SECRET: [&str; 2] = ["DBT_ENV_SECRET", "MARTS_ENV_SECRET"];

pub(super) fn reference(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (first, second, kwargs): (Value, Option<Value>, Kwargs) = from_args(args)?;
    let text = |value: &Value| match value.as_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(fail_with(
            format!("ref() got a {} where a name is expected", value.kind()),
            "write ref('model') or ref('package', 'model')",
        )),
    };
    let version = match kwargs.get::<Option<Value>>("v")? {
        Some(version) => Some(version),
        None => kwargs.get::<Option<Value>>("version")?,
    };
    kwargs.assert_all_used()?;
    let call = match second {
        Some(name) => RefCall {
            package: Some(text(&first)?),
            name: text(&name)?,
            version: version.map(|v| v.to_string()),
        },
        None => RefCall {
            package: None,
            name: text(&first)?,
            version: version.map(|v| v.to_string()),
        },
    };
    let run = RenderState::run(state)?;
    match &run.mode {
        Mode::Scan(_) => {
            let placeholder = run.placeholder(None, &call.name);
            if let Some(mut scan) = run.scan()
                && !scan.refs.iter().any(|(known, _)| *known == call)
            {
                scan.refs.push((call, 0));
            }
            Ok(placeholder)
        }
        Mode::Live { names, .. } => names
            .resolve_ref(&run.node, &call)
            .map(|relation| read_relation(&relation, names.read_as(&run.node, &relation)))
            .map_err(raise),
    }
}

fn source(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (source, table): (String, String) = from_args(args).map_err(|_| {
        fail_with(
            "source() takes two names",
            "write source('source_name', 'table_name')",
        )
    })?;
    let call = SourceCall { source, table };
    let run = RenderState::run(state)?;
    match &run.mode {
        Mode::Scan(_) => {
            let placeholder = run.placeholder(Some(&call.source), &call.table);
            if let Some(mut scan) = run.scan()
                && !scan.sources.iter().any(|(known, _)| *known == call)
            {
                scan.sources.push((call, 0));
            }
            Ok(placeholder)
        }
        Mode::Live { names, .. } => names
            .resolve_source(&run.node, &call)
            .map(|relation| read_relation(&relation, names.read_as(&run.node, &relation)))
            .map_err(raise),
    }
}

/// `function('name')`: a user-defined function of the project.
fn user_function(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (first, second): (String, Option<String>) = from_args(args).map_err(|_| {
        fail_with(
            "function() takes one or two names",
            "write function('name') or function('package', 'name')",
        )
    })?;
    let (package, name) = match second {
        Some(name) => (Some(first), name),
        None => (None, first),
    };
    let call = FunctionCall { package, name };
    let run = RenderState::run(state)?;
    match &run.mode {
        Mode::Scan(_) => {
            let placeholder = run.placeholder(None, &call.name);
            if let Some(mut scan) = run.scan()
                && !scan.functions.iter().any(|(known, _)| *known == call)
            {
                scan.functions.push((call, 0));
            }
            Ok(placeholder)
        }
        Mode::Live { names, .. } => names
            .resolve_function(&run.node, &call)
            .map(|relation| read_relation(&relation, None))
            .map_err(raise),
    }
}

/// `var`: also an object, for `var.has_var(…)`.
fn variable(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (name, _, _): (String, Option<Value>, Kwargs) = from_args(args)?;
    let run = RenderState::run(state)?;
    let said = find_var(&run, &name);
    if let Some(Json::String(text)) = said
        && ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark))
    {
        return rendered_var(state, &run, &name, text);
    }
    let found = var(said, &name, given(args, 1, "default"));
    match &run.mode {
        // As in dbt, a project reads without a var that only nodes need that do not run now.
        Mode::Scan(_) => Ok(found.unwrap_or(Value::from(()))),
        Mode::Live { .. } => found,
    }
}

/// Vars that name each other, at most.
const MAX_VARS: usize = 10;

/// A var whose text is itself a template, such as `"{{ ref('events') }}"`: it is rendered where it is asked
/// for, so that packages can be told what to read.
fn rendered_var(
    state: &mut State<'_, '_>,
    run: &Arc<Run>,
    name: &str,
    text: &str,
) -> Result<Value, Error> {
    let wrong = |message: String| {
        let hint = "correct its value under `vars:` of the project or in --vars";
        fail_with(
            format!("the var `{name}` cannot be rendered: {message}"),
            hint,
        )
    };
    let text = rewrite::normalise(text);
    let rewritten = rewrite::rewrite(&text).map_err(|e| wrong(e.message))?;
    let _depth = run
        .deeper(MAX_VARS)
        .ok_or_else(|| wrong("it asks for itself".to_owned()))?;
    let root = Value::from_object(Root(Arc::clone(run)));
    let source = format!("{INCLUDE_BOOT}{rewritten}");
    let rendered = state.env().render_named_str(TEMPLATE, &source, root)?;
    Ok(Value::from(rendered))
}

/// An argument by place or name; `none` counts as given, which `Option<Value>` would hide.
pub(in crate::jinja) fn given(args: &[Value], at: usize, name: &str) -> Option<Value> {
    match args.get(at) {
        Some(value) if !value.is_kwargs() => Some(value.clone()),
        _ => {
            let kwargs = args.last().filter(|v| v.is_kwargs())?;
            Kwargs::try_from(kwargs.clone())
                .ok()?
                .peek::<Value>(name)
                .ok()
        }
    }
}

/// The value of a var for a node: the command line, then what the root project says for the
/// node's package, then the root project, then the package itself in the same order.
pub(in crate::jinja) fn find_var<'r>(run: &'r Run, name: &str) -> Option<&'r Json> {
    let settings = &run.shared.settings;
    let package = &run.node.package;
    let said = |project: &str| {
        let vars = settings.vars.get(project)?;
        let own = vars.get(package).and_then(|own| own.get(name));
        own.or_else(|| vars.get(name))
    };
    let of_root = || said(&settings.project_name);
    settings
        .cli_vars
        .get(name)
        .or_else(of_root)
        .or_else(|| said(package))
}

/// `var.has_var('name')`: whether anybody gave the var a value.
pub(super) fn has_var(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (name,): (String,) = from_args(args)?;
    let run = RenderState::run(state)?;
    Ok(Value::from(find_var(&run, &name).is_some()))
}

/// The value found, the default, or an error that names the var.
pub(in crate::jinja) fn var(
    found: Option<&Json>,
    name: &str,
    default: Option<Value>,
) -> Result<Value, Error> {
    if let Some(json) = found {
        return Ok(from_json(json));
    }
    default.filter(|d| !d.is_undefined()).ok_or_else(|| {
        fail_with(
            format!("the var `{name}` has no value"),
            format!("set it under `vars:` of the project or with --vars '{{{name}: …}}', or give a default: var('{name}', …)"),
        )
    })
}

fn environment(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (name, default): (String, Option<Value>) = from_args(args)?;
    let run = RenderState::run(state)?;
    env_var(&run.shared.settings.env, false, &name, default)
}

/// The value of an environment variable as text. Secrets are refused unless allowed.
pub(in crate::jinja) fn env_var(
    env: &IndexMap<String, String>,
    secrets: bool,
    name: &str,
    default: Option<Value>,
) -> Result<Value, Error> {
    if !secrets && SECRET.iter().any(|prefix| name.starts_with(prefix)) {
        return Err(fail_with(
            format!("the secret environment variable {name} may not be read here"),
            "secrets are allowed only in profiles.yml and packages.yml",
        ));
    }
    if let Some(value) = env.get(name) {
        return Ok(Value::from(value));
    }
    match default {
        Some(default) if default.kind() == ValueKind::None => Ok(Value::from("None")),
        Some(default) if !default.is_undefined() => Ok(default),
        _ => {
            let names = env.keys().map(String::as_str);
            let hint = match nearest(name, names) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("export {name}=…, or give a default: env_var('{name}', '…')"),
            };
            Err(fail_with(
                format!("the environment variable {name} is not set"),
                hint,
            ))
        }
    }
}
