-- Who became one with another customer takes its MRR along: what the one loses at that instant the other gains, to the cent.
with merged as (

    select
        subscription.customer_id,
        subscription.subscription_id,
        subscription.ended_at
    from {{ ref('stg_subscriptions') }} as subscription
    inner join {{ ref('dim_customer') }} as customer on customer.customer_id = subscription.customer_id
    cross join {{ ref('as_of') }} as as_of
    where subscription.end_reason = 'merged' and subscription.ended_at < as_of.as_of_at

)

select
    merged.customer_id,
    merged.subscription_id,
    merged.ended_at,
    lost.movement_type,
    lost.delta_usd
from merged
left join {{ ref('fct_mrr_event') }} as lost on lost.customer_id = merged.customer_id and lost.effective_at = merged.ended_at
left join {{ ref('fct_mrr_event') }} as gained
    on gained.effective_at = merged.ended_at
    and gained.customer_id <> merged.customer_id
    and gained.delta_usd = -lost.delta_usd
where lost.movement_type is distinct from 'churn' or gained.customer_id is null
