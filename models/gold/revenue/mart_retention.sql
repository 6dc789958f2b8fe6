-- Grain: one row per month, cut and value of the cut, as in mart_mrr_movements. The denominator is always what the month
-- opened with, never that month's signups. By plan, money that went to another plan of the customer is not lost.
with opened as (

    select
        movements.*,
        opening_usd - contraction_usd - churn_usd as kept_usd
    from {{ ref('mart_mrr_movements') }} as movements

)

select
    month_start,
    cut,
    cut_value,
    is_closed,
    opening_usd,
    opening_customers,
    churned_customers,
    {{ rate('kept_usd', 'opening_usd') }} as grr_rate,
    {{ rate('kept_usd + expansion_usd', 'opening_usd') }} as nrr_rate,
    {{ rate('churned_customers', 'opening_customers') }} as logo_churn_rate,
    {{ rate('voluntary_churned_customers', 'opening_customers') }} as voluntary_logo_churn_rate,
    {{ rate('involuntary_churned_customers', 'opening_customers') }} as involuntary_logo_churn_rate,
    {{ rate('churn_usd + contraction_usd', 'opening_usd') }} as gross_revenue_churn_rate,
    {{ rate('churn_usd + contraction_usd - expansion_usd', 'opening_usd') }} as net_revenue_churn_ratio,
    round(1 - (1 - churned_customers::numeric / nullif(opening_customers, 0)) ^ 12, 6) as annualised_logo_churn_rate,
    {{ rate('new_usd + reactivation_usd + expansion_usd', 'contraction_usd + churn_usd', 4) }} as quick_ratio
from opened
