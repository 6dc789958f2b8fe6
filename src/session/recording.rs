//! A session that only writes down what it is asked to do: the statement sequence of a
//! materialization is snapshot-tested with it.

use std::collections::VecDeque;
use std::sync::Mutex;

use async_trait::async_trait;

use super::{Done, Embedded, MacroArg, Pieces, Session, SessionError, Take};
use crate::jinja::{Arg, Column, Table};
use crate::names::Relation;

/// Records statements; answers queries and columns from what a test laid out.
#[derive(Default)]
pub(crate) struct Recording {
    log: Mutex<Vec<String>>,
    tables: Mutex<VecDeque<Table>>,
    columns: Mutex<VecDeque<Vec<Column>>>,
}

impl Recording {
    pub(crate) fn answer(self, table: Table) -> Self {
        self.tables.lock().unwrap().push_back(table);
        self
    }

    pub(crate) fn with_columns(self, names: &[(&str, &str)]) -> Self {
        let columns = names
            .iter()
            .map(|(n, t)| Column {
                name: (*n).into(),
                data_type: (*t).into(),
            })
            .collect();
        self.columns.lock().unwrap().push_back(columns);
        self
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    fn note(&self, line: String) {
        self.log.lock().unwrap().push(line);
    }
}

fn show(arg: &Arg) -> String {
    match arg {
        Arg::Json(value) => value.to_string(),
        Arg::Relation(relation) => relation.to_string(),
        Arg::Columns(columns) => {
            format!(
                "[{}]",
                columns
                    .iter()
                    .map(|c| c.name.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            )
        }
        Arg::Dict(pairs) => {
            let pairs: Vec<String> = pairs
                .iter()
                .map(|(k, v)| format!("{k}: {}", show(v)))
                .collect();
            format!("{{{}}}", pairs.join(", "))
        }
        Arg::List(list) => format!("[{}]", list.iter().map(show).collect::<Vec<_>>().join(", ")),
    }
}

#[async_trait]
impl Session for Recording {
    async fn execute(&self, sql: Embedded<'_>) -> Result<Done, SessionError> {
        self.note(format!("execute: {}", sql.text.trim()));
        Ok(Done {
            tag: "SELECT 1".into(),
            rows: Some(1),
        })
    }

    async fn execute_all(&self, texts: &[Embedded<'_>]) -> Result<Vec<Done>, SessionError> {
        let mut done = Vec::new();
        for text in texts {
            done.push(self.execute(*text).await?);
        }
        Ok(done)
    }

    async fn ask_catalog(
        &self,
        _: &'static str,
        params: &[Option<&str>],
    ) -> Result<Table, SessionError> {
        let params: Vec<&str> = params.iter().map(|p| p.unwrap_or("null")).collect();
        self.note(format!("ask the catalog: {}", params.join(", ")));
        Ok(self.tables.lock().unwrap().pop_front().unwrap_or_default())
    }

    async fn query_embedded(&self, sql: Embedded<'_>) -> Result<Table, SessionError> {
        // The catalog's question is long, and its own file.
        let first = sql.text.trim().lines().next().unwrap_or_default();
        self.note(format!("query: {first}"));
        Ok(self.tables.lock().unwrap().pop_front().unwrap_or_default())
    }

    async fn columns(&self, relation: &Relation) -> Result<Vec<Column>, SessionError> {
        self.note(format!("columns: {relation}"));
        Ok(self.columns.lock().unwrap().pop_front().unwrap_or_default())
    }

    async fn copy_in(&self, statement: &str, _: Pieces) -> Result<u64, SessionError> {
        self.note(format!("copy: {statement}"));
        Ok(0)
    }

    async fn copy_out(&self, sql: Embedded<'_>, _: Take<'_>) -> Result<(), SessionError> {
        self.note(format!("copy: {}", sql.text));
        Ok(())
    }

    async fn call_macro(&self, name: &str, args: &[MacroArg<'_>]) -> Result<String, SessionError> {
        let args: Vec<String> = args
            .iter()
            .map(|(n, a)| format!("{n}={}", show(a)))
            .collect();
        Ok(format!("<{name}({})>", args.join(", ")))
    }

    fn resolves_to_builtin(&self, _: &str) -> bool {
        true
    }

    async fn render(
        &self,
        template: &str,
        _this: Option<&Relation>,
    ) -> Result<String, SessionError> {
        Ok(template.to_owned())
    }
}
