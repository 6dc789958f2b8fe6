-- What moved MRR?
select
    month_start,
    opening_usd,
    new_usd,
    reactivation_usd as returned_usd,
    expansion_usd,
    -contraction_usd as contraction_usd,
    -churn_usd as churn_usd,
    closing_usd
from {{ ref('mart_mrr_movements') }}
where cut = 'all'
order by month_start desc
limit 6
