-- How much revenue hangs on retries? What was collected by the first try and by a later one.
select
    month_start,
    billed_usd,
    collected_usd,
    billed_on_first_try_usd as on_first_try_usd,
    billed_on_retry_usd as on_retry_usd,
    on_retry_rate,
    written_off_usd,
    outstanding_usd
from {{ ref('mart_revenue_monthly') }}
where plan_id = 'ALL'
order by month_start desc
limit 6
