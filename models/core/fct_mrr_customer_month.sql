{{ config(indexes=[{'columns': ['customer_id', 'month_start'], 'unique': true}]) }}

-- Grain: one row per customer and month at whose end it bore MRR; the plan is that of its largest subscription.
with ranked as (

    select
        month_start,
        customer_id,
        subscription_id,
        plan_id,
        billing_interval,
        quantity,
        mrr_list_usd,
        mrr_net_usd,
        row_number() over (
            partition by customer_id, month_start
            order by mrr_list_usd desc, subscription_id
        ) as size_rank
    from {{ ref('fct_mrr_subscription_month') }}

)

select
    customer_id,
    month_start,
    max(plan_id) filter (where size_rank = 1) as plan_id,
    max(billing_interval) filter (where size_rank = 1) as billing_interval,
    count(*)::integer as subscriptions,
    sum(quantity)::integer as seats,
    sum(mrr_list_usd) as mrr_list_usd,
    sum(mrr_net_usd) as mrr_net_usd
from ranked
group by customer_id, month_start
