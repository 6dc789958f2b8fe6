-- A session holds the events that name it: as many, from the first to the last. Events that came late may still be missing,
-- and a session is known half an hour after its last event.
with event as (

    select
        session_id,
        count(*) as events,
        min(occurred_at) as started_at,
        max(occurred_at) as ended_at
    from {{ ref('stg_product_events') }}
    group by session_id

)

select
    coalesce(session.session_id, event.session_id) as session_id,
    session.events as session_events,
    event.events
from {{ ref('stg_sessions') }} as session
full join event on event.session_id = session.session_id
cross join {{ ref('as_of') }} as as_of
where
    coalesce(session.ended_at, event.ended_at) < as_of.as_of_at - interval '4 days'
    and (session.events, session.started_at, session.ended_at) is distinct from (event.events, event.started_at, event.ended_at)
