{{ config(indexes=[{'columns': ['customer_id'], 'unique': true}]) }}

-- Grain: one row per customer who ever paid: how long its first paying life lasted, in whole days, and whether we saw its
-- end. A life goes on while MRR after discounts is above zero; who is still with us is censored at the as-of instant.
with first_paid as (

    select
        customer_id,
        min(effective_at) as started_at
    from {{ ref('fct_mrr_event') }}
    where movement_type = 'new'
    group by customer_id

),

first_end as (

    select
        customer_id,
        min(effective_at) as ended_at
    from {{ ref('fct_mrr_event') }}
    where movement_type = 'churn'
    group by customer_id

),

first_version as (

    select distinct on (version.customer_id)
        version.customer_id,
        version.plan_id,
        version.billing_interval,
        version.discount_id is not null as had_discount
    from {{ ref('int_subscription_version') }} as version
    where version.bears_mrr and version.mrr_net_usd > 0
    order by version.customer_id, version.valid_from, version.mrr_net_usd desc, version.subscription_id

),

churn as (

    select distinct on (first_end.customer_id)
        first_end.customer_id,
        event.churn_kind
    from first_end
    inner join {{ ref('stg_churn_events') }} as event
        on event.customer_id = first_end.customer_id
        and event.event_type = 'churned'
        and event.occurred_at <= first_end.ended_at
    order by first_end.customer_id, event.occurred_at desc, event.event_id

)

select
    first_paid.customer_id,
    first_version.plan_id,
    first_version.billing_interval,
    customer.channel,
    first_version.had_discount,
    first_paid.started_at,
    first_end.ended_at,
    floor(
        extract(epoch from coalesce(first_end.ended_at, as_of.as_of_at) - first_paid.started_at) / 86400
    )::integer as duration_days,
    first_end.ended_at is not null as is_ended,
    case when first_end.ended_at is not null then coalesce(churn.churn_kind, 'other') end as end_kind
from first_paid
inner join {{ ref('dim_customer') }} as customer on customer.customer_id = first_paid.customer_id
inner join first_version on first_version.customer_id = first_paid.customer_id
cross join {{ ref('as_of') }} as as_of
left join first_end on first_end.customer_id = first_paid.customer_id
left join churn on churn.customer_id = first_paid.customer_id
