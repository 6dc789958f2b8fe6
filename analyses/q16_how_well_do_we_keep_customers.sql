-- How well do we keep customers, and whose will is it when they go?
select
    month_start,
    opening_customers,
    churned_customers as churned,
    logo_churn_rate,
    voluntary_logo_churn_rate as voluntary,
    involuntary_logo_churn_rate as involuntary,
    grr_rate,
    nrr_rate,
    quick_ratio
from {{ ref('mart_retention') }}
where cut = 'all'
order by month_start desc
limit 6
