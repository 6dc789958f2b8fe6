//! Statements that a node's config asks for beside its query: indexes, comments, privileges.

use serde_json::Value as Json;

use super::{Spec, arg_text};
use crate::graph::Node;
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
    for index in written.map_or(&[][..], Vec::as_slice) {
        let sql = session
            .call_macro(
                "get_create_index_sql",
                &[
                    ("relation", Arg::Relation(relation.clone())),
                    ("index_dict", Arg::Json(index.clone())),
                ],
            )
            .await?;
        let sql = sql.trim().trim_end_matches(';');
        if !sql.is_empty() {
            out.push(sql.to_owned());
        }
    }
    Ok(out)
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
            let exists = columns.iter().any(|c| c == name);
            if exists && !info.description.is_empty() {
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
