-- Grain: one row per KPI: its value for the latest month for which it can be known, and for the month before.
-- Money and rates of first tries are known when the month is closed; attempts per invoice when it has matured.
with monthly as (

    select
        revenue.month_start,
        revenue.is_closed,
        revenue.is_mature,
        revenue.cash_net_usd,
        revenue.paying_customers,
        reliability.first_attempt_failure_rate,
        reliability.avg_attempts,
        engagement.cancel_intent_rate
    from {{ ref('mart_revenue_monthly') }} as revenue
    left join {{ ref('mart_payment_reliability') }} as reliability on reliability.month_start = revenue.month_start
    left join {{ ref('mart_engagement_monthly') }} as engagement on engagement.month_start = revenue.month_start
    where revenue.plan_id = 'ALL'

),

kpi_month as (

    select
        monthly.month_start,
        measured.kpi,
        measured.value,
        measured.is_known
    from monthly
    cross join lateral (
        values
            ('total_revenue', monthly.cash_net_usd, monthly.is_closed),
            ('paying_customers', monthly.paying_customers::numeric, monthly.is_closed),
            ('payment_failure_rate', monthly.first_attempt_failure_rate, monthly.is_closed),
            ('average_payment_attempts', monthly.avg_attempts, monthly.is_mature),
            ('cancel_intent_rate', monthly.cancel_intent_rate, monthly.is_closed)
    ) as measured (kpi, value, is_known)

),

compared as (

    select
        kpi_month.*,
        lag(month_start) over in_time as previous_month,
        lag(value) over in_time as previous_value,
        row_number() over (partition by kpi order by is_known desc, month_start desc) as recency
    from kpi_month
    window in_time as (partition by kpi order by month_start)

),

described as (

    select *
    from (
        values
            (
                1, 'total_revenue', 'Total revenue', 'USD', true,
                'Money collected in the month less money refunded and lost in disputes in it, in USD at fixed rates.'
            ),
            (
                2, 'paying_customers', 'Paying customers', 'customers', true,
                'Customers whose MRR after discounts is above zero at the month''s end.'
            ),
            (
                3, 'payment_failure_rate', 'Payment failure rate', 'rate', false,
                'Automatically charged invoices due in the month whose first attempt failed, of those attempted.'
            ),
            (
                4, 'average_payment_attempts', 'Average payment attempts', 'attempts', false,
                'Attempts per attempted invoice due in the latest month whose invoices have all matured.'
            ),
            (
                5, 'cancel_intent_rate', 'Cancel-intent rate', 'rate', false,
                'Subscribed customers who looked at the cancel page or asked to cancel in the month.'
            )
    ) as listed (display_order, kpi, label, unit, is_higher_better, definition)

)

select
    described.kpi,
    described.display_order,
    described.label,
    described.unit,
    described.is_higher_better,
    described.definition,
    as_of.as_of_date,
    compared.month_start as period_month,
    compared.value,
    compared.previous_month,
    compared.previous_value,
    compared.value - compared.previous_value as change_absolute,
    {{ rate('compared.value - compared.previous_value', 'compared.previous_value') }} as change_relative
from described
cross join {{ ref('as_of') }} as as_of
left join compared on compared.kpi = described.kpi and compared.recency = 1 and compared.is_known
