{{ config(materialized='view') }}

-- Grain: one row per cohort and age that can be observed.
select
    cohort_month,
    age_months,
    cohort_customers,
    customers,
    logo_retention_rate,
    gross_retention_rate,
    net_retention_ratio
from {{ ref('mart_cohort_retention') }}
where plan_id = 'ALL' and is_observable
