//! Random rows through every strategy: the overlay, the table after the delta is applied and
//! the table that `publish: immediate` makes are the same.

use rand::RngExt;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::world::{Case, World};

/// A table that is there, and the config that continues it.
struct Setup {
    config: &'static str,
    /// The columns of the query for the new rows.
    query: &'static str,
    /// What hangs on the table, as statements.
    rules: &'static str,
    /// Whether no overlay can tell what the table will hold.
    copied: bool,
}

/// So many random tables for each setup.
const SEEDS: u64 = 8;

/// A strategy of the project's own.
const LATEST: &str = "{% macro get_incremental_latest_sql(arg_dict) %}delete from {{ \
                      arg_dict['target_relation'] }} where id < 3; insert into {{ \
                      arg_dict['target_relation'] }} select * from {{ arg_dict['temp_relation'] \
                      }}{% endmacro %}";

const COLUMNS: &str = "id, k2, note, amount";
const WIDER: &str = "amount::numeric as amount, note || 'wider' as fresh, id, note::text::\
                     varchar(20) as note, k2::text as k2";

const fn plain(config: &'static str) -> Setup {
    Setup {
        config,
        query: COLUMNS,
        rules: "",
        copied: false,
    }
}

const SETUPS: &[Setup] = &[
    plain(""),
    plain("unique_key='id'"),
    plain("unique_key=['id', 'k2']"),
    plain("unique_key='id, k2'"),
    plain("unique_key=\"coalesce(id, -1)\""),
    plain("unique_key='id', incremental_predicates=['DBT_INTERNAL_DEST.amount > 4']"),
    plain("unique_key=['id'], incremental_predicates=['amount > 4', \"k2 <> 'a'\"]"),
    plain("unique_key='id', incremental_predicates=['amount > 4 or id = 3']"),
    plain("unique_key=['id', 'k2'], incremental_predicates=['amount > 4 or id = 3']"),
    plain("incremental_strategy='delete+insert'"),
    plain("incremental_strategy='default', unique_key='k2'"),
    plain("incremental_strategy='merge', unique_key='id'"),
    plain("incremental_strategy='merge', unique_key=['id', 'k2']"),
    plain("incremental_strategy='merge', unique_key='id', merge_update_columns=['Note', 'amount']"),
    plain("incremental_strategy='merge', unique_key='id', merge_exclude_columns=['note']"),
    plain(
        "incremental_strategy='merge', unique_key='id', merge_exclude_columns=['id', 'k2', \
         'note', 'amount']",
    ),
    plain(
        "incremental_strategy='merge', unique_key='id', \
         incremental_predicates=['DBT_INTERNAL_DEST.amount > 4 or DBT_INTERNAL_SOURCE.amount < 3']",
    ),
    plain(
        "incremental_strategy='microbatch', event_time='at', begin='2024-01-01', batch_size='day', \
         unique_key=['id', 'k2']",
    ),
    plain(
        "incremental_strategy='microbatch', event_time='at', begin='2024-01-01', batch_size='day', \
         incremental_predicates=['amount > 4']",
    ),
    plain(
        "incremental_strategy='insert_overwrite', incremental_predicates=['id > 2', 'amount > 1']",
    ),
    plain("incremental_strategy='insert_overwrite'"),
    Setup {
        config: "unique_key='id', on_schema_change='append_new_columns'",
        query: WIDER,
        rules: "",
        copied: true,
    },
    Setup {
        config: "unique_key='id', incremental_strategy='merge', \
                 on_schema_change='append_new_columns'",
        query: WIDER,
        rules: "",
        copied: true,
    },
    Setup {
        config: "unique_key='id', on_schema_change='append_new_columns'",
        query: "id, amount + 0.005 as amount",
        rules: "alter table live.f alter column k2 set default 'filled', add column made date \
                default '2024-01-01', alter column note type char(7)",
        copied: false,
    },
    Setup {
        config: "unique_key='id', on_schema_change='ignore'",
        query: "note::text, 1 as unused, amount::float8 as amount, k2::char(3) as k2, id::bigint",
        rules: "",
        copied: false,
    },
    Setup {
        config: "unique_key=['id', 'k2']",
        query: COLUMNS,
        rules: "create unique index on live.f (id, k2)",
        copied: false,
    },
    Setup {
        config: "unique_key='id'",
        query: COLUMNS,
        rules: "create unique index on live.f (k2, note)",
        copied: false,
    },
    Setup {
        config: "",
        query: COLUMNS,
        rules: "create unique index on live.f (lower(note)) where amount > 6",
        copied: false,
    },
    Setup {
        config: "unique_key='id'",
        query: COLUMNS,
        rules: "create unique index on live.f (id, (amount > 4)) nulls not distinct",
        copied: false,
    },
    Setup {
        config: "incremental_strategy='merge', unique_key='id'",
        query: COLUMNS,
        rules: "create unique index on live.f (id)",
        copied: false,
    },
    Setup {
        config: "incremental_strategy='merge', unique_key='id', merge_exclude_columns=['amount']",
        query: COLUMNS,
        rules: "alter table live.f add constraint small check (amount < 9 or note is null)",
        copied: false,
    },
    Setup {
        config: "unique_key='id'",
        query: COLUMNS,
        rules: "delete from live.f where note is null; alter table live.f alter column note set \
                not null, add constraint small check (amount < 9)",
        copied: false,
    },
    Setup {
        config: "incremental_strategy='merge', unique_key='id', merge_update_columns=['amount']",
        query: COLUMNS,
        rules: "delete from live.f where note is null; alter table live.f alter column note set \
                not null",
        copied: false,
    },
    Setup {
        config: "unique_key='id'",
        query: COLUMNS,
        rules: "create table public.kinds (k text primary key); insert into public.kinds values \
                ('a'), ('b'); delete from live.f where k2 = 'c'; alter table live.f add foreign \
                key (k2) references public.kinds",
        copied: false,
    },
    Setup {
        config: "unique_key='id'",
        query: COLUMNS,
        rules: "delete from live.f where ctid not in (select min(ctid) from live.f group by id); \
                alter table live.f add unique (id); create table public.notes (f int references \
                live.f (id)); insert into public.notes select id from live.f where id < 2",
        copied: false,
    },
    Setup {
        config: "incremental_strategy='latest', unique_key='id'",
        query: COLUMNS,
        rules: "",
        copied: true,
    },
    Setup {
        config: "unique_key='id', on_schema_change='sync_all_columns'",
        query: "amount, id::bigint as id, 'x' as fresh",
        rules: "",
        copied: true,
    },
    Setup {
        config: "unique_key='id', on_schema_change='append_new_columns'",
        query: "amount, id, 'x' as fresh, true as \"Odd \"\"one\"",
        rules: "alter table live.f alter column note type varchar(5) collate \"C\"",
        copied: false,
    },
    Setup {
        config: "incremental_strategy='merge', unique_key='id', \
                 on_schema_change='append_new_columns'",
        query: "amount, id",
        rules: "alter table live.f alter column k2 set default 'filled'",
        copied: true,
    },
    Setup {
        config: "unique_key='id', on_schema_change='append_new_columns'",
        query: "amount, id",
        rules: "alter table live.f add column twice numeric generated always as (amount * 2) \
                stored",
        copied: true,
    },
];

/// A row of values that meet, miss and repeat one another.
fn row(rng: &mut ChaCha8Rng) -> String {
    let null_or = |rng: &mut ChaCha8Rng, value: String| match rng.random_range(0..9) {
        0 => "null".to_owned(),
        _ => value,
    };
    let id = rng.random_range(0..7).to_string();
    let k2 = format!("'{}'", ["a", "b", "c"][rng.random_range(0..3)]);
    let note = format!("'n{}'", rng.random_range(0..6));
    let amount = format!("{}.25", rng.random_range(0..10));
    let cells = [id, k2, note, amount].map(|value| null_or(rng, value));
    format!("({})", cells.join(", "))
}

/// An insert of random rows; `once` keeps one of each id.
fn fill(rng: &mut ChaCha8Rng, table: &str, most: usize, once: bool) -> String {
    let rows: Vec<String> = (0..rng.random_range(0..=most)).map(|_| row(rng)).collect();
    if rows.is_empty() {
        return String::new();
    }
    let pick = if once { "distinct on (id)" } else { "" };
    format!(
        "insert into {table} select {pick} * from (values {}, (1, 'x', 'x', 0.0)) as v (id, k2, \
         note, amount) where k2 is distinct from 'x';",
        rows.join(", ")
    )
}

/// The tables of a seed, always the same.
fn prepare(world: &World, setup: &Setup, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let table = |name: &str| {
        format!("create table {name} (id int, k2 text, note varchar(5), amount numeric(6,2));")
    };
    // Keys that repeat are refused by a merge, so half of the cases have each once.
    let once = seed.is_multiple_of(2);
    world.reset();
    world.sql(&format!(
        "{}{}{}{}",
        table("live.f"),
        table("public.news"),
        fill(&mut rng, "live.f", 12, setup.rules.contains("unique")),
        fill(&mut rng, "public.news", 8, once)
    ));
    if !setup.rules.is_empty() {
        // Where the random rows break the rule already there are none.
        let rules = setup.rules.replace('\'', "''");
        world.sql(&format!(
            "do $do$ begin execute '{rules}'; exception when unique_violation or check_violation \
             then truncate live.f; execute '{rules}'; end $do$"
        ));
    }
}

/// Compares the three; whether the new rows were refused.
fn check(world: &World, setup: &Setup, case: &Case, seed: u64) -> bool {
    let shown = || format!("config({}) {} seed {seed}", setup.config, setup.rules);
    prepare(world, setup, seed);
    let before = world.contents("live.f");
    let built = world.candidate(case);
    assert_eq!(world.contents("live.f"), before, "live moved: {}", shown());
    let next = built.as_ref().ok().map(|candidate| {
        let foretold = world.foretold(candidate);
        if world.publish(candidate) {
            assert_eq!(foretold, world.contents("live.f"), "{}", shown());
        } else {
            assert!(setup.copied, "a copy was made: {}", shown());
        }
        foretold
    });
    prepare(world, setup, seed);
    match (world.immediate(case, false), built) {
        (Ok(()), Ok(_)) => assert_eq!(next, Some(world.contents("live.f")), "{}", shown()),
        (Err(sql), Err(error)) => assert_eq!(error.sqlstate, sql.sqlstate, "{error:?} {}", shown()),
        (immediate, built) => panic!("{}: {immediate:?}, but {built:?}", shown()),
    }
    next.is_none()
}

#[test]
fn an_overlay_reads_what_the_table_will_hold() {
    let world = World::new();
    let mut refused = 0;
    for setup in SETUPS {
        let query = format!("select {} from public.news", setup.query);
        let case = Case::with_macros(setup.config, &query, LATEST);
        refused += (0..SEEDS)
            .filter(|seed| check(&world, setup, &case, *seed))
            .count();
    }
    // Else nothing was said about refusals.
    assert!(refused > 10, "{refused}");
}
