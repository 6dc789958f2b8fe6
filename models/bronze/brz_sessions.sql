{{ config(indexes=[{'columns': ['session_id'], 'unique': true}]) }}

-- Grain: one row per session. Append-only: each is taken in once.
with incoming as (

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
    from {{ source('raw', 'sessions') }}
    {{- since_last_load('received_at') }}

)

select distinct on (incoming.session_id)
    incoming.session_id,
    incoming.user_id,
    incoming.customer_id,
    incoming.platform,
    incoming.country,
    incoming.started_at,
    incoming.ended_at,
    incoming.events,
    incoming.received_at
from incoming
{{- not_yet_loaded(['session_id']) }}
