-- Grain: one row per subscription, its latest version, typed, with the reason why it may not pass (null: it may).
with latest as (

    select distinct on (subscription_id)
        subscription_id,
        customer_id,
        status,
        price_id,
        quantity,
        currency,
        started_at,
        trial_start,
        trial_end,
        activated_at,
        period_start,
        period_end,
        cancel_requested_at,
        cancel_at_period_end,
        ended_at,
        end_reason,
        payment_method_id,
        updated_at
    from {{ ref('brz_subscriptions') }}
    order by subscription_id, updated_at desc

)

select
    latest.subscription_id,
    latest.customer_id,
    latest.status,
    latest.price_id,
    latest.quantity,
    latest.currency::text as currency,
    latest.started_at,
    latest.trial_start,
    latest.trial_end,
    latest.activated_at,
    {{ local_date('latest.activated_at') }} as activated_date,
    {{ local_month('latest.activated_at') }} as activated_month,
    latest.period_start,
    latest.period_end,
    latest.cancel_requested_at,
    latest.cancel_at_period_end,
    latest.ended_at,
    {{ local_date('latest.ended_at') }} as ended_date,
    {{ local_month('latest.ended_at') }} as ended_month,
    latest.end_reason,
    latest.payment_method_id,
    latest.updated_at,
    case
        when customer.customer_id is null then 'orphan_customer'
        when price.price_id is null then 'unknown_price'
    end as reject_reason
from latest
left join {{ ref('stg_customers') }} as customer on customer.customer_id = latest.customer_id
left join {{ ref('stg_prices') }} as price on price.price_id = latest.price_id
