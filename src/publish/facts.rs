//! What hangs on a live relation, read in one query right before it is replaced.

use serde::Deserialize;

use crate::diag::codes;
use crate::jinja::Table;
use crate::names::{Relation, quote_ident, quote_literal};
use crate::session::{Session, SessionError};

/// What publishing must know of a relation's name.
#[derive(Clone, Debug, Deserialize)]
pub struct Facts {
    /// Default privileges of the schema, which a table that is moved in does not get by itself.
    pub default_grants: Vec<Grant>,
    /// The candidate's columns in order; none when no candidate was named.
    pub candidate_columns: Vec<LiveColumn>,
    /// What the name means today; `None` when it is free.
    pub live: Option<Live>,
}

/// A relation as it is published now.
#[derive(Clone, Debug, Deserialize)]
pub struct Live {
    /// Its OID.
    pub oid: u32,
    /// `pg_class.relkind`: r, p, v, m or f.
    pub kind: char,
    /// `pg_class.relpersistence`: p or u.
    pub persistence: char,
    /// Its owner.
    pub owner: String,
    /// Whether the owner is the role of this session.
    pub owner_is_us: bool,
    /// Whether this session may act as the owner.
    pub may_replace: bool,
    /// Privileges of others on the whole relation.
    pub grants: Vec<Grant>,
    /// Privileges of others on single columns.
    pub column_grants: Vec<ColumnGrant>,
    /// Its comment.
    pub comment: Option<String>,
    /// Its columns in order.
    pub columns: Vec<LiveColumn>,
    /// Views and materialized views that read it, directly or not, by depth.
    pub views: Vec<DependentView>,
    /// Whatever else hangs on it, in words.
    pub blockers: Vec<String>,
    /// The columns that a foreign key of others refers to; empty when there is none.
    pub referenced_key: Vec<String>,
}

/// A privilege on a relation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Grant {
    /// The role; `None` is PUBLIC.
    pub grantee: Option<String>,
    /// For example `SELECT`.
    pub privilege: String,
    /// With grant option.
    pub grantable: bool,
}

/// A privilege on a column.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ColumnGrant {
    /// The column.
    pub column: String,
    /// The privilege.
    #[serde(flatten)]
    pub grant: Grant,
}

/// A column as it is published now.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LiveColumn {
    /// Its name.
    pub name: String,
    /// Its type as Postgres formats it.
    #[serde(rename = "type")]
    pub data_type: String,
    /// Its comment.
    pub comment: Option<String>,
}

/// A view that reads a relation.
#[derive(Clone, Debug, Deserialize)]
pub struct DependentView {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// v or m.
    pub kind: char,
    /// The length of the longest chain of views from the relation, from 1.
    pub depth: u32,
    /// Whether it reads the relation itself.
    pub direct: bool,
    /// Its owner.
    pub owner: String,
    /// Whether the owner is the role of this session.
    pub owner_is_us: bool,
    /// Whether this session may act as the owner.
    pub may_replace: bool,
    /// Its query, every name qualified.
    pub definition: String,
    /// Its options, for example `security_barrier=true`.
    pub options: Vec<String>,
    /// Whether triggers or rules hang on it, which a drop would lose.
    pub has_triggers: bool,
    /// Privileges of others.
    pub grants: Vec<Grant>,
    /// Privileges of others on single columns.
    pub column_grants: Vec<ColumnGrant>,
    /// Its comment.
    pub comment: Option<String>,
    /// Its columns in order.
    pub columns: Vec<LiveColumn>,
}

impl DependentView {
    /// Whether a run has replaced it already and only waits to drop it: nobody needs it anew.
    pub fn is_retired(&self) -> bool {
        super::home::tag_of(&self.name).is_some() || super::home::tag_of(&self.schema).is_some()
    }

    /// Its name as SQL.
    pub fn sql_name(&self) -> String {
        format!("{}.{}", quote_ident(&self.schema), quote_ident(&self.name))
    }

    /// A statement that changes nothing but waits for the view's exclusive lock and keeps it;
    /// `lock table` would lock what the view reads as well.
    pub(super) fn lock_statement(&self) -> String {
        format!(
            "alter view {} owner to {}",
            self.sql_name(),
            quote_ident(&self.owner)
        )
    }
}

impl Live {
    /// The word that `alter`, `drop` and `comment on` take.
    pub fn keyword(&self) -> &'static str {
        match self.kind {
            'v' => "view",
            'm' => "materialized view",
            'f' => "foreign table",
            _ => "table",
        }
    }

    /// Whether something of others keeps it from being replaced by another relation.
    pub fn must_stay(&self) -> bool {
        let fixed = |v: &DependentView| !v.is_retired() && (v.kind == 'm' || !v.may_replace);
        !self.may_replace || !self.blockers.is_empty() || self.views.iter().any(fixed)
    }

    /// The same relation without some of the materialized views that read it.
    pub(super) fn without_readers(&self, gone: impl Fn(&DependentView) -> bool) -> Self {
        let mut rest = self.clone();
        rest.views.retain(|view| view.kind != 'm' || !gone(view));
        if rest.views.iter().all(|view| view.kind != 'm') {
            let by_reader = |blocker: &String| !blocker.starts_with("materialized view ");
            rest.blockers.retain(by_reader);
        }
        rest
    }

    /// Whether it holds rows that could be replaced in place.
    pub fn is_table(&self) -> bool {
        matches!(self.kind, 'r' | 'p')
    }
}

/// How far to look for views that read a relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Views {
    /// Only those that read it themselves: enough to replace it under them.
    Direct,
    /// Views of views too: needed when views must be dropped and made again.
    Nested,
}

/// The query; `$1` to `$4` are explained at its head.
const QUESTION: &str = include_str!("facts.sql");

/// Reads the facts of `live` outside a transaction; `candidate`, where given, must exist.
pub async fn read(
    session: &dyn Session,
    live: &Relation,
    candidate: Option<&Relation>,
    views: Views,
) -> Result<Facts, SessionError> {
    let candidate = candidate.map(|relation| {
        format!(
            "{}.{}",
            quote_ident(&relation.schema),
            quote_ident(&relation.identifier)
        )
    });
    let nested = if views == Views::Nested {
        "true"
    } else {
        "false"
    };
    let params = [
        Some(live.schema.as_str()),
        Some(live.identifier.as_str()),
        candidate.as_deref(),
        Some(nested),
    ];
    parse(live, &session.ask_catalog(QUESTION, &params).await?)
}

/// Reads the facts of `live` inside the session's transaction, without looking for views.
pub async fn read_inside(session: &dyn Session, live: &Relation) -> Result<Facts, SessionError> {
    let sql = QUESTION
        .replace("$1", &quote_literal(&live.schema))
        .replace("$2", &quote_literal(&live.identifier))
        .replace("$3", "null")
        .replace("$4", "'false'");
    parse(live, &session.query(&sql).await?)
}

fn parse(live: &Relation, table: &Table) -> Result<Facts, SessionError> {
    let text = table
        .rows
        .first()
        .and_then(|row| row.first())
        .and_then(Option::as_deref);
    match text.map(serde_json::from_str::<Facts>) {
        Some(Ok(facts)) => Ok(facts),
        _ => Err(SessionError::message(
            codes::PUBLISH_REFUSED,
            format!("the catalog's answer about {live} could not be read"),
        )),
    }
}
