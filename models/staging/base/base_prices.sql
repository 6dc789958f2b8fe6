-- Grain: one row per price, its latest version, typed, with the reason why it may not pass (null: it may).
with latest as (

    select distinct on (price_id)
        price_id,
        plan_id,
        currency,
        "interval",
        interval_count,
        unit_minor,
        valid_from,
        valid_to,
        updated_at
    from {{ ref('brz_prices') }}
    order by price_id, updated_at desc

)

select
    latest.price_id,
    latest.plan_id,
    latest.currency::text as currency,
    latest."interval" as billing_interval,
    latest.interval_count,
    case latest."interval"
        when 'year' then 12 * latest.interval_count
        when 'quarter' then 3 * latest.interval_count
        when 'month' then latest.interval_count
        when 'week' then latest.interval_count * 12 / 52.0
    end::numeric as interval_months,
    latest.unit_minor,
    latest.valid_from,
    latest.valid_to,
    latest.updated_at,
    case
        when plan.plan_id is null then 'unknown_plan'
        when fx.currency is null then 'unknown_currency'
        when latest."interval" not in ('year', 'quarter', 'month', 'week') then 'unknown_interval'
    end as reject_reason
from latest
left join {{ ref('stg_plans') }} as plan on plan.plan_id = latest.plan_id
left join {{ ref('fixed_fx_rates') }} as fx on fx.currency = latest.currency
