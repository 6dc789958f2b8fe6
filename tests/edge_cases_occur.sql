{{ config(tags=['truth']) }}

-- Each awkward case that docs/edge-cases.md counts is in the data of `marts demo`. Other seeds and smaller sizes may lack a rare one.
select
    edge_case,
    occurrences,
    least
from ({{ edge_case_counts() }}) as listed
where
    occurrences < least
    and exists (
        select 1
        from raw.marts_generated
        where seed = 1 and customers >= 3000 and months = 24 and until_at >= '2025-07-01 00:00:00+00'
    )
