//! Semantic models, metrics, saved queries and docs blocks in the manifest.

use serde_json::json;

use crate::run::support::Project;

const YAML: &str = r#"
models:
  - name: orders
    description: "{{ doc('orders_doc') }} and {{ doc('shop', 'more') }}"
    columns:
      - {name: id, description: "{{ doc('more') }}"}
semantic_models:
  - name: orders_sem
    description: All orders
    model: ref('orders')
    config: {meta: {a: 1}}
    defaults: {agg_time_dimension: ordered_at}
    entities:
      - {name: order_id, type: primary, expr: id}
    dimensions:
      - {name: ordered_at, type: time, type_params: {time_granularity: day}}
    measures:
      - {name: order_total, agg: sum, expr: amount}
      - {name: order_count, agg: count, expr: "1", create_metric: true}
metrics:
  - name: revenue
    label: Revenue
    type: simple
    type_params: {measure: order_total}
    filter: "{{ Dimension('order_id__status') }} = 'done'"
  - name: per_order
    label: Per order
    type: ratio
    type_params: {numerator: revenue, denominator: {name: order_count, alias: n}}
  - name: before
    label: Before
    type: derived
    type_params:
      expr: revenue
      metrics: [{name: revenue, offset_window: 2 months}]
exposures:
  - name: board
    type: dashboard
    owner: {name: me}
    depends_on: [metric('revenue'), ref('orders')]
saved_queries:
  - name: by_day
    query_params:
      metrics: [revenue, per_order]
      group_by: ["TimeDimension('metric_time', 'day')"]
    exports:
      - {name: by_day_table, config: {export_as: table, alias: by_day}}
"#;

fn project() -> Project {
    Project::new(&[
        ("models/sem.yml", YAML),
        (
            "models/docs.md",
            "{% docs orders_doc %}Orders{% enddocs %}\n{% docs more %}more{% enddocs %}\n",
        ),
        (
            "models/orders.sql",
            "select 1 as id, 2 as amount, now() as ordered_at, 'done' as status",
        ),
    ])
}

#[test]
fn the_manifest_has_them_with_what_they_need() {
    let project = project();
    project.ok(&["parse"]);
    let manifest = project.json("target/manifest.json");
    let model = &manifest["semantic_models"]["semantic_model.shop.orders_sem"];
    assert_eq!(model["node_relation"]["alias"], "orders");
    assert_eq!(model["depends_on"]["nodes"], json!(["model.shop.orders"]));
    assert_eq!(model["entities"][0]["config"], json!({"meta": {"a": 1}}));
    let metrics = &manifest["metrics"];
    assert_eq!(
        metrics["metric.shop.order_count"]["description"],
        "Metric created from measure order_count"
    );
    let ratio = &metrics["metric.shop.per_order"];
    assert_eq!(
        ratio["depends_on"]["nodes"],
        json!(["metric.shop.revenue", "metric.shop.order_count"])
    );
    let inputs = ratio["type_params"]["input_measures"]
        .as_array()
        .expect("is a list");
    let names: Vec<&str> = inputs.iter().filter_map(|m| m["name"].as_str()).collect();
    assert_eq!(names, ["order_total", "order_count"]);
    let window = &metrics["metric.shop.before"]["type_params"]["metrics"][0]["offset_window"];
    assert_eq!(*window, json!({"count": 2, "granularity": "month"}));
    let query = &manifest["saved_queries"]["saved_query.shop.by_day"];
    assert_eq!(query["exports"][0]["config"]["schema_name"], "shop");
    assert_eq!(
        query["depends_on"]["nodes"],
        json!(["metric.shop.revenue", "metric.shop.per_order"])
    );
    let board = &manifest["exposures"]["exposure.shop.board"];
    assert_eq!(
        board["depends_on"]["nodes"],
        json!(["model.shop.orders", "metric.shop.revenue"])
    );
    assert_eq!(board["metrics"], json!([["revenue"]]));
    let orders = &manifest["nodes"]["model.shop.orders"];
    assert_eq!(
        orders["doc_blocks"],
        json!(["doc.shop.orders_doc", "doc.shop.more"])
    );
    assert_eq!(
        orders["columns"]["id"]["doc_blocks"],
        json!(["doc.shop.more"])
    );
    assert_eq!(
        manifest["child_map"]["model.shop.orders"],
        json!(["exposure.shop.board", "semantic_model.shop.orders_sem"])
    );
}

#[test]
fn they_are_selected_by_their_methods_and_never_run() {
    let project = project();
    let list = |select: &str| {
        let ran = project.ok(&["ls", "--select", select]);
        ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(list("metric:revenue"), "metric:shop.revenue");
    assert_eq!(list("semantic_model:*"), "semantic_model:shop.orders_sem");
    assert_eq!(
        list("+saved_query:by_day,resource_type:model"),
        "shop.orders"
    );
    project.ok(&["build"]);
    assert_eq!(
        project.statuses(),
        "board=no-op by_day=no-op orders=success"
    );
}

#[test]
fn what_does_not_fit_is_told() {
    let project = project();
    project.write(
        "models/sem.yml",
        &YAML.replace("measure: order_total", "measure: order_totl"),
    );
    project.fails(
        2,
        &["parse"],
        &["semantic-form", "did you mean `order_total`?"],
    );
    project.write(
        "models/sem.yml",
        &YAML.replace("metrics: [revenue, per_order]", "metrics: [revenu]"),
    );
    project.fails(
        2,
        &["parse"],
        &[
            "saved query `by_day` uses the metric `revenu`",
            "did you mean `revenue`?",
        ],
    );
    project.write(
        "models/sem.yml",
        &YAML.replace("model: ref('orders')", "model: orders"),
    );
    project.fails(2, &["parse"], &["which is no ref"]);
    project.write("models/sem.yml", &YAML.replace("    label: Revenue\n", ""));
    project.fails(2, &["parse"], &["has no `label`"]);
}
