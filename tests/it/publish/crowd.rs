//! Two builds of one target and ten readers at once, among relations on which others built.
//!
//! The suite gives it six seconds; `MARTS_CROWD_SECONDS=60 cargo test --test it crowd` a minute.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::support::Poller;
use crate::run::support::{Project, Ran};

/// How many readers there are.
const READERS: usize = 10;

/// A table that carries the version.
const TABLE: &str = "{{ config(materialized='table') }} select id, v from {{ ref('base') }}";

const FILES: [(&str, &str); 11] = [
    ("seeds/ids.csv", "id\n1\n2\n3\n4\n5\n"),
    (
        "models/base.sql",
        "{{ config(materialized='table') }} select id, {{ var('v', 1) }} as v from {{ ref('ids') }}",
    ),
    // These are replaced by others; what hangs on the rest keeps them.
    ("models/billed.sql", TABLE),
    ("models/collected.sql", TABLE),
    ("models/copied.sql", TABLE),
    ("models/referred.sql", TABLE),
    ("models/secured.sql", TABLE),
    ("models/watched.sql", TABLE),
    ("models/sent.sql", TABLE),
    ("models/shown.sql", "select id, v from {{ ref('billed') }}"),
    (
        "models/grown.sql",
        "{{ config(materialized='incremental', unique_key='id') }} select id, v from \
         {{ ref('collected') }}",
    ),
];

/// The models that all carry the version of the last publication.
const MARTS: [&str; 10] = [
    "base",
    "billed",
    "collected",
    "copied",
    "referred",
    "secured",
    "watched",
    "sent",
    "shown",
    "grown",
];

const TESTS: &str = "models:
  - name: billed
    columns: [{name: id, data_tests: [unique, not_null]}]
  - name: grown
    columns: [{name: v, data_tests: [not_null]}]
";

/// What others have built on the marts. Roles are of the whole server, so their names are of
/// this test alone.
const THEIRS: &str = "create role crowd_analyst; create role crowd_reader; create role crowd_late;
    create schema lab authorization crowd_analyst;
    grant usage on schema shop to crowd_analyst, crowd_reader, crowd_late;
    alter default privileges in schema shop grant select on tables to crowd_late;
    grant select on all tables in schema shop to crowd_analyst;
    grant select on shop.billed to crowd_reader with grant option;
    grant update (v) on shop.billed to crowd_reader;
    grant references on shop.referred to crowd_analyst;
    comment on table shop.billed is 'kept'; comment on column shop.billed.v is 'kept too';
    comment on view shop.shown is 'shown to all'; grant select (id) on shop.shown to crowd_reader;
    alter table shop.referred add primary key (id);
    alter table shop.secured enable row level security;
    alter table shop.secured force row level security;
    create policy seen on shop.secured to crowd_analyst using (id < 3);
    create function lab.seen() returns trigger language plpgsql as 'begin return new; end';
    create trigger seen before insert on shop.watched for each row execute function lab.seen();
    alter table shop.sent replica identity full;
    create publication crowd_sent for table shop.sent;
    set role crowd_analyst;
    create view lab.barrier with (security_barrier) as select id, v from shop.billed where id > 1;
    comment on view lab.barrier is 'theirs'; comment on column lab.barrier.id is 'key';
    grant select (id) on lab.barrier to crowd_reader;
    create view lab.nested as select id, v from lab.barrier;
    grant select on lab.nested to crowd_reader;
    create view lab.of_view as select id, v from shop.shown;
    create materialized view lab.kept as select id from shop.copied;
    create unique index kept_id on lab.kept (id);
    create table lab.refund (id int references shop.referred);
    insert into lab.refund values (1), (3);
    reset role";

/// Everything of the catalog that others have set; of a rebuilt table all but its OID.
const FACTS: [(&str, &str); 9] = [
    (
        "relations",
        "select relnamespace::regnamespace, relname, relkind, pg_get_userbyid(relowner), relacl, \
         reloptions, relrowsecurity, relforcerowsecurity, relreplident, obj_description(oid) from \
         pg_class where relnamespace in ('shop'::regnamespace, 'lab'::regnamespace)",
    ),
    (
        "columns",
        "select attrelid::regclass::text, attnum, attname, atttypid::regtype, attacl, \
         col_description(attrelid, attnum) from pg_attribute join pg_class c on c.oid = attrelid \
         where relnamespace in ('shop'::regnamespace, 'lab'::regnamespace) and attnum > 0 and not \
         attisdropped",
    ),
    (
        "views",
        "select oid::regclass::text, pg_get_viewdef(oid) from pg_class where relnamespace = \
         'lab'::regnamespace and relkind in ('v', 'm')",
    ),
    (
        "constraints",
        "select conrelid::regclass::text, conname, convalidated, pg_get_constraintdef(oid) from \
         pg_constraint where connamespace in ('shop'::regnamespace, 'lab'::regnamespace)",
    ),
    (
        "policies",
        "select polrelid::regclass::text, polname, polroles::regrole[], pg_get_expr(polqual, \
         polrelid) from pg_policy",
    ),
    (
        "triggers",
        "select tgrelid::regclass::text, tgname, tgenabled, tgfoid::regproc from pg_trigger where \
         not tgisinternal",
    ),
    (
        "publications",
        "select pubname, schemaname, tablename from pg_publication_tables",
    ),
    (
        "default privileges",
        "select defaclnamespace::regnamespace, defaclobjtype, defaclacl from pg_default_acl",
    ),
    (
        "rows of others",
        "select id from lab.refund union all select id from lab.kept",
    ),
];

fn facts(project: &Project) -> BTreeMap<&'static str, String> {
    let sorted = |sql: &str| format!("select fact::text from ({sql}) fact order by 1");
    FACTS
        .iter()
        .map(|(name, sql)| (*name, project.rows(&sorted(sql))))
        .collect()
}

/// A project whose marts are published once and built upon by others.
fn crowded() -> Project {
    let project = Project::published("together", &FILES);
    project.write("models/tests.yml", TESTS);
    project.ok(&["build"]);
    project.sql(THEIRS);
    project
}

fn drop_roles(project: &Project) {
    project.sql(
        "drop owned by crowd_analyst, crowd_reader, crowd_late cascade; drop role crowd_analyst, \
         crowd_reader, crowd_late",
    );
}

/// How many rows and which versions one statement sees: `50|7|7` where all is of version 7.
fn of_all_marts() -> String {
    let rows: Vec<String> = MARTS
        .iter()
        .map(|mart| format!("select v from shop.{mart}"))
        .collect();
    let rows = rows.join(" union all ");
    format!("select count(*), min(v), max(v) from ({rows}) r")
}

/// What ten readers ask, each with what they must see: so many rows, of one version. They
/// think for a moment in between, with nothing in hand.
fn questions() -> Vec<(String, &'static str)> {
    let all = of_all_marts();
    let joined = "select count(*), min(least(b.v, c.v, g.v, r.v)), max(greatest(b.v, c.v, g.v, r.v)) \
                  from shop.grown g join shop.collected c using (id) join shop.shown b using (id) \
                  join shop.referred r using (id)";
    // A transaction of several statements locks in its own order until it ends.
    let slow = "select pg_sleep(0.01); begin; select from shop.collected; select from shop.billed; select from \
                shop.sent; select pg_sleep(0.02); commit; select 5, 1, 1";
    let other_way = "select pg_sleep(0.01); begin; select from shop.shown; select from shop.grown; select from \
                     shop.base; commit; select 5, 1, 1";
    let theirs = "select pg_sleep(0.01); set role crowd_analyst; select count(*), min(v), max(v) from lab.nested";
    let of_view = "select pg_sleep(0.01); set role crowd_analyst; select count(*), min(v), max(v) from lab.of_view";
    let policy = "select pg_sleep(0.01); set role crowd_analyst; select count(*), min(v), max(v) from shop.secured";
    vec![
        (all.clone(), "50"),
        (all, "50"),
        (joined.to_owned(), "5"),
        (joined.to_owned(), "5"),
        (slow.to_owned(), "5"),
        (slow.to_owned(), "5"),
        (other_way.to_owned(), "5"),
        (theirs.to_owned(), "4"),
        (of_view.to_owned(), "5"),
        (policy.to_owned(), "2"),
    ]
}

/// Whether an answer has all rows and one version.
fn is_whole(answer: &str, rows: &str) -> bool {
    let cells: Vec<&str> = answer.split('|').collect();
    matches!(cells[..], [count, low, high] if count == rows && low == high)
}

fn seconds() -> u64 {
    let told = std::env::var("MARTS_CROWD_SECONDS").ok();
    told.and_then(|text| text.parse().ok()).unwrap_or(6)
}

/// Builds ever new versions until the time is over; how many.
fn build_until(project: &Project, version: &AtomicUsize, out: &str, end: Instant) -> usize {
    let mut builds = 0;
    while Instant::now() < end {
        let next = version.fetch_add(1, Ordering::Relaxed);
        let vars = format!("{{v: {next}}}");
        let ran = project.marts(&["build", "--vars", &vars, "--target-path", out]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        builds += 1;
    }
    builds
}

#[test]
fn two_builds_and_ten_readers_at_once_leave_all_of_others_as_it_was() {
    let project = crowded();
    let before = facts(&project);
    let questions = questions();
    assert_eq!(questions.len(), READERS);
    let pollers: Vec<Poller> = questions
        .iter()
        .map(|(sql, _)| Poller::start(project.db.config(), sql.as_str()))
        .collect();
    let (version, end) = (
        AtomicUsize::new(2),
        Instant::now() + Duration::from_secs(seconds()),
    );
    let builds: usize = std::thread::scope(|scope| {
        let builders = ["one", "two"].map(|out| {
            let (project, version) = (&project, &version);
            scope.spawn(move || build_until(project, version, out, end))
        });
        builders.map(|b| b.join().expect("builds")).iter().sum()
    });
    let mut reads = 0;
    for (poller, (sql, rows)) in pollers.into_iter().zip(&questions) {
        let seen = poller.stop();
        reads += seen.values().sum::<usize>();
        let odd: Vec<_> = seen.keys().filter(|a| !is_whole(a, rows)).collect();
        assert!(odd.is_empty(), "{sql}\n{odd:?}");
    }
    println!("{builds} builds, {reads} reads in {} s", seconds());
    assert!(builds >= 2 && reads >= READERS);
    for (name, fact) in facts(&project) {
        assert_eq!(fact, before[name], "{name}");
    }
    // Whoever published last: every mart is of one version, whatever way it was published.
    let last = project.rows(&of_all_marts());
    assert!(is_whole(&last, "50"), "{last}");
    let deadlocks = "select deadlocks from pg_stat_database where datname = current_database()";
    assert_eq!(project.rows(deadlocks), "0");
    project.no_leftovers();
    // A mart that is new gets what its schema gives to new tables.
    project.write("models/late.sql", TABLE);
    project.ok(&["build"]);
    let may = "select has_table_privilege('crowd_late', 'shop.late', 'select')";
    assert_eq!(project.rows(may), "t");
    drop_roles(&project);
}

#[test]
fn a_second_build_waits_and_says_for_whom_or_ends_at_once_when_told_so() {
    let project = Project::published(
        "together",
        &[(
            "models/t.sql",
            "{{ config(materialized='table') }} select {{ var('v', 1) }} as v {% if var('slow', \
             false) %} from pg_sleep(3) {% endif %}",
        )],
    );
    project.ok(&["build"]);
    let slow = [
        "build",
        "--vars",
        "{v: 2, slow: true}",
        "--target-path",
        "one",
    ];
    let first = project.spawn(&slow);
    project.wait_for(
        "select 1 from pg_stat_activity where state = 'active' and query like '%pg_sleep(3)%' and \
         pid <> pg_backend_pid() and datname = current_database()",
    );
    let held = [
        "target-held",
        "schema \"shop\" is held by another run",
        "marts",
    ];
    project.fails(2, &["build", "--no-wait", "--target-path", "two"], &held);
    let json = [
        "build",
        "--vars",
        "{v: 3}",
        "--target-path",
        "two",
        "--log-format",
        "json",
    ];
    let second = project.marts(&json);
    assert_eq!(second.code, 0, "{}", second.stderr);
    assert!(
        second.stderr.contains("waiting: schema"),
        "{}",
        second.stderr
    );
    let first = Ran::of(first.wait_with_output().expect("ends"));
    assert_eq!(first.code, 0, "{}", first.stderr);
    assert_eq!(
        project.rows("select v from shop.t"),
        "3",
        "the second came last"
    );
    project.no_leftovers();
}
