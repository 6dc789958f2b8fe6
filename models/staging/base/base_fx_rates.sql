-- Grain: one row per day and currency of the market rate, its latest version, typed, with the reason why it may not pass (null: it may).
with latest as (

    select distinct on (rate_id)
        rate_id,
        rate_date,
        currency,
        usd_per_unit,
        updated_at
    from {{ ref('brz_fx_rates') }}
    order by rate_id, updated_at desc

)

select
    latest.rate_id,
    latest.rate_date,
    latest.currency::text as currency,
    latest.usd_per_unit::numeric(18, 8) as usd_per_unit,
    latest.updated_at,
    case
        when fx.currency is null then 'unknown_currency'
        when latest.usd_per_unit <= 0 then 'no_rate'
    end as reject_reason
from latest
left join {{ ref('fixed_fx_rates') }} as fx on fx.currency = latest.currency
