-- Grain: one row per user that passed; the others are in dq_rejects.
select
    user_id,
    customer_id,
    user_role,
    platform,
    created_at,
    deactivated_at,
    updated_at
from {{ ref('base_users') }}
where reject_reason is null
