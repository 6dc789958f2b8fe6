//! Statements that a node's config asks for beside its query: indexes, comments, privileges.

use serde_json::Value as Json;

use super::{Spec, arg_text};
use crate::graph::{ColumnInfo, Node};
use crate::jinja::Arg;
use crate::names::{Relation, quote_ident, quote_literal};
use crate::publish::facts::Grant;
use crate::session::{Session, SessionError};

/// `create index` statements for `indexes:`, on `relation`.
pub(super) async fn indexes(
    spec: Spec<'_>,
    relation: &Relation,
    session: &dyn Session,
) -> Result<Vec<String>, SessionError> {
    let mut out = Vec::new();
    let written = spec.node.config.raw.get("indexes").and_then(Json::as_array);
    for dict in written.map_or(&[][..], Vec::as_slice) {
        out.extend(index(relation, dict, session).await?);
    }
    Ok(out)
}

/// The `create index` statement of one entry of `indexes:`.
pub(super) async fn index(
    relation: &Relation,
    dict: &Json,
    session: &dyn Session,
) -> Result<Option<String>, SessionError> {
    let sql = session
        .call_macro(
            "get_create_index_sql",
            &[
                ("relation", Arg::Relation(relation.clone())),
                ("index_dict", Arg::Json(dict.clone())),
            ],
        )
        .await?;
    let sql = sql.trim().trim_end_matches(';');
    Ok((!sql.is_empty()).then(|| sql.to_owned()))
}

/// `comment on` statements for `persist_docs:`; `columns` are those that exist.
pub(super) fn comments(
    node: &Node,
    keyword: &str,
    relation: &Relation,
    columns: &[String],
) -> Vec<String> {
    let persist = node.config.persist_docs;
    let mut out = Vec::new();
    if persist.relation && !node.description.is_empty() {
        let text = quote_literal(&node.description);
        out.push(format!("comment on {keyword} {relation} is {text}"));
    }
    if persist.columns {
        for (name, info) in &node.columns {
            let Some(name) = column(name, info, columns) else {
                continue;
            };
            if !info.description.is_empty() {
                let text = quote_literal(&info.description);
                out.push(format!(
                    "comment on column {relation}.{} is {text}",
                    quote_ident(name)
                ));
            }
        }
    }
    out
}

/// The column that a description means: of that very name where it is quoted, else whatever
/// its case.
fn column<'c>(name: &str, info: &ColumnInfo, columns: &'c [String]) -> Option<&'c String> {
    let exact = columns.iter().find(|column| *column == name);
    exact.or_else(|| {
        let alike = |column: &&String| column.eq_ignore_ascii_case(name);
        columns.iter().find(alike).filter(|_| !info.quote)
    })
}

/// Described columns that a relation does not have, as a warning; only where descriptions are
/// kept in the database.
pub(super) fn missing_columns(node: &Node, columns: &[String]) -> Option<String> {
    let missing: Vec<&str> = node
        .columns
        .iter()
        .filter(|(name, info)| column(name, info, columns).is_none())
        .map(|(name, _)| name.as_str())
        .collect();
    (node.config.persist_docs.columns && !missing.is_empty()).then(|| {
        format!(
            "{}: The following columns are specified in the schema but are not present in the \
             database: {}",
            node.name,
            missing.join(", ")
        )
    })
}

/// Statements that make the privileges on `relation` exactly those of `grants:`, from the
/// ones it has; none when the node does not configure grants.
pub(super) fn grants(node: &Node, relation: &Relation, current: &[Grant]) -> Vec<String> {
    let Some(wanted) = &node.config.grants else {
        return Vec::new();
    };
    let grantee = |name: &Option<String>| name.clone().unwrap_or_else(|| "public".to_owned());
    let is_wanted = |g: &Grant| {
        wanted.iter().any(|(privilege, roles)| {
            privilege.eq_ignore_ascii_case(&g.privilege) && roles.contains(&grantee(&g.grantee))
        })
    };
    let role = |name: &str| {
        if name.eq_ignore_ascii_case("public") {
            "public".to_owned()
        } else {
            quote_ident(name)
        }
    };
    let mut out: Vec<String> = current
        .iter()
        .filter(|g| !is_wanted(g))
        .map(|g| {
            format!(
                "revoke {} on {relation} from {}",
                g.privilege,
                role(&grantee(&g.grantee))
            )
        })
        .collect();
    for (privilege, roles) in wanted {
        let is_there = |name: &str| {
            current.iter().any(|g| {
                privilege.eq_ignore_ascii_case(&g.privilege) && grantee(&g.grantee) == name
            })
        };
        for name in roles.iter().filter(|name| !is_there(name)) {
            out.push(format!("grant {privilege} on {relation} to {}", role(name)));
        }
    }
    out
}

/// Calls a macro of two arguments, relation and SQL.
pub(super) async fn relation_as(
    session: &dyn Session,
    name: &str,
    relation: &Relation,
    sql: &str,
) -> Result<String, SessionError> {
    let text = session
        .call_macro(
            name,
            &[
                ("relation", Arg::Relation(relation.clone())),
                ("sql", arg_text(sql)),
            ],
        )
        .await?;
    Ok(statement(&text))
}

/// `create table … as` through the project's macro.
pub(super) async fn create_table_as(
    session: &dyn Session,
    temporary: bool,
    relation: &Relation,
    sql: &str,
) -> Result<String, SessionError> {
    let text = session
        .call_macro(
            "create_table_as",
            &[
                ("temporary", Arg::Json(Json::Bool(temporary))),
                ("relation", Arg::Relation(relation.clone())),
                ("compiled_code", arg_text(sql)),
            ],
        )
        .await?;
    Ok(statement(&text))
}

/// A macro's text as one statement without its semicolon.
pub(super) fn statement(text: &str) -> String {
    text.trim().trim_end_matches(';').trim_end().to_owned()
}
