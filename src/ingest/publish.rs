//! From a staging table to what readers see, in one transaction: by exchange where nothing
//! hangs on the old table, else row by row, so that views, indexes and privileges stay.

use super::columns::first;
use super::shape::{Column, Shape};
use super::staging::tag;
use super::state;
use super::{IngestError, Table};
use crate::names::quote_ident;
use crate::pg::{Connection, PgError};

/// Whether a table has nothing that its successor would not have: no dependents, indexes,
/// triggers, policies, defaults, privileges or comments of others' making. `$3` is the staging
/// table, `$4` the name of our key.
const BARE: &str = "
select (c.relkind = 'r' and not c.relhastriggers and not c.relhasrules and not c.relrowsecurity
    and not c.relhassubclass and not c.relispartition and c.reloptions is null and c.reltablespace = 0
    and c.relowner = s.relowner and c.relacl is not distinct from s.relacl and c.relpersistence = 'p'
    and not exists (select from pg_depend d where d.refclassid = 'pg_class'::regclass
        and d.refobjid = c.oid and d.deptype = 'n')
    and not exists (select from pg_index i join pg_class x on x.oid = i.indexrelid
        where i.indrelid = c.oid and x.relname <> $4)
    and not exists (select from pg_constraint k where k.conrelid = c.oid and k.contype not in ('p', 'n'))
    and not exists (select from pg_attribute a where a.attrelid = c.oid and a.attnum > 0
        and not a.attisdropped
        and (a.atthasdef or a.attidentity <> '' or a.attacl is not null
             or a.attnotnull and not exists (select from pg_index i where i.indrelid = c.oid
                    and i.indisprimary and a.attnum = any (i.indkey))))
    and not exists (select from pg_description t where t.classoid = 'pg_class'::regclass and t.objoid = c.oid)
    and not exists (select from pg_publication_rel p where p.prrelid = c.oid)
    and not exists (select from pg_statistic_ext e where e.stxrelid = c.oid))::text
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_class s on s.relnamespace = n.oid and s.relname = $3
where n.nspname = $1 and c.relname = $2";

/// What is published, and where.
pub(super) struct Publication<'a> {
    pub(super) schema: &'a str,
    pub(super) table: &'a Table,
    pub(super) shape: &'a Shape,
    /// The columns that are here; `None` if the table is new.
    pub(super) here: Option<&'a [Column]>,
    /// What is to be written down in the same transaction.
    pub(super) notes: Vec<String>,
    pub(super) target: &'a Connection,
}

impl Publication<'_> {
    fn live(&self) -> String {
        format!(
            "{}.{}",
            quote_ident(self.schema),
            quote_ident(&self.table.to)
        )
    }

    fn staging(&self) -> String {
        super::staging::relation(self.schema, &self.table.to)
    }

    fn key(&self) -> String {
        super::checksum::plain(&self.table.key).join(", ")
    }

    /// Makes the staging table the table.
    pub(super) async fn whole(self) -> Result<(), IngestError> {
        let key = format!("marts_key_{}", tag(&self.table.to));
        let coming = format!("{key}_new");
        self.add_key(&coming).await?;
        let exchange =
            self.here.is_none() || self.is_bare(&key).await.map_err(IngestError::Target)?;
        let mut sql = Vec::new();
        if exchange {
            if self.here.is_some() {
                sql.push(format!("drop table {}", self.live()));
            }
            sql.push(format!(
                "alter table {} rename to {}",
                self.staging(),
                quote_ident(&self.table.to)
            ));
            if !self.table.key.is_empty() {
                sql.push(format!(
                    "alter table {} rename constraint {} to {}",
                    self.live(),
                    quote_ident(&coming),
                    quote_ident(&key)
                ));
            }
        } else {
            sql.push(self.lock());
            sql.extend(self.alter());
            sql.push(format!("delete from {}", self.live()));
            sql.push(self.insert());
            sql.push(format!("drop table {}", self.staging()));
        }
        self.commit(sql).await
    }

    /// Replaces rows of the table by those of the staging table.
    pub(super) async fn delta(self, low: &str) -> Result<(), IngestError> {
        let mut sql = vec![self.lock()];
        sql.extend(self.alter());
        if self.table.key.is_empty() {
            let watermark = self.table.watermark.as_deref().unwrap_or_default();
            sql.push(format!(
                "delete from {} where {} >= {low}",
                self.live(),
                quote_ident(watermark)
            ));
        } else {
            self.check_key().await?;
            let same: Vec<String> = super::checksum::plain(&self.table.key)
                .iter()
                .map(|column| format!("old.{column} = new.{column}"))
                .collect();
            sql.push(format!(
                "delete from {} old using {} new where {}",
                self.live(),
                self.staging(),
                same.join(" and ")
            ));
        }
        sql.push(self.insert());
        sql.push(format!("drop table {}", self.staging()));
        self.commit(sql).await
    }

    async fn commit(self, mut sql: Vec<String>) -> Result<(), IngestError> {
        sql.insert(0, "begin".to_owned());
        sql.extend(self.notes.iter().cloned());
        // What is acknowledged must outlive a crash of the server.
        sql.push("set local synchronous_commit = on".to_owned());
        sql.push("commit".to_owned());
        let done = self.target.execute(&sql.join("; ")).await;
        if let Err(error) = done {
            let _ = self.target.execute("rollback").await;
            return Err(IngestError::Target(error));
        }
        // Only the planner needs it; the rows are there without it.
        let _ = self
            .target
            .execute(&format!("analyze {}", self.live()))
            .await;
        Ok(())
    }

    /// Readers go on; other writers wait.
    fn lock(&self) -> String {
        format!("lock table {} in share row exclusive mode", self.live())
    }

    fn insert(&self) -> String {
        let columns: Vec<String> = self.shape.columns.iter().map(|c| c.name.clone()).collect();
        let columns = super::checksum::plain(&columns).join(", ");
        format!(
            "insert into {} ({columns}) select {columns} from {}",
            self.live(),
            self.staging()
        )
    }

    /// Gives the table the columns of the shape, without CASCADE.
    fn alter(&self) -> Vec<String> {
        let here = self.here.unwrap_or_default();
        let find =
            |columns: &[Column], name: &str| columns.iter().find(|c| c.name == name).cloned();
        let mut sql = Vec::new();
        for column in here {
            if find(&self.shape.columns, &column.name).is_none() {
                let name = quote_ident(&column.name);
                sql.push(format!("alter table {} drop column {name}", self.live()));
            }
        }
        for column in &self.shape.columns {
            let name = quote_ident(&column.name);
            let data_type = &column.data_type;
            match find(here, &column.name) {
                None => sql.push(format!("alter table {} add column {name} {data_type}", self.live())),
                Some(old) if old.data_type != *data_type => sql.push(format!(
                    "alter table {} alter column {name} type {data_type} using {name}::text::{data_type}",
                    self.live()
                )),
                Some(_) => {}
            }
        }
        sql
    }

    async fn is_bare(&self, key: &str) -> Result<bool, PgError> {
        let staging = format!("marts_ingest_{}", tag(&self.table.to));
        let params = [
            Some(self.schema),
            Some(self.table.to.as_str()),
            Some(staging.as_str()),
            Some(key),
        ];
        let rows = self.target.ask_catalog(BARE, &params).await?;
        Ok(first(rows.rows).as_deref() == Some("true"))
    }

    async fn add_key(&self, name: &str) -> Result<(), IngestError> {
        if self.table.key.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "alter table {0} drop constraint if exists {1}; alter table {0} add constraint {1} primary key ({2})",
            self.staging(),
            quote_ident(name),
            self.key()
        );
        match self.target.execute(&sql).await {
            Ok(_) => Ok(()),
            Err(error) if ["23505", "23502"].contains(&error.sqlstate().unwrap_or_default()) => {
                Err(self.wrong_key(
                    error
                        .db()
                        .and_then(|db| db.detail.clone())
                        .unwrap_or(error.to_string()),
                ))
            }
            Err(error) => Err(IngestError::Target(error)),
        }
    }

    /// A key that is there twice in the delta would be there twice in the table.
    async fn check_key(&self) -> Result<(), IngestError> {
        let key = self.key();
        let nulls: Vec<String> = super::checksum::plain(&self.table.key)
            .iter()
            .map(|column| format!("bool_or({column} is null)"))
            .collect();
        let sql = format!(
            "select row({key})::text from {} group by {key} having count(*) > 1 or {} limit 1",
            self.staging(),
            nulls.join(" or ")
        );
        let found = state::one(self.target, &sql)
            .await
            .map_err(IngestError::Target)?;
        match found {
            Some(found) => Err(self.wrong_key(format!("{key} {found}"))),
            None => Ok(()),
        }
    }

    fn wrong_key(&self, detail: String) -> IngestError {
        IngestError::Key {
            table: super::source::source_name(self.table),
            detail,
        }
    }
}
