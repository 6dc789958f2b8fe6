//! A world for templates: every name exists, every query gives the same two rows.

use std::sync::Mutex;

use marts::jinja::{Column, Database, LookupError, Names, NodeContext, RefCall, SourceCall, Table};
use marts::names::{Relation, RelationKind};

/// Answers refs and sources with relations of the same name; `missing` does not exist.
pub(super) struct FakeNames;

impl Names for FakeNames {
    fn resolve_ref(&self, _: &NodeContext, call: &RefCall) -> Result<Relation, LookupError> {
        if call.name == "missing" {
            return Err(LookupError {
                message: "there is no model `missing`".to_owned(),
                hint: Some("did you mean `orders`?".to_owned()),
            });
        }
        Ok(Relation::new("shop", "main", &call.name).of_kind(RelationKind::Table))
    }

    fn resolve_source(&self, _: &NodeContext, call: &SourceCall) -> Result<Relation, LookupError> {
        Ok(Relation::new("shop", &call.source, &call.table))
    }
}

/// Keeps what it was asked and told.
#[derive(Default)]
pub(super) struct FakeDatabase {
    /// Queries and log lines, in order.
    pub asked: Mutex<Vec<String>>,
}

impl FakeDatabase {
    fn note(&self, line: String) {
        self.asked
            .lock()
            .expect("no case panics while it holds this")
            .push(line);
    }
}

fn columns() -> Vec<Column> {
    let column = |name: &str, data_type: &str| Column {
        name: name.to_owned(),
        data_type: data_type.to_owned(),
    };
    vec![
        column("id", "integer"),
        column("name", "character varying(20)"),
        column("amount", "numeric(10,2)"),
    ]
}

impl Database for FakeDatabase {
    fn query(&self, sql: &str) -> Result<Table, LookupError> {
        self.note(sql.split_whitespace().collect::<Vec<_>>().join(" "));
        let row = |cells: [Option<&str>; 3]| cells.map(|cell| cell.map(str::to_owned)).to_vec();
        let types = ["int4", "varchar", "numeric"];
        let typed = columns()
            .into_iter()
            .zip(types)
            .map(|(column, data_type)| Column {
                data_type: data_type.to_owned(),
                ..column
            });
        Ok(Table {
            columns: typed.collect(),
            rows: vec![
                row([Some("1"), Some("Ann"), Some("10.5")]),
                row([Some("2"), None, Some("3")]),
            ],
            status: "SELECT 2".to_owned(),
        })
    }

    fn relation(&self, schema: &str, identifier: &str) -> Result<Option<Relation>, LookupError> {
        let relation = Relation::new("shop", schema, identifier).of_kind(RelationKind::Table);
        Ok((identifier != "absent").then_some(relation))
    }

    fn relations(&self, schema: &str) -> Result<Vec<Relation>, LookupError> {
        Ok(vec![
            Relation::new("shop", schema, "orders").of_kind(RelationKind::Table),
        ])
    }

    fn schemas(&self) -> Result<Vec<String>, LookupError> {
        Ok(vec!["main".to_owned()])
    }

    fn columns(&self, _: &Relation) -> Result<Vec<Column>, LookupError> {
        Ok(columns())
    }

    fn log(&self, message: &str, info: bool) {
        self.note(format!(
            "log {}: {message}",
            if info { "info" } else { "debug" }
        ));
    }
}
