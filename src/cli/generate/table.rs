//! One table's side of loading: its own connection, one transaction, rows as they come.

use bytes::Bytes;
use tokio::sync::mpsc::Receiver;

use crate::names::quote_ident;
use crate::pg::{Connection, PgError};
use crate::synth::Format;
use crate::synth::encode::{COPY_HEAD, COPY_TAIL};
use crate::synth::schema::Table;

use super::load::LoadError;
use super::state::{self, Way};

/// Takes in a table's rows and leaves its transaction open, for all tables to commit together.
pub(super) async fn fill(
    connection: Connection,
    table: &'static Table,
    way: Way,
    mut rows: Receiver<Bytes>,
) -> Result<Connection, LoadError> {
    // A profile's statement_timeout is meant for models; a COPY takes as long as its rows.
    connection
        .execute("begin; set local statement_timeout = 0")
        .await?;
    if matches!(way, Way::Continue(_)) {
        add(&connection, table, &mut rows).await?;
    } else {
        write_anew(&connection, table, &mut rows).await?;
    }
    let analyze = format!("analyze {}", table.qualified(table.schema));
    connection.execute(&analyze).await?;
    Ok(connection)
}

async fn write_anew(
    connection: &Connection,
    table: &'static Table,
    rows: &mut Receiver<Bytes>,
) -> Result<(), LoadError> {
    let relation = table.qualified(table.schema);
    let is_new = !state::exists(connection, table.schema, table.name).await?;
    if is_new {
        connection.execute(&table.create_sql(table.schema)).await?;
    } else {
        check_columns(connection, table).await?;
        connection.execute(&format!("truncate {relation}")).await?;
    }
    // The table is new or empty in this very transaction, so no other can see the rows: they
    // can be frozen at once, which spares the first readers the work.
    let copy = table
        .copy_sql(&relation)
        .replace("(format binary)", "(format binary, freeze)");
    copy_rows(connection, &copy, rows).await?;
    if is_new {
        // Only rows that change are looked up by key.
        if table.is_mutable() {
            connection.execute(&table.key_sql(table.schema)).await?;
        }
        connection
            .execute(&table.comment_sql(table.schema).join("; "))
            .await?;
    }
    Ok(())
}

async fn add(
    connection: &Connection,
    table: &'static Table,
    rows: &mut Receiver<Bytes>,
) -> Result<(), LoadError> {
    check_columns(connection, table).await?;
    let relation = table.qualified(table.schema);
    if !table.is_mutable() {
        copy_rows(connection, &table.copy_sql(&relation), rows).await?;
        return Ok(());
    }
    let incoming = format!("pg_temp.{}", quote_ident(table.name));
    let create = format!(
        "create temporary table {} (like {relation}) on commit drop",
        quote_ident(table.name)
    );
    connection.execute(&create).await?;
    copy_rows(connection, &table.copy_sql(&incoming), rows).await?;
    connection
        .execute(&table.upsert_sql(table.schema, &incoming))
        .await?;
    Ok(())
}

async fn copy_rows(
    connection: &Connection,
    sql: &str,
    rows: &mut Receiver<Bytes>,
) -> Result<(), PgError> {
    let mut copy = connection.copy_in(sql).await?;
    copy.send(Bytes::from_static(COPY_HEAD)).await?;
    while let Some(bytes) = rows.recv().await {
        copy.send(bytes).await?;
    }
    copy.send(Bytes::from_static(COPY_TAIL)).await?;
    copy.finish().await?;
    Ok(())
}

/// A table of this name with other columns is not ours to write.
async fn check_columns(connection: &Connection, table: &'static Table) -> Result<(), LoadError> {
    let found = connection.columns(table.schema, table.name).await?;
    let found = found.iter().map(|c| c.name.as_str());
    if found.eq(table.columns.iter().map(|c| c.name)) {
        Ok(())
    } else {
        Err(LoadError::Columns { table })
    }
}

/// The format that the connections take.
pub(super) const FORMAT: Format = Format::Copy;
