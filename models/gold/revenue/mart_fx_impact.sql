-- Grain: one row per month in which payments came in and currency other than USD: what the payments are worth at the fixed rate, at
-- the market rate of the day (the last known, where a day has none), and the difference, which no mart of revenue contains.
with paid as (

    select
        paid_month as month_start,
        paid_date,
        currency,
        sum(amount_minor) as paid_minor,
        sum(collected_usd) as fixed_usd
    from {{ ref('fct_payment') }}
    where currency <> 'USD' and collected_usd > 0
    group by paid_month, paid_date, currency

),

-- Days of payments and days with a rate on one line, each payment in the stretch that the last rate before it begins.
timeline as (

    select currency, rate_date as on_date, usd_per_unit
    from {{ ref('stg_fx_rates') }}
    union all
    select currency, paid_date as on_date, null as usd_per_unit
    from paid

),

stretched as (

    select
        currency,
        on_date,
        max(usd_per_unit) as usd_per_unit,
        count(max(usd_per_unit)) over (partition by currency order by on_date) as stretch
    from timeline
    group by currency, on_date

),

known as (

    select
        currency,
        on_date,
        max(usd_per_unit) over (partition by currency, stretch) as usd_per_unit
    from stretched

),

rated as (

    select
        paid.*,
        known.usd_per_unit
    from paid
    inner join known on known.currency = paid.currency and known.on_date = paid.paid_date

)

select
    rated.month_start,
    rated.currency,
    sum(rated.fixed_usd) as fixed_usd,
    round(sum(rated.paid_minor * rated.usd_per_unit / power(10::numeric, fx.minor_unit_exponent)), 2) as market_usd,
    round(sum(rated.paid_minor * rated.usd_per_unit / power(10::numeric, fx.minor_unit_exponent)), 2) - sum(rated.fixed_usd)
        as fx_impact_usd
from rated
inner join {{ ref('fixed_fx_rates') }} as fx on fx.currency = rated.currency
group by rated.month_start, rated.currency, fx.minor_unit_exponent
