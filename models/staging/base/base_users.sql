-- Grain: one row per user, its latest version, typed, with the reason why it may not pass (null: it may).
with latest as (

    select distinct on (user_id)
        user_id,
        customer_id,
        role,
        platform,
        created_at,
        deactivated_at,
        updated_at
    from {{ ref('brz_users') }}
    order by user_id, updated_at desc

)

select
    latest.user_id,
    latest.customer_id,
    latest.role as user_role,
    latest.platform,
    latest.created_at,
    latest.deactivated_at,
    latest.updated_at,
    case
        when customer.customer_id is null then 'orphan_customer'
    end as reject_reason
from latest
left join {{ ref('stg_customers') }} as customer on customer.customer_id = latest.customer_id
