-- Grain: one row per plan, its latest version, typed, with the reason why it may not pass (null: it may).
with latest as (

    select distinct on (plan_id)
        plan_id,
        name,
        tier_rank,
        max_users,
        updated_at
    from {{ ref('brz_plans') }}
    order by plan_id, updated_at desc

)

select
    latest.plan_id,
    latest.name as plan_name,
    latest.tier_rank,
    latest.max_users,
    latest.updated_at,
    null::text as reject_reason
from latest
