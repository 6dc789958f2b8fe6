-- The numbers of entries whose columns do not give their hash, or that do not follow the entry before.
-- Plain PostgreSQL: nothing of marts is needed to check what marts wrote.
with field as (
    select
        e.seq,
        string_agg(
            coalesce(octet_length(convert_to(f.value, 'UTF8')) || ':' || f.value, '-') || ',',
            '' order by f.place
        ) as text
    from marts_ledger.entry as e
    cross join lateral (
        values
            (1, e.format::text),
            (2, e.seq::text),
            (3, (extract(epoch from e.recorded_at) * 1000000)::bigint::text),
            (4, e.run_id),
            (5, e.command),
            (6, e.target),
            (7, e.kind),
            (8, e.node),
            (9, e.test),
            (10, e.tested_node),
            (11, e.relation),
            (12, e.status),
            (13, e.row_count::text),
            (14, e.failures::text),
            (15, e.rows_tested::text),
            (16, e.thresholds),
            (17, e.duration_us::text),
            (18, e.published::text),
            (19, e.audited::text),
            (20, e.sql_sha256),
            (21, e.git_commit),
            (22, e.git_dirty::text),
            (23, encode(e.prev_hash, 'hex'))
    ) as f (place, value)
    group by e.seq
),
chain as (
    select
        e.seq,
        e.hash = sha256(convert_to(field.text, 'UTF8')) as is_its_own,
        e.prev_hash = coalesce(
            lag(e.hash) over (order by e.seq),
            decode(repeat('00', 32), 'hex')
        ) as follows
    from marts_ledger.entry as e
    inner join field on field.seq = e.seq
)
select seq
from chain
where is_its_own is not true or follows is not true
order by seq
