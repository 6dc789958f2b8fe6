{{ config(materialized='view') }}

-- Grain: one row per month: ARR is twelve times the MRR at the month's end.
select
    month_start,
    mrr_net_usd,
    mrr_net_usd * 12 as arr_usd
from {{ ref('v_monthly_mrr') }}
