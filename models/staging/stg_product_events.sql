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
-- Over a view the planner takes "is null" for rare, and sorts millions of rows it should hash: a case it takes for even.
where case when reject_reason is null then true else false end
