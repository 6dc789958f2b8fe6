-- Grain: one row per session, its latest version, typed, with the reason why it may not pass (null: it may).
with latest as (

    select
        session_id,
        user_id,
        customer_id,
        platform,
        country,
        started_at,
        ended_at,
        events,
        received_at
    from {{ ref('brz_sessions') }}

)

select
    latest.session_id,
    latest.user_id,
    latest.customer_id,
    latest.platform,
    latest.country::text as country,
    latest.started_at,
    {{ local_date('latest.started_at') }} as started_date,
    latest.ended_at,
    latest.events,
    latest.received_at,
    case
        when app_user.user_id is null then 'orphan_user'
        when latest.ended_at < latest.started_at then 'ends_before_it_begins'
    end as reject_reason
from latest
left join {{ ref('stg_users') }} as app_user on app_user.user_id = latest.user_id
