-- Grain: one row per subscription event that passed; the others are in dq_rejects.
select
    event_id,
    subscription_id,
    customer_id,
    event_type,
    effective_at,
    price_id,
    quantity,
    discount_id,
    received_at
from {{ ref('base_subscription_events') }}
where reject_reason is null
