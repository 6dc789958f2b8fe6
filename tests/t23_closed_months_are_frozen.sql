-- T23: no figure of a closed month was ever restated. A month counts as closed once the days for late rows are over. To accept a
-- restatement, delete the older version from the snapshot: that is a decision, and not the build's.
select
    month_start,
    metric,
    value as earlier_value,
    dbt_valid_from as first_seen_at,
    dbt_valid_to as restated_at
from {{ ref('snap_month_close') }}
where dbt_valid_to is not null
