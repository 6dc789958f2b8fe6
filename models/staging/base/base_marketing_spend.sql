-- Grain: one row per day and channel of spend, its latest version, typed, with the reason why it may not pass (null: it may).
with latest as (

    select distinct on (spend_id)
        spend_id,
        spent_on,
        channel,
        currency,
        amount,
        updated_at
    from {{ ref('brz_marketing_spend') }}
    order by spend_id, updated_at desc

)

select
    latest.spend_id,
    latest.spent_on,
    date_trunc('month', latest.spent_on)::date as month_start,
    latest.channel,
    latest.currency::text as currency,
    latest.amount as amount_minor,
    {{ to_usd('latest.amount') }} as amount_usd,
    latest.updated_at,
    case
        when fx.currency is null then 'unknown_currency'
    end as reject_reason
from latest
left join {{ ref('fixed_fx_rates') }} as fx on fx.currency = latest.currency
