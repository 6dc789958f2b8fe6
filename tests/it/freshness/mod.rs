//! Freshness of sources: how old is too old, by dbt's keys, as a command and as a gate.

use serde_json::Value as Json;

use crate::run::support::Project;

/// A source `raw` with these tables, and a model behind `raw.orders`.
fn project(tables: &str) -> Project {
    let p = Project::new(&[
        (
            "models/orders.sql",
            "select * from {{ source('raw', 'orders') }}",
        ),
        ("models/behind.sql", "select * from {{ ref('orders') }}"),
        ("models/other.sql", "select 1 as x"),
        ("models/schema.yml", &schema(tables)),
    ]);
    p.sql("create schema raw; create table raw.orders (id int, at timestamptz)");
    p
}

fn schema(tables: &str) -> String {
    format!(
        "
sources:
  - name: raw
    loaded_at_field: at
    freshness:
      warn_after: {{count: 1, period: hour}}
      error_after: {{count: 2, period: day}}
    tables:
{tables}"
    )
}

const ORDERS: &str = "      - name: orders\n";

/// `status` and age in whole hours of each source in a file, sorted.
fn sources(p: &Project, path: &str) -> Vec<String> {
    let json: Json = serde_json::from_str(&p.read(path)).expect("is JSON");
    let results = json["results"].as_array().expect("a list");
    let mut lines: Vec<String> = results
        .iter()
        .map(|r| {
            let id = r["unique_id"].as_str().expect("an id");
            let age = r["max_loaded_at_time_ago_in_s"].as_f64().unwrap_or(-1.0);
            let name = id.rsplit('.').next().expect("a name");
            let status = r["status"].as_str().expect("a status");
            format!("{name} {status} {}", (age / 3600.0).round())
        })
        .collect();
    lines.sort();
    lines
}

#[test]
fn each_source_is_judged_by_its_own_limits() {
    let p = project(
        "
      - name: orders
      - name: strict
        config: {freshness: {error_after: {count: 30, period: minute}}}
      - name: lenient
        freshness: {warn_after: {count: 9, period: day}}
        loaded_at_field: day
      - name: never
        freshness: null
      - name: filtered
        freshness: {filter: id > 1}
      - name: asked
        loaded_at_query: select max(at) + interval '1 hour' from {{ this }};
      - name: asked_in_config
        config: {loaded_at_query: 'select max(at) from {{ this }}'}
      - name: empty
",
    );
    p.sql(
        "insert into raw.orders values (1, now());
         create table raw.strict as select now() - interval '40 minutes' as at;
         create table raw.lenient as select (now() at time zone 'utc')::date - 1 as day;
         create table raw.never (at text);
         create table raw.filtered as select 1 as id, now() as at union all
           select 2, now() - interval '3 hours';
         create table raw.asked as select (now() at time zone 'utc') - interval '3 hours' as at;
         create table raw.asked_in_config as select now() - interval '5 hours' as at;
         create table raw.empty (at timestamp)",
    );
    let ran = p.marts(&["source", "freshness"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let mut found = sources(&p, "target/sources.json");
    assert!(found[2].starts_with("empty error 1"), "{found:?}");
    found.remove(2);
    let lenient = found.remove(3);
    assert!(lenient.starts_with("lenient pass "), "{lenient}");
    assert_eq!(
        found,
        [
            "asked warn 2",
            "asked_in_config warn 5",
            "filtered warn 3",
            "orders pass 0",
            "strict error 1"
        ]
    );
    for says in [
        "last loaded 40 min ago",
        "error after 30 minutes",
        "it has no rows; error after 2 days",
        "last loaded 3 h 0 min ago",
    ] {
        assert!(ran.stderr.contains(says), "{says:?} in:\n{}", ran.stderr);
    }
}

#[test]
fn selection_and_the_file_are_the_users_choice_and_warnings_end_well() {
    let p = project("      - name: orders\n      - name: gone\n");
    p.sql("insert into raw.orders values (1, now() - interval '5 hours')");
    p.ok(&[
        "source",
        "freshness",
        "-s",
        "source:raw.orders",
        "-o",
        "out/fresh.json",
    ]);
    assert_eq!(sources(&p, "out/fresh.json"), ["orders warn 5"]);
}

#[test]
fn the_file_has_the_keys_of_dbts_schema_and_an_error_has_its_own() {
    let p = project("      - name: orders\n      - name: gone\n");
    p.sql("insert into raw.orders values (1, now())");
    p.fails(1, &["source", "freshness"], &["raw.gone", "does not exist"]);
    let json: Json = serde_json::from_str(&p.read("target/sources.json")).expect("is JSON");
    assert_eq!(
        json["metadata"]["dbt_schema_version"],
        "https://schemas.getdbt.com/dbt/sources/v3.json"
    );
    let keys = |value: &Json| {
        let mut keys: Vec<String> = value.as_object().expect("a map").keys().cloned().collect();
        keys.sort();
        keys.join(" ")
    };
    let of = |name: &str| {
        let results = json["results"].as_array().expect("a list");
        let found = results
            .iter()
            .find(|r| r["unique_id"] == format!("source.shop.raw.{name}"));
        found.expect("is there")
    };
    assert_eq!(keys(&json), "elapsed_time metadata results");
    assert_eq!(
        keys(of("orders")),
        "adapter_response criteria execution_time max_loaded_at max_loaded_at_time_ago_in_s \
         snapshotted_at status thread_id timing unique_id"
    );
    assert_eq!(keys(of("gone")), "error status unique_id");
    assert_eq!(of("gone")["status"], "runtime error");
    assert_eq!(
        of("orders")["criteria"]["error_after"],
        serde_json::json!({"count": 2, "period": "day"})
    );
}

#[test]
fn a_stale_source_holds_back_what_reads_it_when_that_is_asked() {
    let p = project(ORDERS);
    p.sql("insert into raw.orders values (1, now() - interval '3 days')");
    p.ok(&["build"]);
    assert_eq!(p.statuses(), "behind=success orders=success other=success");
    p.fails(1, &["build", "--freshness"], &["last loaded 3 d 0 h ago"]);
    assert_eq!(
        p.statuses(),
        "behind=skipped orders=skipped other=success raw=fail"
    );
    p.sql("update raw.orders set at = now() - interval '1 day'");
    p.ok(&["build", "--freshness"]);
    assert_eq!(
        p.statuses(),
        "behind=success orders=success other=success raw=warn"
    );
    // A mode that publishes later holds back the same.
    p.sql("update raw.orders set at = now() - interval '3 days'");
    p.fails(
        1,
        &["build", "--freshness", "--publish", "together"],
        &["3 d 0 h ago"],
    );
    p.fails(
        1,
        &["build", "--freshness", "--publish", "audited"],
        &["3 d 0 h ago"],
    );
    assert_eq!(
        p.statuses(),
        "behind=skipped orders=skipped other=success raw=fail"
    );
    // Only what is built asks for its sources.
    p.sql("update raw.orders set at = null");
    p.ok(&["build", "--freshness", "-s", "other"]);
    assert_eq!(p.statuses(), "other=success");
    p.write(
        "project.yml",
        "name: shop\nversion: '1.0'\nprofile: shop\nflags: {source_freshness_gate: true}\n",
    );
    p.fails(1, &["build"], &["it has no rows"]);
}

#[test]
fn what_is_no_time_is_said_so() {
    let p = project("      - name: orders\n      - {name: words, loaded_at_field: id}\n");
    p.sql("create table raw.words as select '2026-01-01'::text as id");
    let says = [
        "the time at which `raw.words` was loaded is",
        "cast it in `loaded_at_field`",
    ];
    p.fails(1, &["source", "freshness"], &says);
}

#[test]
fn limits_may_stand_in_the_project_file() {
    let p = Project::new(&[
        (
            "models/schema.yml",
            "sources: [{name: raw, tables: [{name: orders}, {name: quiet, config: {freshness: \
             null}}]}]\n",
        ),
        (
            "models/orders.sql",
            "select * from {{ source('raw', 'orders') }}",
        ),
    ]);
    p.write(
        "project.yml",
        "name: shop\nversion: '1.0'\nprofile: shop\nsources:\n  shop:\n    +loaded_at_field: at\n    \
         +freshness: {error_after: {count: 1, period: day}}\n",
    );
    p.sql("create schema raw; create table raw.orders as select now() - interval '2 days' as at");
    p.fails(1, &["source", "freshness"], &["error after 1 day"]);
    assert_eq!(sources(&p, "target/sources.json"), ["orders error 48"]);
}
