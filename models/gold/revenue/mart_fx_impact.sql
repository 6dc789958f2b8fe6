-- Grain: one row per month in which invoices were paid and currency other than USD: what the payments are worth at the fixed rate, at
-- the market rate of the day (the last known, where a day has none), and the difference, which no mart of revenue contains.
with paid as (

    select
        invoice.paid_month as month_start,
        invoice.paid_date,
        invoice.currency,
        sum(invoice.amount_paid_minor) as paid_minor,
        sum(invoice.collected_usd) as fixed_usd
    from {{ ref('fct_invoice') }} as invoice
    where invoice.paid_month is not null and invoice.currency <> 'USD' and invoice.collected_usd > 0
    group by invoice.paid_month, invoice.paid_date, invoice.currency

),

rated as (

    select
        paid.*,
        market.usd_per_unit
    from paid
    left join lateral (
        select rate.usd_per_unit
        from {{ ref('stg_fx_rates') }} as rate
        where rate.currency = paid.currency and rate.rate_date <= paid.paid_date and rate.rate_date > paid.paid_date - 7
        order by rate.rate_date desc
        limit 1
    ) as market on true

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
