//! What hangs on relations and would be lost or broken when they are swapped: views, foreign
//! keys, policies, triggers, publications, functions, rules, statistics, partitions.

use super::super::connection::Connection;
use super::super::error::PgError;
use super::Oid;
use super::rows::Cells;

/// What a dependent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DependentKind {
    /// A view that reads it.
    View,
    /// A materialized view that reads it.
    MaterializedView,
    /// A foreign key from or to it.
    ForeignKey,
    /// A row security policy on it, or one elsewhere that reads it.
    Policy,
    /// Row security is enabled on it.
    RowSecurity,
    /// A trigger on it that is not Postgres' own.
    Trigger,
    /// It is listed in a publication.
    Publication,
    /// A function whose body, arguments or result name it or its row type.
    Function,
    /// A rule on it, or one elsewhere that reads it.
    Rule,
    /// Extended statistics.
    Statistics,
    /// A parent, partition or child by inheritance.
    Inheritance,
    /// A column elsewhere of its row type.
    RowTypeColumn,
    /// An extension that it belongs to.
    Extension,
}

impl DependentKind {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "view" => Self::View,
            "materialized view" => Self::MaterializedView,
            "foreign key" => Self::ForeignKey,
            "policy" => Self::Policy,
            "row security" => Self::RowSecurity,
            "trigger" => Self::Trigger,
            "publication" => Self::Publication,
            "function" => Self::Function,
            "rule" => Self::Rule,
            "statistics" => Self::Statistics,
            "inheritance" => Self::Inheritance,
            "row type column" => Self::RowTypeColumn,
            "extension" => Self::Extension,
            _ => return None,
        })
    }

    /// For people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::MaterializedView => "materialized view",
            Self::ForeignKey => "foreign key",
            Self::Policy => "policy",
            Self::RowSecurity => "row security",
            Self::Trigger => "trigger",
            Self::Publication => "publication",
            Self::Function => "function",
            Self::Rule => "rule",
            Self::Statistics => "extended statistics",
            Self::Inheritance => "inheritance or partition",
            Self::RowTypeColumn => "column of its row type",
            Self::Extension => "extension",
        }
    }
}

/// Something that hangs on a relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependent {
    /// The relation that was asked for, or the view through which it is reached.
    pub on: Oid,
    /// What it is.
    pub kind: DependentKind,
    /// Its own id: of `pg_class` for views, else of its own catalog.
    pub oid: Oid,
    /// Its name for people, as Postgres describes it.
    pub name: String,
    /// For views: how many views it is away, from 1. Else 1.
    pub depth: u32,
    /// For views: whether our role may replace it.
    pub is_ours: bool,
}

/// Everything that hangs on the relations: views with the views over them, nearest first,
/// and everything else that hangs on the relations themselves.
pub async fn dependents(
    connection: &Connection,
    relations: &[Oid],
) -> Result<Vec<Dependent>, PgError> {
    if relations.is_empty() {
        return Ok(Vec::new());
    }
    let sql = SQL.replace("$RELATIONS", &super::oid_array(relations));
    let found = connection.query_untyped(&sql).await?;
    found
        .rows
        .into_iter()
        .map(|row| {
            let mut cells = Cells::new(row);
            let on = cells.oid()?;
            let word = cells.text();
            Ok(Dependent {
                on,
                kind: DependentKind::parse(&word)
                    .ok_or_else(|| PgError::Protocol(format!("unknown dependent `{word}`")))?,
                oid: cells.oid()?,
                name: cells.text(),
                depth: cells.text().parse().unwrap_or(1),
                is_ours: cells.flag(),
            })
        })
        .collect()
}

const SQL: &str = "
with recursive asked as (
    select c.oid, c.reltype, c.relrowsecurity, t.typarray
      from pg_catalog.pg_class c
      left join pg_catalog.pg_type t on t.oid = c.reltype
     where c.oid = any ($RELATIONS)
),
reads as (
    select distinct d.refobjid as on_oid, r.ev_class as view_oid
      from pg_catalog.pg_depend d
      join pg_catalog.pg_rewrite r on r.oid = d.objid
     where d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
       and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
       and d.refobjid <> r.ev_class and r.rulename = '_RETURN'
),
views as (
    select r.on_oid, r.view_oid, 1 as depth from reads r join asked a on a.oid = r.on_oid
     union
    select r.on_oid, r.view_oid, v.depth + 1 from reads r join views v on v.view_oid = r.on_oid
     where v.depth < 100
),
other as (
    select a.oid as on_oid,
           case d.classid
             when 'pg_catalog.pg_constraint'::pg_catalog.regclass then 'foreign key'
             when 'pg_catalog.pg_policy'::pg_catalog.regclass then 'policy'
             when 'pg_catalog.pg_trigger'::pg_catalog.regclass then 'trigger'
             when 'pg_catalog.pg_publication_rel'::pg_catalog.regclass then 'publication'
             when 'pg_catalog.pg_proc'::pg_catalog.regclass then 'function'
             when 'pg_catalog.pg_rewrite'::pg_catalog.regclass then 'rule'
             when 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass then 'statistics'
             when 'pg_catalog.pg_class'::pg_catalog.regclass then 'row type column'
           end as kind,
           d.classid, d.objid, d.objsubid
      from asked a
      join pg_catalog.pg_depend d
        on (d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid = a.oid)
        or (d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass
            and d.refobjid in (a.reltype, a.typarray))
     where case d.classid
             when 'pg_catalog.pg_constraint'::pg_catalog.regclass then exists (
               select from pg_catalog.pg_constraint k where k.oid = d.objid and k.contype = 'f')
             when 'pg_catalog.pg_policy'::pg_catalog.regclass then true
             when 'pg_catalog.pg_trigger'::pg_catalog.regclass then exists (
               select from pg_catalog.pg_trigger t where t.oid = d.objid and not t.tgisinternal)
             when 'pg_catalog.pg_publication_rel'::pg_catalog.regclass then true
             when 'pg_catalog.pg_proc'::pg_catalog.regclass then true
             when 'pg_catalog.pg_rewrite'::pg_catalog.regclass then exists (
               select from pg_catalog.pg_rewrite r where r.oid = d.objid and r.rulename <> '_RETURN')
             when 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass then true
             when 'pg_catalog.pg_class'::pg_catalog.regclass then
               d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass
               and d.objid <> a.oid and d.objsubid > 0
             else false
           end
)
select v.on_oid::pg_catalog.text, case c.relkind when 'm' then 'materialized view' else 'view' end,
       c.oid::pg_catalog.text, pg_catalog.format('%I.%I', n.nspname, c.relname),
       min(v.depth)::pg_catalog.text, pg_catalog.pg_has_role(c.relowner, 'usage')
  from views v
  join pg_catalog.pg_class c on c.oid = v.view_oid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 group by v.on_oid, c.oid, c.relkind, n.nspname, c.relname, c.relowner
 union all
select distinct on_oid::pg_catalog.text, kind, objid::pg_catalog.text,
       pg_catalog.pg_describe_object(classid, objid, objsubid), '1', false
  from other
 union all
select a.oid::pg_catalog.text, 'row security', a.oid::pg_catalog.text, 'row security', '1', false
  from asked a where a.relrowsecurity
 union all
select a.oid::pg_catalog.text, 'inheritance', o.oid::pg_catalog.text,
       pg_catalog.pg_describe_object('pg_catalog.pg_class'::pg_catalog.regclass, o.oid, 0), '1', false
  from asked a
  join pg_catalog.pg_inherits i on a.oid in (i.inhrelid, i.inhparent)
  join pg_catalog.pg_class o
    on o.oid = case when i.inhrelid = a.oid then i.inhparent else i.inhrelid end
 union all
select a.oid::pg_catalog.text, 'extension', e.oid::pg_catalog.text, 'extension ' || e.extname, '1', false
  from asked a
  join pg_catalog.pg_depend d
    on d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = a.oid and d.deptype = 'e'
  join pg_catalog.pg_extension e on e.oid = d.refobjid
 order by 5, 2, 4";
