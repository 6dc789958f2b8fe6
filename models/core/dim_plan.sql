-- Grain: one row per plan.
with entry_price as (

    select
        plan_id,
        min(unit_minor) / 100.0 as monthly_entry_price_usd
    from {{ ref('stg_prices') }}
    where currency = 'USD' and billing_interval = 'month' and interval_count = 1
    group by plan_id

)

select
    plan.plan_id,
    plan.plan_name,
    plan.tier_rank,
    plan.max_users,
    entry_price.monthly_entry_price_usd
from {{ ref('stg_plans') }} as plan
left join entry_price on entry_price.plan_id = plan.plan_id
