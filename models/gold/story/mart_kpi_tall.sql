-- Grain: one row per month and metric: the figures of all marts of the month, one under the other, for exploring. Each is taken
-- over as it stands; what may be added over months is said in metric_catalog.
with monthly as (

    select
        revenue.month_start,
        revenue.is_closed,
        revenue.is_mature,
        revenue.billed_usd,
        revenue.collected_usd,
        revenue.collected_net_usd,
        revenue.cash_net_usd,
        revenue.refunded_usd,
        revenue.written_off_usd,
        revenue.paying_customers,
        revenue.mrr_net_usd,
        revenue.mrr_list_usd,
        revenue.arpa_usd,
        reliability.invoices_attempted,
        reliability.first_attempt_failure_rate,
        reliability.attempt_failure_rate,
        reliability.final_failure_rate,
        reliability.avg_attempts,
        reliability.recovery_rate,
        reliability.failed_usd,
        engagement.cancel_intent_rate,
        engagement.stickiness_rate,
        movements.new_usd,
        movements.reactivation_usd,
        movements.expansion_usd,
        movements.contraction_usd,
        movements.churn_usd,
        movements.gross_arr_usd,
        movements.cancelled_arr_usd,
        movements.closing_arr_usd,
        retention.grr_rate,
        retention.nrr_rate,
        retention.logo_churn_rate,
        retention.gross_revenue_churn_rate,
        retention.quick_ratio,
        economics.ltv_simple_usd,
        economics.ltv_margin_usd,
        economics.arpu_usd
    from {{ ref('mart_revenue_monthly') }} as revenue
    left join {{ ref('mart_payment_reliability') }} as reliability on reliability.month_start = revenue.month_start
    left join {{ ref('mart_engagement_monthly') }} as engagement on engagement.month_start = revenue.month_start
    left join {{ ref('mart_mrr_movements') }} as movements
        on movements.month_start = revenue.month_start and movements.cut = 'all'
    left join {{ ref('mart_retention') }} as retention
        on retention.month_start = revenue.month_start and retention.cut = 'all'
    left join {{ ref('mart_unit_economics') }} as economics
        on economics.month_start = revenue.month_start and economics.cut = 'all'
    where revenue.plan_id = 'ALL'

)

select
    monthly.month_start,
    measured.metric,
    measured.value,
    monthly.is_closed,
    monthly.is_mature
from monthly
cross join lateral (
    values
        ('billed_usd', billed_usd),
        ('collected_usd', collected_usd),
        ('collected_net_usd', collected_net_usd),
        ('cash_net_usd', cash_net_usd),
        ('refunded_usd', refunded_usd),
        ('written_off_usd', written_off_usd),
        ('paying_customers', paying_customers::numeric),
        ('mrr_net_usd', mrr_net_usd),
        ('mrr_list_usd', mrr_list_usd),
        ('arpa_usd', arpa_usd),
        ('invoices_attempted', invoices_attempted::numeric),
        ('first_attempt_failure_rate', first_attempt_failure_rate),
        ('attempt_failure_rate', attempt_failure_rate),
        ('final_failure_rate', final_failure_rate),
        ('avg_attempts', avg_attempts),
        ('recovery_rate', recovery_rate),
        ('failed_usd', failed_usd),
        ('cancel_intent_rate', cancel_intent_rate),
        ('stickiness_rate', stickiness_rate),
        ('new_usd', new_usd),
        ('reactivation_usd', reactivation_usd),
        ('expansion_usd', expansion_usd),
        ('contraction_usd', contraction_usd),
        ('churn_usd', churn_usd),
        ('gross_arr_usd', gross_arr_usd),
        ('cancelled_arr_usd', cancelled_arr_usd),
        ('arr_usd', closing_arr_usd),
        ('grr_rate', grr_rate),
        ('nrr_rate', nrr_rate),
        ('logo_churn_rate', logo_churn_rate),
        ('gross_revenue_churn_rate', gross_revenue_churn_rate),
        ('quick_ratio', quick_ratio),
        ('ltv_simple_usd', ltv_simple_usd),
        ('ltv_margin_usd', ltv_margin_usd),
        ('arpu_usd', arpu_usd)
) as measured (metric, value)
