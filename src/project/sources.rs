//! `sources:` of property files: one [`SourceTable`] for each table, with what it inherits.

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::diag::Spanned;

use super::data_tests::declarations;
use super::declarations::SourceTable;
use super::keys;
use super::project_file::quoting;
use super::properties::{Context, columns, config, rest};
use super::yaml::{Check, Fields, Node};

/// What a source gives to its tables.
struct Source {
    name: Spanned<String>,
    description: String,
    database: Option<String>,
    schema: String,
    quoting: IndexMap<String, bool>,
    config: IndexMap<String, Spanned<Json>>,
    loaded_at_field: Option<String>,
    freshness: Option<Json>,
    other: IndexMap<String, Json>,
}

/// Reads one entry of `sources:`.
pub(crate) fn read(
    node: &Node,
    context: &Context<'_>,
    into: &mut Vec<SourceTable>,
    check: &mut Check,
) {
    let Some(mut fields) = Fields::of(node, "an entry of `sources`", check) else {
        return;
    };
    let Some(name) = fields.required_text("name", check) else {
        return;
    };
    fields.rename(format!("source `{}`", name.value));
    let tables = fields.list("tables", check);
    let source = source((name, node), &mut fields, context, check);
    for table in tables {
        into.extend(read_table(table, &source, context, check));
    }
}

fn source(
    (name, node): (Spanned<String>, &Node),
    fields: &mut Fields<'_>,
    context: &Context<'_>,
    check: &mut Check,
) -> Source {
    let description = context
        .renderer
        .description(fields.text("description", check));
    let database = rendered(fields, "database", context, check);
    let schema = rendered(fields, "schema", context, check);
    let mut unrendered = IndexMap::new();
    for (key, kept) in [
        ("database", "unrendered_database"),
        ("schema", "unrendered_schema"),
    ] {
        if let Some(text) = node.get(key).and_then(Node::as_str) {
            unrendered.insert(kept.to_owned(), Json::from(text));
        }
    }
    let quoting = quoting(fields, context.renderer, check);
    let config = config(fields, keys::CONFIG_SOURCE.to_vec(), context, check);
    let loaded_at_field = rendered(fields, "loaded_at_field", context, check);
    let freshness = fields
        .take("freshness")
        .map(|n| context.renderer.json(n, check));
    let mut other = rest(fields, keys::SOURCE, context, check);
    other.extend(unrendered);
    Source {
        description,
        database,
        schema: schema.unwrap_or_else(|| name.value.clone()),
        name,
        quoting,
        config,
        loaded_at_field,
        freshness,
        other,
    }
}

fn rendered(
    fields: &mut Fields<'_>,
    key: &str,
    context: &Context<'_>,
    check: &mut Check,
) -> Option<String> {
    let text = fields.text(key, check)?;
    context.renderer.text(text, check)
}

fn read_table(
    node: &Node,
    source: &Source,
    context: &Context<'_>,
    check: &mut Check,
) -> Option<SourceTable> {
    let what = format!("a table of source `{}`", source.name.value);
    let mut fields = Fields::of(node, what, check)?;
    let table = fields.required_text("name", check)?;
    fields.rename(format!(
        "source table `{}.{}`",
        source.name.value, table.value
    ));
    let description = context
        .renderer
        .description(fields.text("description", check));
    let identifier = rendered(&mut fields, "identifier", context, check);
    let mut quoting = source.quoting.clone();
    quoting.extend(self::quoting(&mut fields, context.renderer, check));
    let own = config(&mut fields, keys::CONFIG_SOURCE.to_vec(), context, check);
    let own_field = own_value(&mut fields, "loaded_at_field", &own, context, check);
    let own_query = own_value(&mut fields, "loaded_at_query", &own, context, check);
    let own_freshness = own_value(&mut fields, "freshness", &own, context, check);
    let columns = columns(&mut fields, context, check);
    let tests = declarations(&mut fields, context, check);
    let mut other = source.other.clone();
    merge_other(
        &mut other,
        rest(&mut fields, keys::SOURCE_TABLE, context, check),
    );
    let loaded_at_field = loaded_at(own_field, own_query, source, &mut other);
    let inherited = source
        .freshness
        .clone()
        .or_else(|| value_of(&source.config, "freshness"));
    Some(SourceTable {
        path: context.path.to_owned(),
        source: source.name.clone(),
        source_description: source.description.clone(),
        description,
        database: source.database.clone(),
        schema: source.schema.clone(),
        identifier: identifier.unwrap_or_else(|| table.value.clone()),
        table,
        quoting,
        config: merge_config(&source.config, own),
        loaded_at_field,
        freshness: freshness(inherited, own_freshness),
        columns,
        tests,
        other,
    })
}

/// A table's own value, beside its other keys or in `config`; null where it says so.
fn own_value(
    fields: &mut Fields<'_>,
    key: &str,
    config: &IndexMap<String, Spanned<Json>>,
    context: &Context<'_>,
    check: &mut Check,
) -> Option<Json> {
    match fields.take(key) {
        Some(node) => Some(context.renderer.value(key, node, check)),
        None => value_of(config, key),
    }
}

/// A table's `loaded_at_field`, with its `loaded_at_query` put among the other keys: what the
/// table says of either replaces what the source says of both.
fn loaded_at(
    field: Option<Json>,
    query: Option<Json>,
    source: &Source,
    other: &mut IndexMap<String, Json>,
) -> Option<String> {
    let text = |value: Option<Json>| value.as_ref().and_then(Json::as_str).map(str::to_owned);
    let (field, query) = if field.is_some() || query.is_some() {
        // The query counts; what the source says stays to be told.
        if let (None, Some(hidden)) = (&field, &source.loaded_at_field) {
            other.insert("loaded_at_field".to_owned(), Json::from(hidden.as_str()));
        }
        (text(field), text(query))
    } else {
        let field = source.loaded_at_field.clone();
        let query = other.get("loaded_at_query").cloned();
        (
            field.or_else(|| text_of(&source.config, "loaded_at_field")),
            text(query).or_else(|| text_of(&source.config, "loaded_at_query")),
        )
    };
    match query {
        Some(query) => other.insert("loaded_at_query".to_owned(), Json::String(query)),
        None => other.shift_remove("loaded_at_query"),
    };
    field
}

/// A table's rules over its source's, each limit for itself, as dbt merges them. Null says that
/// there are none.
fn freshness(source: Option<Json>, own: Option<Json>) -> Option<Json> {
    let (Some(Json::Object(mut merged)), Some(Json::Object(own))) = (source.clone(), own.clone())
    else {
        return own.or(source);
    };
    for (key, value) in own {
        match (merged.get_mut(&key), value) {
            (Some(Json::Object(old)), Json::Object(new)) => old.extend(new),
            (Some(old), new) => *old = new,
            (None, new) => {
                merged.insert(key, new);
            }
        }
    }
    Some(Json::Object(merged))
}

fn value_of(config: &IndexMap<String, Spanned<Json>>, key: &str) -> Option<Json> {
    config.get(key).map(|value| value.value.clone())
}

fn text_of(config: &IndexMap<String, Spanned<Json>>, key: &str) -> Option<String> {
    config.get(key)?.value.as_str().map(str::to_owned)
}

/// The table's config over the source's: tags accumulate, meta merges, the rest is replaced.
fn merge_config(
    source: &IndexMap<String, Spanned<Json>>,
    table: IndexMap<String, Spanned<Json>>,
) -> IndexMap<String, Spanned<Json>> {
    let mut merged = source.clone();
    for (key, value) in table {
        match merged.get_mut(&key) {
            Some(old) => {
                combine(&key, &mut old.value, value.value);
                old.span = value.span;
            }
            None => {
                merged.insert(key, value);
            }
        }
    }
    merged
}

fn merge_other(merged: &mut IndexMap<String, Json>, table: IndexMap<String, Json>) {
    for (key, value) in table {
        match merged.get_mut(&key) {
            Some(old) => combine(&key, old, value),
            None => {
                merged.insert(key, value);
            }
        }
    }
}

fn combine(key: &str, old: &mut Json, new: Json) {
    match (key, old, new) {
        ("meta", Json::Object(old), Json::Object(new)) => old.extend(new),
        ("tags", old, new) => {
            let mut all = as_list(old.take());
            all.extend(as_list(new));
            *old = Json::Array(all);
        }
        (_, old, new) => *old = new,
    }
}

fn as_list(value: Json) -> Vec<Json> {
    match value {
        Json::Array(items) => items,
        Json::Null => Vec::new(),
        other => vec![other],
    }
}
