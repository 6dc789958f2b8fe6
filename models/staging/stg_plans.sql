-- Grain: one row per plan that passed; the others are in dq_rejects.
select
    plan_id,
    plan_name,
    tier_rank,
    max_users,
    updated_at
from {{ ref('base_plans') }}
where reject_reason is null
