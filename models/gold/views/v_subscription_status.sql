{{ config(materialized='view') }}

-- Grain: one row per present status of a subscription and plan.
select
    subscription.status,
    price.plan_id,
    count(*) as subscriptions,
    sum(subscription.quantity)::bigint as seats
from {{ ref('stg_subscriptions') }} as subscription
inner join {{ ref('dim_customer') }} as customer on customer.customer_id = subscription.customer_id
inner join {{ ref('stg_prices') }} as price on price.price_id = subscription.price_id
group by subscription.status, price.plan_id
