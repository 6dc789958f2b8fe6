-- Grain: one row per month, movement type and driver, from the gross ledger: each change of a customer's MRR counts,
-- also one that the month's end hides.
select
    event.month_start,
    event.movement_type,
    coalesce(event.driver, 'none') as driver,
    month.is_closed,
    count(*) as events,
    count(distinct event.customer_id) as customers,
    sum(event.delta_usd) as delta_usd
from {{ ref('fct_mrr_event') }} as event
inner join {{ ref('dim_month') }} as month on month.month_start = event.month_start
group by event.month_start, event.movement_type, coalesce(event.driver, 'none'), month.is_closed
