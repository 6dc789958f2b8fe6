//! Views as they can be made again: their text with every name qualified, and their options.

use super::super::connection::Connection;
use super::super::error::PgError;
use super::rows::Cells;
use super::{Oid, oid_array};

/// A view or materialized view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewDefinition {
    /// Its id.
    pub oid: Oid,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Whether it is a materialized view.
    pub is_materialized: bool,
    /// The query, with every name qualified, without a semicolon.
    pub query: String,
    /// For example `security_barrier=true`.
    pub options: Vec<String>,
}

/// The definitions of views, in the order of their ids. `search_path` is empty while they
/// are read, so that each name is qualified, and is as before afterwards.
pub async fn view_definitions(
    connection: &Connection,
    views: &[Oid],
) -> Result<Vec<ViewDefinition>, PgError> {
    if views.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "select pg_catalog.set_config('marts.search_path', pg_catalog.current_setting('search_path'), false),
                pg_catalog.set_config('search_path', '', false);
         select c.oid::text, n.nspname, c.relname, c.relkind = 'm',
                pg_catalog.rtrim(pg_catalog.pg_get_viewdef(c.oid), ';'),
                pg_catalog.array_to_json(c.reloptions)
           from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
          where c.oid = any ({}) and c.relkind in ('v', 'm')
          order by c.oid;
         do $$ begin
           perform pg_catalog.set_config('search_path', pg_catalog.current_setting('marts.search_path'), false);
         end $$",
        oid_array(views)
    );
    let found = connection.query_last_rows(&sql).await?;
    let definition = |row| {
        let mut cells = Cells::new(row);
        Ok(ViewDefinition {
            oid: cells.oid()?,
            schema: cells.text(),
            name: cells.text(),
            is_materialized: cells.flag(),
            query: cells.text(),
            options: cells.list()?,
        })
    };
    found.rows.into_iter().map(definition).collect()
}
