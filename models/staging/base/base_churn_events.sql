-- Grain: one row per churn event, its latest version, typed, with the reason why it may not pass (null: it may).
with latest as (

    select
        event_id,
        customer_id,
        subscription_id,
        event_type,
        kind,
        reason,
        occurred_at,
        received_at
    from {{ ref('brz_churn_events') }}

)

select
    latest.event_id,
    latest.customer_id,
    latest.subscription_id,
    latest.event_type,
    latest.kind as churn_kind,
    latest.reason as churn_reason,
    latest.occurred_at,
    {{ local_date('latest.occurred_at') }} as occurred_date,
    {{ local_month('latest.occurred_at') }} as occurred_month,
    latest.received_at,
    case
        when subscription.subscription_id is null then 'orphan_subscription'
    end as reject_reason
from latest
left join {{ ref('stg_subscriptions') }} as subscription on subscription.subscription_id = latest.subscription_id
