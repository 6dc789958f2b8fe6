-- Grain: one row per month and category of cost, its latest version, typed, with the reason why it may not pass (null: it may).
with latest as (

    select distinct on (cost_id)
        cost_id,
        month_start,
        category,
        currency,
        amount,
        updated_at
    from {{ ref('brz_cogs') }}
    order by cost_id, updated_at desc

)

select
    latest.cost_id,
    latest.month_start,
    latest.category,
    latest.currency::text as currency,
    latest.amount as amount_minor,
    {{ to_usd('latest.amount') }} as amount_usd,
    latest.updated_at,
    case
        when fx.currency is null then 'unknown_currency'
    end as reject_reason
from latest
left join {{ ref('fixed_fx_rates') }} as fx on fx.currency = latest.currency
