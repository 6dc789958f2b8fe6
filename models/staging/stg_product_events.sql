-- Grain: one row per product event that passed; the others are in dq_rejects.
select
    event_id,
    user_id,
    customer_id,
    session_id,
    event_name,
    feature,
    actions,
    is_core_action,
    is_cancel_intent,
    platform,
    country,
    occurred_at,
    activity_date,
    received_at,
    props
from {{ ref('base_product_events') }}
where reject_reason is null
