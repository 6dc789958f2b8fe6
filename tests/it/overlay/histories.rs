//! Snapshots: the overlay, the history after the delta is applied and the one that `publish:
//! immediate` writes are the same.

use super::world::{Case, World};

const KINDS: &[&str] = &[
    "strategy='timestamp', updated_at='at', unique_key='id'",
    "strategy='timestamp', updated_at='at', unique_key=['id', 'part']",
    "strategy='timestamp', updated_at='at', unique_key='id', hard_deletes='invalidate'",
    "strategy='timestamp', updated_at='at', unique_key='id', hard_deletes='new_record'",
    "strategy='timestamp', updated_at='at', unique_key=['id', 'part'], \
     hard_deletes='new_record', dbt_valid_to_current=\"to_date('9999-12-31', 'YYYY-MM-DD')\"",
    "strategy='check', check_cols='all', unique_key='id', hard_deletes='invalidate'",
    "strategy='check', check_cols=['v'], unique_key='id', updated_at='at'",
    "strategy='check', check_cols=['v'], unique_key='id', hard_deletes='new_record', \
     snapshot_meta_column_names={'dbt_valid_to': 'Until', 'dbt_scd_id': 'version', \
     'dbt_is_deleted': 'gone'}",
];

const FIRST: &str = "
create table public.items (id int, part text, v text, at timestamp);
insert into public.items values (1, 'x', 'a', '2024-01-01'), (2, 'x', 'a', '2024-01-01'),
    (3, 'x', null, '2024-01-01'), (4, 'y', 'a', '2024-01-01'), (5, 'y', 'a', '2024-01-01');
";

/// What happens to the source between two runs.
const CHANGES: &[&str] = &[
    "",
    "update public.items set v = 'b', at = '2024-02-01' where id in (1, 3); insert into \
     public.items values (9, 'x', 'n', '2024-02-01')",
    "delete from public.items where id in (2, 4); update public.items set v = null, at = \
     '2024-02-01' where id = 1",
    "alter table public.items add column extra numeric(5, 2) default 1.5, alter column v type \
     varchar(9); update public.items set at = '2024-02-01' where id = 5",
    "delete from public.items",
    // A key that comes twice, which ends one version in two ways.
    "update public.items set at = '2024-02-01', v = 'b' where id = 1; insert into public.items \
     values (1, 'x', 'c', '2024-03-01')",
];

fn prepare(world: &World, case: &Case, change: &str) {
    world.reset();
    world.sql(FIRST);
    world.immediate(case, true).expect("a first snapshot");
    world.sql("alter table live.f add column ours text default 'kept'");
    world.sql(
        "delete from public.items where id = 5 returning 1; insert into public.items \
               values (5, 'y', 'z', '2024-01-15')",
    );
    world.immediate(case, false).expect("a second snapshot");
    if !change.is_empty() {
        world.sql(change);
    }
}

#[test]
fn an_overlay_reads_what_the_history_will_be() {
    let world = World::new();
    for config in KINDS {
        let case = Case::snapshot(config, "select * from public.items");
        for change in CHANGES {
            prepare(&world, &case, change);
            let candidate = world.candidate(&case);
            let candidate = candidate.unwrap_or_else(|e| panic!("{config} {change}: {e:?}"));
            let foretold = world.foretold(&candidate);
            assert!(
                world.publish(&candidate),
                "a copy was made: {config} {change}"
            );
            assert_eq!(foretold, world.contents("live.f"), "{config} {change}");
            let by_clock = !config.contains("updated_at") || config.contains("hard_deletes");
            if by_clock || change.contains("'2024-03-01'") {
                continue;
            }
            prepare(&world, &case, change);
            world.immediate(&case, false).expect("a snapshot");
            assert_eq!(foretold, world.contents("live.f"), "{config} {change}");
        }
    }
}
