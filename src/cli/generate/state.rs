//! What the schema says of the history that it holds: one row in `marts_generated`.

use crate::names::quote_ident;
use crate::pg::{Connection, PgError};
use crate::synth::Config;
use crate::synth::schema::TABLES;
use crate::synth::time::At;

use super::load::LoadError;
use super::options::Request;
use super::{SCHEMA, SCHEMAS};

/// How a request meets what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Everything is written; `replaces` tells that another history was there.
    Anew {
        /// Rows of another or an earlier history are replaced.
        replaces: bool,
    },
    /// What came after this midnight is written.
    Continue(At),
    /// All of it is there.
    Nothing,
}

fn relation() -> String {
    format!("{}.{}", quote_ident(SCHEMA), quote_ident("marts_generated"))
}

/// Keeps other generators away for the session, makes the schema and the state's table.
pub(super) async fn prepare(connection: &Connection) -> Result<(), LoadError> {
    let lock = format!(
        "select pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended('marts generate {SCHEMA}', 0))"
    );
    if one(connection, &lock).await?.as_deref() != Some("t") {
        return Err(LoadError::Busy);
    }
    for schema in SCHEMAS {
        let seen = format!("select 1 from pg_catalog.pg_namespace where nspname = '{schema}'");
        if one(connection, &seen).await?.is_none() {
            connection
                .execute(&format!("create schema {}", quote_ident(schema)))
                .await?;
        }
    }
    if !exists(connection, SCHEMA, "marts_generated").await? {
        let create = format!(
            "create table {} (seed numeric not null, customers bigint not null, months integer not null, \
             start_at timestamptz not null, until_at timestamptz not null, is_complete boolean not null)",
            relation()
        );
        connection.execute(&create).await?;
    }
    // Earlier versions wrote no dirt and no word of it.
    let add = format!(
        "alter table {} add column if not exists is_dirty boolean not null default false",
        relation()
    );
    connection.execute(&add).await?;
    Ok(())
}

/// Decides how to write a request. Rows that we did not write are never touched.
pub(super) async fn way(connection: &Connection, request: &Request) -> Result<Way, LoadError> {
    let sql = format!(
        "select seed::text, customers::text, months::text, extract(epoch from start_at)::bigint::text, \
         extract(epoch from until_at)::bigint::text, is_complete::text, is_dirty::text from {}",
        relation()
    );
    let rows = connection.query(&sql).await?;
    let Some(row) = rows.rows.first() else {
        refuse_foreign_rows(connection).await?;
        return Ok(Way::Anew { replaces: false });
    };
    let number = |i: usize| row[i].as_deref().and_then(|text| text.parse::<i64>().ok());
    let Config {
        seed,
        customers,
        months,
        dirt,
        start,
    } = request.config;
    let same = row[0].as_deref() == Some(&seed.to_string())
        && number(1) == Some(customers.into())
        && number(2) == Some(months.into())
        && number(3) == Some(start.0)
        && (row[6].as_deref() == Some("true")) == dirt;
    // An earlier version of the program may have written fewer tables.
    let mut complete = row[5].as_deref() == Some("true");
    for table in TABLES {
        complete = complete && exists(connection, table.schema, table.name).await?;
    }
    Ok(match number(4).map(At) {
        _ if request.rewrite || !complete => Way::Anew { replaces: !same },
        Some(there) if same && there == request.until => Way::Nothing,
        Some(there) if same && there < request.until => Way::Continue(there),
        _ => Way::Anew { replaces: true },
    })
}

async fn refuse_foreign_rows(connection: &Connection) -> Result<(), LoadError> {
    for table in TABLES {
        if !exists(connection, table.schema, table.name).await? {
            continue;
        }
        let any = format!("select 1 from {} limit 1", table.qualified(table.schema));
        if one(connection, &any).await?.is_some() {
            return Err(LoadError::Foreign { table });
        }
    }
    Ok(())
}

/// Notes what is being written, or that it is written.
pub(super) async fn note(
    connection: &Connection,
    request: &Request,
    complete: bool,
) -> Result<(), PgError> {
    let Config {
        seed,
        customers,
        months,
        dirt,
        start,
    } = request.config;
    let sql = format!(
        "begin; delete from {0}; insert into {0} values ({seed}, {customers}, {months}, '{start}', \
         '{until}', {complete}, {dirt}); commit",
        relation(),
        until = request.until,
    );
    connection.execute(&sql).await.map(|_| ())
}

/// Whether a schema has a table of that name.
pub(super) async fn exists(
    connection: &Connection,
    schema: &str,
    table: &str,
) -> Result<bool, PgError> {
    let sql = format!(
        "select 1 from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
         where n.nspname = '{schema}' and c.relname = '{table}'"
    );
    Ok(one(connection, &sql).await?.is_some())
}

/// The first value of the first row, if there is a row.
pub(super) async fn one(connection: &Connection, sql: &str) -> Result<Option<String>, PgError> {
    let rows = connection.query_untyped(sql).await?;
    Ok(rows
        .rows
        .into_iter()
        .next()
        .and_then(|row| row.into_iter().next().flatten()))
}
