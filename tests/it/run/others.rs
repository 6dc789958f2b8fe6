//! What belongs to others: views, privileges, owners and whatever else hangs on a relation
//! survives its rebuild, or the rebuild is refused with names.

use super::support::Project;

const TABLE: &str = "{{ config(materialized='table') }} select g as id, 'x'::text as v from \
                     generate_series(1, {{ var('n', 3) }}) g";

fn table() -> Project {
    let project = Project::new(&[("models/t.sql", TABLE)]);
    project.ok(&["run"]);
    project
}

fn rebuild(project: &Project) {
    project.ok(&["run", "--vars", "{n: 5}"]);
    assert_eq!(project.rows("select count(*) from shop.t"), "5");
}

fn oid(project: &Project) -> String {
    project.rows("select 'shop.t'::regclass::oid")
}

#[test]
fn another_roles_view_keeps_its_options_privileges_and_comments() {
    let project = table();
    project.sql(
        "create role o1_analyst; create role o1_reader; create schema lab authorization \
         o1_analyst; grant usage on schema shop to o1_analyst; grant select on shop.t to \
         o1_analyst; set role o1_analyst; create view lab.v with (security_barrier) as select id, \
         v from shop.t where id > 1; grant select (id) on lab.v to o1_reader; comment on view \
         lab.v is 'theirs'; comment on column lab.v.id is 'key'; create view lab.w as select id \
         from lab.v",
    );
    let facts = "select relname, pg_get_userbyid(relowner), relacl, reloptions, \
                 obj_description(oid), col_description(oid, 1), (select string_agg(attacl::text, \
                 ' ') from pg_attribute where attrelid = c.oid) from pg_class c where relnamespace \
                 = 'lab'::regnamespace order by 1";
    let before = project.rows(facts);
    let live = oid(&project);
    rebuild(&project);
    assert_ne!(oid(&project), live, "swapped");
    assert_eq!(project.rows(facts), before);
    assert_eq!(project.rows("select count(*) from lab.w"), "4");
    // A type that changes makes the views anew, with all that they had.
    project.write("models/t.sql", &TABLE.replace("g as id", "g::bigint as id"));
    rebuild(&project);
    assert_eq!(project.rows(facts), before);
    assert_eq!(project.rows("select count(*) from lab.w"), "4");
    project.sql("drop owned by o1_analyst, o1_reader; drop role o1_analyst, o1_reader");
}

#[test]
fn owner_privileges_and_comments_go_over_to_the_new_table() {
    let project = table();
    project.sql(
        "create role o2_owner; create role o2_reader; grant select on shop.t to o2_reader with \
         grant option; grant update (v) on shop.t to o2_reader; comment on table shop.t is 'kept'; \
         comment on column shop.t.v is 'kept too'; alter table shop.t owner to o2_owner",
    );
    let facts = "select pg_get_userbyid(relowner), relacl, obj_description(oid), \
                 col_description(oid, 2), (select string_agg(attacl::text, ' ') from pg_attribute \
                 where attrelid = c.oid) from pg_class c where oid = 'shop.t'::regclass";
    let before = project.rows(facts);
    let live = oid(&project);
    rebuild(&project);
    assert_ne!(oid(&project), live, "swapped");
    assert_eq!(project.rows(facts), before);
    project.sql("drop owned by o2_owner, o2_reader; drop role o2_owner, o2_reader");
}

#[test]
fn a_member_of_the_owner_rebuilds_the_owners_table() {
    let project = table();
    project.sql(&format!(
        "create role o3_team; create role o3_robot login; grant o3_team to o3_robot; grant create \
         on database {} to o3_robot; alter table shop.t owner to o3_team; alter schema shop owner \
         to o3_team",
        project.db.name()
    ));
    let project = project.with_role("o3_robot");
    rebuild(&project);
    assert_eq!(
        project.rows("select tableowner from pg_tables where schemaname = 'shop'"),
        "o3_team"
    );
    project.sql("drop owned by o3_team, o3_robot; drop role o3_team, o3_robot");
}

#[test]
fn a_first_build_gets_the_default_privileges_of_its_schema() {
    let project = Project::new(&[("models/t.sql", TABLE)]);
    project.sql(
        "create role o4_reader; create schema shop; alter default privileges in schema shop grant \
         select on tables to o4_reader",
    );
    project.ok(&["run"]);
    assert_eq!(
        project.rows("select has_table_privilege('o4_reader', 'shop.t', 'select')"),
        "t"
    );
    project.sql("drop owned by o4_reader; drop role o4_reader");
}

#[test]
fn what_hangs_on_a_table_keeps_it_and_its_rows_are_exchanged() {
    for hangs in [
        "alter table shop.t enable row level security; create policy p on shop.t using (id > 0)",
        "create function public.f() returns trigger language plpgsql as 'begin return new; end'; \
         create trigger g before insert on shop.t for each row execute function public.f()",
        "create materialized view public.m as select * from shop.t",
        "create function public.f() returns setof shop.t language sql as 'select * from shop.t'",
        "create rule r as on update to shop.t do also notify x",
        "create statistics public.st on id, v from shop.t",
        "create table public.child () inherits (shop.t)",
        "alter table shop.t add primary key (id); create table public.c (id int references \
         shop.t); insert into public.c values (1), (3)",
        "alter table shop.t add primary key (id); create table public.c (id int references shop.t \
         on delete cascade); insert into public.c values (1), (3)",
    ] {
        let project = table();
        project.sql(hangs);
        let live = oid(&project);
        rebuild(&project);
        assert_eq!(oid(&project), live, "{hangs}");
        if hangs.contains("public.c (") {
            assert_eq!(
                project.rows("select id from public.c order by 1"),
                "1 3",
                "{hangs}"
            );
        }
        // With other columns it is refused, and the old rows stay.
        project.write("models/t.sql", &TABLE.replace("'x'::text as v", "7 as w"));
        project.fails(1, &["run"], &["publish-refused", "it has: "]);
        assert_eq!(project.rows("select count(v) from shop.t"), "5", "{hangs}");
        project.no_leftovers();
    }
}

#[test]
fn a_publication_keeps_its_table() {
    let project = table();
    project.sql("create publication pub_of_t for table shop.t");
    // Postgres itself wants to know by what the deleted rows are told to subscribers.
    project.fails(
        1,
        &["run"],
        &[
            "publish-refused",
            "publication pub_of_t",
            "replica identity",
        ],
    );
    project.no_leftovers();
    project.sql("alter table shop.t replica identity full");
    let live = oid(&project);
    rebuild(&project);
    assert_eq!(oid(&project), live);
}

#[test]
fn a_table_that_others_refer_to_repeats_no_key() {
    let project = table();
    project.sql(
        "alter table shop.t add primary key (id); create table public.c (id int references shop.t)",
    );
    project.write("models/t.sql", &TABLE.replace("g as id", "1 as id"));
    project.fails(1, &["run"], &["1"]);
    assert_eq!(project.rows("select count(*) from shop.t"), "3");
    project.no_leftovers();
}

#[test]
fn a_view_of_a_role_that_we_may_not_act_for_keeps_the_table() {
    let project = table();
    project.sql(&format!(
        "create role o5_robot login; create role o5_other; grant create on database {} to \
         o5_robot; alter table shop.t owner to o5_robot; alter schema shop owner to o5_robot; \
         grant usage on schema shop to o5_other; grant select on shop.t to o5_other; create schema \
         lab authorization o5_other; set role o5_other; create view lab.v as select id from shop.t",
        project.db.name()
    ));
    let project = project.with_role("o5_robot");
    let live = oid(&project);
    rebuild(&project);
    assert_eq!(oid(&project), live, "by rows");
    assert_eq!(project.rows("select count(*) from lab.v"), "5");
    project.write("models/t.sql", &TABLE.replace("g as id", "g::bigint as id"));
    project.fails(1, &["run"], &["publish-refused", "o5_other"]);
    project.sql("drop owned by o5_robot, o5_other; drop role o5_robot, o5_other");
}

#[test]
fn a_role_that_may_not_create_schemas_builds_beside_the_live_tables() {
    let files = [
        ("models/t.sql", TABLE),
        ("models/v.sql", "select * from {{ ref('t') }}"),
        ("seeds/s.csv", "a\n1\n"),
        (
            "models/i.sql",
            "{{ config(materialized='incremental', unique_key='id', indexes=[{'columns': \
             ['id']}]) }} select id from {{ ref('t') }}",
        ),
    ];
    let project = Project::new(&files);
    project.sql("create role o6_robot login");
    let project = project.with_role("o6_robot");
    project.fails(
        2,
        &["build"],
        &[
            "schema-missing",
            "grant create on database",
            "create schema \"shop\"",
        ],
    );
    project.sql("create schema shop");
    project.fails(1, &["build"], &["permission denied for schema shop"]);
    project.sql("alter schema shop owner to o6_robot");
    for n in ["{n: 2}", "{n: 4}"] {
        project.ok(&["build", "--vars", n]);
    }
    project.ok(&["build", "--full-refresh", "--vars", "{n: 6}"]);
    assert_eq!(project.rows("select count(*) from shop.v"), "6");
    assert_eq!(project.rows("select count(*) from shop.i"), "6");
    project.write("models/v.sql", TABLE);
    project.write("models/t.sql", "select 1 as id");
    project.ok(&["build"]);
    assert_eq!(
        project.rows(
            "select string_agg(relname || relkind::text, ' ' order by relname) from pg_class where \
             relnamespace = 'shop'::regnamespace and relkind in ('r', 'v')"
        ),
        "ir sr tv vr"
    );
    project.sql("drop owned by o6_robot; drop role o6_robot");
}
