-- Grain: one row per session that passed; the others are in dq_rejects.
select
    session_id,
    user_id,
    customer_id,
    platform,
    country,
    started_at,
    started_date,
    ended_at,
    events,
    received_at
from {{ ref('base_sessions') }}
where reject_reason is null
