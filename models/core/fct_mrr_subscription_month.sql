{{ config(indexes=[{'columns': ['month_start', 'subscription_id'], 'unique': true}, {'columns': ['customer_id']}]) }}

-- Grain: one row per subscription and month at whose end it bore MRR (the open month: at the as-of instant).
-- An end exactly at midnight on the 1st still counts for the month before.
select
    month.month_start,
    version.subscription_id,
    version.customer_id,
    version.plan_id,
    version.billing_interval,
    version.quantity,
    version.state,
    version.currency,
    version.mrr_list_minor,
    version.mrr_net_minor,
    version.mrr_list_usd,
    version.mrr_net_usd
from {{ ref('int_subscription_version') }} as version
inner join {{ ref('dim_month') }} as month
    on version.valid_from < month.snapshot_at
    and (version.valid_to is null or version.valid_to >= month.snapshot_at)
where version.bears_mrr
