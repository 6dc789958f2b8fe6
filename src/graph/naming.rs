//! The relation that a node builds or names: schema, name and database, and their quoting.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::build::scan_context;
use super::{Detail, Node, ResourceKind};
use crate::diag::{Diagnostic, codes};
use crate::jinja::{Arg, Engine, Names};
use crate::names::{MAX_IDENT_BYTES, Quoting, Relation};
use crate::project::{Project, StoreFailuresAs};

/// Schema, name and database by the project's `generate_*_name` macros.
pub(super) fn relation(
    project: &Project,
    engine: &Engine,
    node: &Node,
) -> Result<Relation, Diagnostic> {
    let context = scan_context(node, &node.config.raw);
    let node_arg = Arg::Json(context.model.clone());
    let names: Arc<dyn Names> = Arc::new(super::lookup::NoNames);
    let ask = |macro_name: &str, custom: Option<&str>| -> Result<String, Diagnostic> {
        let custom = Arg::Json(custom.map_or(Json::Null, |text| Json::String(text.to_owned())));
        let args = [(None, custom), (None, node_arg.clone())];
        let output = engine.call_macro(&context, macro_name, &args, Arc::clone(&names), None)?;
        Ok(output.text.trim().to_owned())
    };
    let custom_schema = node.config.schema.as_deref();
    let schema = match &node.config.target_schema {
        Some(fixed) if node.kind == ResourceKind::Snapshot => fixed.clone(),
        _ => ask("generate_schema_name", custom_schema)?,
    };
    let identifier = ask("generate_alias_name", node.config.alias.as_deref())?;
    let database = ask("generate_database_name", node.config.database.as_deref())?;
    // Postgres cuts it so wherever it is written; dbt's users have schemas that are.
    let schema = cut(schema);
    for (what, name) in [("schema", &schema), ("name", &identifier)] {
        if name.is_empty() || name.len() > MAX_IDENT_BYTES {
            let message = format!(
                "the {what} `{name}` of `{}` does not fit Postgres",
                node.name
            );
            return Err(Diagnostic::error(codes::NODE_CONFIG, message)
                .in_file(&node.path)
                .hint(format!(
                    "use 1 to {MAX_IDENT_BYTES} bytes; `alias` gives a shorter name"
                )));
        }
    }
    let mut quoting = quoting(&project.root_package().file.quoting);
    if let Some(own) = node.config.raw.get("quoting").and_then(Json::as_object) {
        let own = own
            .iter()
            .filter_map(|(k, v)| Some((k.clone(), v.as_bool()?)))
            .collect();
        quoting = overlay(quoting, &own);
    }
    Ok(Relation {
        quoting,
        ..Relation::new(database, schema, identifier)
    })
}

fn cut(mut name: String) -> String {
    let mut end = name.len().min(MAX_IDENT_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.truncate(end);
    name
}

/// Where a test's failing rows are kept by its config: in dbt's `dbt_test__audit` under the
/// test's short name, unless it names others; `None` where they are not kept.
pub(super) fn failures(
    project: &Project,
    engine: &Engine,
    node: &Node,
) -> Result<Option<Relation>, Diagnostic> {
    let stored = match (node.config.store_failures_as, node.config.store_failures) {
        (Some(StoreFailuresAs::Ephemeral), _) => false,
        (Some(_), _) => true,
        (None, stored) => stored.unwrap_or(false),
    };
    if !stored {
        return Ok(None);
    }
    let mut named = node.clone();
    let config = &mut named.config;
    config
        .schema
        .get_or_insert_with(|| "dbt_test__audit".to_owned());
    if let Detail::GenericTest(test) = &node.detail {
        config.alias.get_or_insert_with(|| test.short_name.clone());
    }
    // Long names are shortened when they are used.
    Ok(relation(project, engine, &named).ok())
}

/// The schema of a test whose failing rows are not kept, where the project names schemas itself.
pub(super) fn test_schema(
    project: &Project,
    engine: &Engine,
    node: &Node,
) -> Result<Option<String>, Diagnostic> {
    if engine.is_builtin("generate_schema_name", &node.package) && node.config.schema.is_none() {
        return Ok(None);
    }
    let mut named = node.clone();
    let schema = &mut named.config.schema;
    schema.get_or_insert_with(|| "dbt_test__audit".to_owned());
    named.config.alias = Some("x".to_owned());
    Ok(Some(relation(project, engine, &named)?.schema))
}

fn quoting(map: &IndexMap<String, bool>) -> Quoting {
    overlay(Quoting::default(), map)
}

fn overlay(base: Quoting, map: &IndexMap<String, bool>) -> Quoting {
    let get = |key: &str, base: bool| map.get(key).copied().unwrap_or(base);
    Quoting {
        database: get("database", base.database),
        schema: get("schema", base.schema),
        identifier: get("identifier", base.identifier),
    }
}

pub(super) fn source_relation(project: &Project, table: &crate::project::SourceTable) -> Relation {
    let default = project
        .target
        .output
        .get("dbname")
        .or(project.target.output.get("database"));
    let default = default
        .and_then(Json::as_str)
        .unwrap_or_default()
        .to_owned();
    let base = quoting(&project.root_package().file.quoting);
    Relation {
        quoting: overlay(base, &table.quoting),
        ..Relation::new(
            table.database.clone().unwrap_or(default),
            table.schema.clone(),
            table.identifier.clone(),
        )
    }
}
