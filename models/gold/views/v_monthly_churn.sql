{{ config(materialized='view') }}

-- Grain: one row per month: customers who left, of those at its beginning.
select
    month_start,
    is_closed,
    opening_customers,
    churned_customers,
    logo_churn_rate,
    voluntary_logo_churn_rate,
    involuntary_logo_churn_rate,
    gross_revenue_churn_rate
from {{ ref('mart_retention') }}
where cut = 'all'
