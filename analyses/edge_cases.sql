-- How often is each awkward case in the data? docs/edge-cases.md says what the models make of it.
select
    edge_case,
    occurrences,
    counted
from ({{ edge_case_counts() }}) as listed
order by case_order
