{{ config(materialized='view') }}

-- Grain: one row per month: MRR and who pays it.
select
    mrr.month_start,
    count(*) filter (where mrr.mrr_net_usd > 0) as paying_customers,
    sum(mrr.mrr_list_usd) as mrr_list_usd,
    sum(mrr.mrr_net_usd) as mrr_net_usd,
    {{ rate('sum(mrr.mrr_net_usd)', 'count(*) filter (where mrr.mrr_net_usd > 0)', 2) }} as arpa_usd
from {{ ref('fct_mrr_customer_month') }} as mrr
group by mrr.month_start
