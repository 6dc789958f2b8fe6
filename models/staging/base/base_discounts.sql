-- Grain: one row per discount, its latest version, typed, with the reason why it may not pass (null: it may).
with latest as (

    select
        discount_id,
        subscription_id,
        customer_id,
        promo_code,
        percent_off,
        amount_off,
        currency,
        duration,
        start_at,
        end_at,
        created_at
    from {{ ref('brz_discounts') }}

)

select
    latest.discount_id,
    latest.subscription_id,
    latest.customer_id,
    latest.promo_code,
    latest.percent_off,
    latest.amount_off as amount_off_minor,
    latest.currency::text as currency,
    latest.duration,
    latest.start_at,
    latest.end_at,
    latest.created_at,
    case
        when subscription.subscription_id is null then 'orphan_subscription'
        when (latest.percent_off is null) = (latest.amount_off is null) then 'neither_percent_nor_amount'
    end as reject_reason
from latest
left join {{ ref('stg_subscriptions') }} as subscription on subscription.subscription_id = latest.subscription_id
