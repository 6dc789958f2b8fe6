{{ config(tags=['truth']) }}

-- Each awkward case that docs/edge-cases.md claims is in synthetic data of demo size, at any seed. Smaller data may lack the rare ones.
select
    edge_case,
    occurrences,
    least
from ({{ edge_case_counts() }}) as listed
where
    occurrences < least
    and (select count(*) from {{ ref('stg_customers') }}) >= 2500
