-- Who owes money is past due, who pays is active: by the MRR facts of the as-of month and the subscriptions' own status.
with now_subscribed as (

    select
        subscription.customer_id,
        bool_or(subscription.status = 'past_due') as is_past_due,
        bool_or(subscription.status = 'active') as is_active
    from {{ ref('stg_subscriptions') }} as subscription
    where subscription.ended_at is null
    group by subscription.customer_id

)

select
    customer.customer_id,
    customer.customer_state,
    now_subscribed.is_past_due,
    now_subscribed.is_active
from {{ ref('mart_customer_360') }} as customer
left join now_subscribed on now_subscribed.customer_id = customer.customer_id
where
    (customer.customer_state = 'past_due') <> coalesce(now_subscribed.is_past_due, false)
    or (customer.customer_state = 'active')
    <> coalesce(now_subscribed.is_active and not now_subscribed.is_past_due, false)
    or (customer.risk_reasons like '%use fell by half%')
    <> (customer.engagement_trend = 'down')
