-- Grain: one row per product event, its latest version, typed, with the reason why it may not pass (null: it may).
with latest as (

    select
        event_id,
        user_id,
        customer_id,
        session_id,
        name,
        feature,
        actions,
        platform,
        country,
        occurred_at,
        received_at,
        props
    from {{ ref('brz_product_events') }}

)

select
    latest.event_id,
    latest.user_id,
    latest.customer_id,
    latest.session_id,
    latest.name as event_name,
    latest.feature,
    latest.actions,
    coalesce(known.is_core_action, false) as is_core_action,
    coalesce(known.is_cancel_intent, false) as is_cancel_intent,
    latest.platform,
    latest.country::text as country,
    latest.occurred_at,
    {{ local_date('latest.occurred_at') }} as activity_date,
    latest.received_at,
    latest.props,
    case
        when app_user.user_id is null then 'orphan_user'
        when latest.occurred_at > latest.received_at + interval '1 hour' then 'occurs_after_it_was_received'
    end as reject_reason
from latest
left join {{ ref('stg_users') }} as app_user on app_user.user_id = latest.user_id
left join {{ ref('product_event_names') }} as known on known.name = latest.name
