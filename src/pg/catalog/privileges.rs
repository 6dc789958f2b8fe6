//! What belongs to a relation beside its rows, and must go over to what replaces it: owner,
//! grants on it and its columns, comments.

use super::super::connection::Connection;
use super::super::error::PgError;
use super::Oid;
use super::rows::{Cells, text_array};
use crate::names::{quote_ident, quote_literal};

/// A privilege that somebody has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The role; `None` is PUBLIC.
    pub grantee: Option<String>,
    /// For example `SELECT`.
    pub privilege: String,
    /// Whether it may be passed on.
    pub is_grantable: bool,
    /// The column, where it is about one.
    pub column: Option<String>,
}

impl Grant {
    /// `grant … on … to …`; the relation is rendered SQL.
    pub fn sql(&self, relation: &str) -> String {
        let option = if self.is_grantable {
            " with grant option"
        } else {
            ""
        };
        format!(
            "grant {} on table {relation} to {}{option}",
            self.what(),
            self.whom()
        )
    }

    /// `revoke … on … from …`.
    pub fn revoke_sql(&self, relation: &str) -> String {
        format!(
            "revoke {} on table {relation} from {}",
            self.what(),
            self.whom()
        )
    }

    fn what(&self) -> String {
        match &self.column {
            Some(column) => format!("{} ({})", self.privilege, quote_ident(column)),
            None => self.privilege.clone(),
        }
    }

    fn whom(&self) -> String {
        match &self.grantee {
            Some(role) => quote_ident(role),
            None => "public".to_owned(),
        }
    }
}

/// What belongs to a relation beside its rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Belongings {
    /// The relation.
    pub oid: Oid,
    /// Who owns it.
    pub owner: String,
    /// Privileges of everybody but the owner, on the relation and its columns.
    pub grants: Vec<Grant>,
    /// Its comment.
    pub comment: Option<String>,
    /// Comments of its columns, by position.
    pub column_comments: Vec<(String, String)>,
}

/// What belongs to each of the relations, in the order of their ids.
pub async fn belongings(
    connection: &Connection,
    relations: &[Oid],
) -> Result<Vec<Belongings>, PgError> {
    if relations.is_empty() {
        return Ok(Vec::new());
    }
    let asked = super::oid_array(relations);
    let sql = format!(
        "select c.oid::text, 0 as part, 0 as place, pg_catalog.pg_get_userbyid(c.relowner), null, null, null
           from pg_catalog.pg_class c where c.oid = any ({asked})
         union all
         select c.oid::text, 1, 0, {ACL_FIELDS}, null
           from pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) x
          where c.oid = any ({asked}) and x.grantee <> c.relowner
         union all
         select c.oid::text, 1, a.attnum, {ACL_FIELDS}, a.attname
           from pg_catalog.pg_class c
           join pg_catalog.pg_attribute a on a.attrelid = c.oid and not a.attisdropped,
                pg_catalog.aclexplode(a.attacl) x
          where c.oid = any ({asked}) and x.grantee <> c.relowner
         union all
         select d.objoid::text, 2, d.objsubid, d.description, null, null, a.attname
           from pg_catalog.pg_description d
           left join pg_catalog.pg_attribute a
             on a.attrelid = d.objoid and a.attnum = d.objsubid and d.objsubid > 0
          where d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
            and d.objoid = any ({asked}) and (d.objsubid = 0 or not a.attisdropped)
          order by 1, 2, 3, 4, 5"
    );
    let found = connection.query_untyped(&sql).await?;
    let mut all: Vec<Belongings> = Vec::new();
    for row in found.rows {
        let mut cells = Cells::new(row);
        let oid = cells.oid()?;
        let part = cells.text();
        cells.text();
        if part == "0" {
            all.push(Belongings {
                oid,
                owner: cells.text(),
                ..Belongings::default()
            });
        } else if let Some(last) = all.last_mut().filter(|last| last.oid == oid) {
            match part.as_str() {
                "1" => last.grants.push(grant(&mut cells)),
                _ => add_comment(last, &mut cells),
            }
        }
    }
    Ok(all)
}

const ACL_FIELDS: &str = "case x.grantee when 0 then null else pg_catalog.pg_get_userbyid(x.grantee) end, \
     x.privilege_type, x.is_grantable::text";

fn grant(cells: &mut Cells) -> Grant {
    Grant {
        grantee: cells.optional(),
        privilege: cells.text(),
        is_grantable: cells.text() == "true",
        column: cells.optional(),
    }
}

fn add_comment(belongings: &mut Belongings, cells: &mut Cells) {
    let text = cells.text();
    cells.text();
    cells.text();
    match cells.optional() {
        Some(column) => belongings.column_comments.push((column, text)),
        None => belongings.comment = Some(text),
    }
}

/// What tables that our role (or `owner`) makes in the schemas get by `alter default
/// privileges in schema`; with the schema's name. Those without a schema hold everywhere,
/// so a table has them already.
pub async fn default_privileges(
    connection: &Connection,
    schemas: &[impl AsRef<str>],
    owner: Option<&str>,
) -> Result<Vec<(String, Grant)>, PgError> {
    let role = match owner {
        Some(owner) => quote_literal(owner),
        None => "current_user".to_owned(),
    };
    let sql = format!(
        "select n.nspname, {ACL_FIELDS}, null
           from pg_catalog.pg_default_acl d
           join pg_catalog.pg_namespace n on n.oid = d.defaclnamespace,
                pg_catalog.aclexplode(d.defaclacl) x
          where d.defaclobjtype = 'r' and pg_catalog.pg_get_userbyid(d.defaclrole) = {role}
            and x.grantee <> d.defaclrole and n.nspname = any ({})
          order by 1, 2, 3",
        text_array(schemas)
    );
    let found = connection.query_untyped(&sql).await?;
    let pair = |row| {
        let mut cells = Cells::new(row);
        (cells.text(), grant(&mut cells))
    };
    Ok(found.rows.into_iter().map(pair).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_become_statements() {
        let grant = Grant {
            grantee: Some("bi team".into()),
            privilege: "SELECT".into(),
            is_grantable: true,
            column: Some("a".into()),
        };
        assert_eq!(
            grant.sql("\"s\".\"t\""),
            "grant SELECT (\"a\") on table \"s\".\"t\" to \"bi team\" with grant option"
        );
        let public = Grant {
            grantee: None,
            is_grantable: false,
            column: None,
            ..grant
        };
        assert_eq!(
            public.revoke_sql("t"),
            "revoke SELECT on table t from public"
        );
    }
}
