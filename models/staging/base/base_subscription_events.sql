-- Grain: one row per subscription event, its latest version, typed, with the reason why it may not pass (null: it may).
with latest as (

    select
        event_id,
        subscription_id,
        customer_id,
        type,
        effective_at,
        price_id,
        quantity,
        discount_id,
        received_at
    from {{ ref('brz_subscription_events') }}

)

select
    latest.event_id,
    latest.subscription_id,
    latest.customer_id,
    latest.type as event_type,
    latest.effective_at,
    latest.price_id,
    latest.quantity,
    latest.discount_id,
    latest.received_at,
    case
        when subscription.subscription_id is null then 'orphan_subscription'
        when price.price_id is null then 'unknown_price'
    end as reject_reason
from latest
left join {{ ref('stg_subscriptions') }} as subscription on subscription.subscription_id = latest.subscription_id
left join {{ ref('stg_prices') }} as price on price.price_id = latest.price_id
