//! The statements of each materialization, in order, against a session that only records.

use serde_json::{Value as Json, json};

use super::{Built, Spec, materialize};
use crate::graph::fixture::{graph, model};
use crate::jinja::{Column, Table};
use crate::names::{Relation, RelationKind};
use crate::publish::{CandidateHome, Pending, RunTag};
use crate::session::recording::Recording;

/// The catalog's answer about a name that is free.
fn nothing_there() -> Table {
    let facts = json!({
        "default_grants": [],
        "candidate_columns": [{"name": "id", "type": "integer", "comment": null}],
        "live": null,
    });
    Table {
        columns: vec![Column {
            name: "facts".into(),
            data_type: "text".into(),
        }],
        rows: vec![vec![Some(facts.to_string())]],
        status: "SELECT 1".into(),
    }
}

fn build(config: Json, existing: Option<RelationKind>, session: &Recording) -> Built {
    let graph = graph(vec![model("orders").config(config)]);
    let (_, node) = graph.nodes().next().unwrap();
    let home = CandidateHome::ShadowSchemas(RunTag::from_unique("a run"));
    let spec = Spec {
        node,
        live: &Relation::new("shop", "gold", "orders"),
        sql: "select 1 as id",
        live_sql: "select 1 as id",
        home: &home,
        existing,
        strict_seeds: true,
        full_refresh: false,
        pending: &Pending::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(materialize(spec, session)).unwrap()
}

#[test]
fn a_table_is_a_candidate_then_a_short_swap() {
    let session = Recording::default().answer(nothing_there());
    let config = json!({"materialized": "table", "indexes": [{"columns": ["id"]}],
        "pre-hook": ["set local work_mem = '1GB'"], "post-hook": ["analyze gold.orders"]});
    let built = build(config, None, &session);
    assert_eq!(built.kind, Some(RelationKind::Table));
    insta::assert_snapshot!(session.log());
}

#[test]
fn a_view_is_made_under_its_own_name() {
    let session = Recording::default();
    build(json!({"materialized": "view"}), None, &session);
    insta::assert_snapshot!(session.log());
}

#[test]
fn a_delta_is_staged_and_applied_in_one_transaction() {
    let columns = [("id", "integer"), ("amount", "numeric")];
    let session = Recording::default()
        .with_columns(&columns)
        .with_columns(&columns);
    let config = json!({"materialized": "incremental", "unique_key": "id"});
    build(config, Some(RelationKind::Table), &session);
    insta::assert_snapshot!(session.log());
}
