//! The relation that a node builds or names: schema, name and database, and their quoting.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::build::scan_context;
use super::{Detail, Node, ResourceKind};
use crate::diag::{Diagnostic, codes};
use crate::jinja::{Arg, Engine, Names};
use crate::names::{MAX_IDENT_BYTES, Quoting, Relation};
use crate::project::{Project, StoreFailuresAs};

/// The schema and database that a custom name makes, by macro, package and custom name.
type Made = HashMap<(&'static str, String, Option<String>), String>;

/// Names relations for one project.
///
/// The built-in macros look at little: the schema and the database depend on the custom name alone, and without
/// an alias or version the name is the node's. So their answers are kept, where a project has
/// not put its own in their place; thousands of nodes otherwise spend a quarter of parsing here.
pub(super) struct Naming<'a> {
    pub(super) project: &'a Project,
    pub(super) engine: &'a Engine,
    made: Mutex<Made>,
}

impl<'a> Naming<'a> {
    pub(super) fn new(project: &'a Project, engine: &'a Engine) -> Self {
        Self {
            project,
            engine,
            made: Mutex::default(),
        }
    }

    /// Schema, name and database by the project's `generate_*_name` macros.
    pub(super) fn relation(&self, node: &Node) -> Result<Relation, Diagnostic> {
        let config = &node.config;
        let schema = match &config.target_schema {
            Some(fixed) if node.kind == ResourceKind::Snapshot => fixed.clone(),
            _ => self.kept("generate_schema_name", node, config.schema.as_deref())?,
        };
        // Postgres cuts it so wherever it is written; dbt's users have schemas that are.
        let schema = cut(schema);
        let identifier = self.identifier(node)?;
        let database = self.kept("generate_database_name", node, config.database.as_deref())?;
        if identifier.is_empty() || schema.is_empty() {
            return Err(unfit(node, &identifier));
        }
        let mut quoting = quoting(&self.project.root_package().file.quoting);
        if let Some(own) = config.raw.get("quoting").and_then(Json::as_object) {
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

    fn identifier(&self, node: &Node) -> Result<String, Diagnostic> {
        let name = "generate_alias_name";
        let alias = node.config.alias.as_deref();
        let plain = alias.is_none() && node.name.trim() == node.name;
        let plain = plain && node.model.version.is_none();
        match plain && self.engine.is_builtin(name, &node.package) {
            true => Ok(node.name.clone()),
            false => self.ask(name, node, alias),
        }
    }

    /// What a built-in macro made of this custom name before, else what the macro says.
    fn kept(
        &self,
        name: &'static str,
        node: &Node,
        custom: Option<&str>,
    ) -> Result<String, Diagnostic> {
        if !self.engine.is_builtin(name, &node.package) {
            return self.ask(name, node, custom);
        }
        let key = (name, node.package.clone(), custom.map(str::to_owned));
        let made = || self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = made().get(&key) {
            return Ok(text.clone());
        }
        let text = self.ask(name, node, custom)?;
        made().insert(key, text.clone());
        Ok(text)
    }

    fn ask(&self, name: &str, node: &Node, custom: Option<&str>) -> Result<String, Diagnostic> {
        let context = scan_context(node, &node.config.raw);
        let node_arg = Arg::Json(context.model.clone());
        let custom = Arg::Json(custom.map_or(Json::Null, |text| Json::String(text.to_owned())));
        let args = [(None, custom), (None, node_arg)];
        let names: Arc<dyn Names> = Arc::new(super::lookup::NoNames);
        let output = self.engine.call_macro(&context, name, &args, names, None)?;
        Ok(output.text.trim().to_owned())
    }
}

/// What is wrong with a relation's name: Postgres would cut a longer one, and two that begin alike would be
/// one relation. As in dbt only whoever builds the node is told.
pub(crate) fn too_long(node: &Node) -> Option<Diagnostic> {
    let name = &node.relation.as_ref()?.identifier;
    (name.len() > MAX_IDENT_BYTES).then(|| unfit(node, name))
}

fn unfit(node: &Node, name: &str) -> Diagnostic {
    let message = format!("the name `{name}` of `{}` does not fit Postgres", node.name);
    Diagnostic::error(codes::NODE_CONFIG, message)
        .in_file(&node.path)
        .hint(format!(
            "use 1 to {MAX_IDENT_BYTES} bytes; `alias` gives a shorter name"
        ))
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
pub(super) fn failures(naming: &Naming<'_>, node: &Node) -> Result<Option<Relation>, Diagnostic> {
    let stored = match (node.config.store_failures_as, node.config.store_failures) {
        (Some(StoreFailuresAs::Ephemeral), _) => false,
        (Some(_), _) => true,
        (None, stored) => stored.unwrap_or(false),
    };
    if !stored {
        return Ok(None);
    }
    let mut named = node.clone();
    let config = Arc::make_mut(&mut named.config);
    config
        .schema
        .get_or_insert_with(|| "dbt_test__audit".to_owned());
    if let Detail::GenericTest(test) = &node.detail {
        config.alias.get_or_insert_with(|| test.short_name.clone());
    }
    // Long names are shortened when they are used.
    Ok(naming.relation(&named).ok())
}

/// The schema of a test whose failing rows are not kept, where the project names schemas itself.
pub(super) fn test_schema(naming: &Naming<'_>, node: &Node) -> Result<Option<String>, Diagnostic> {
    if naming
        .engine
        .is_builtin("generate_schema_name", &node.package)
        && node.config.schema.is_none()
    {
        return Ok(None);
    }
    let mut named = node.clone();
    let config = Arc::make_mut(&mut named.config);
    let schema = &mut config.schema;
    schema.get_or_insert_with(|| "dbt_test__audit".to_owned());
    config.alias = Some("x".to_owned());
    Ok(Some(naming.relation(&named)?.schema))
}

/// The schema that a hook of the run would have if it had a relation.
pub(super) fn hook_schema(naming: &Naming<'_>, node: &Node) -> Result<String, Diagnostic> {
    let mut named = node.clone();
    Arc::make_mut(&mut named.config).alias = Some("x".to_owned());
    Ok(naming.relation(&named)?.schema)
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
