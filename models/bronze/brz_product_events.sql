{{ config(indexes=[{'columns': ['event_id'], 'unique': true}, {'columns': ['received_at']}]) }}

-- Grain: one row per product event. Append-only: each is taken in once.
with incoming as (

    select
        event_id,
        user_id,
        customer_id,
        session_id,
        name,
        feature,
        actions,
        platform,
        country,
        occurred_at,
        received_at,
        props
    from {{ source('raw', 'product_events') }}
    {{- since_last_load('received_at') }}

)

select distinct on (incoming.event_id)
    incoming.event_id,
    incoming.user_id,
    incoming.customer_id,
    incoming.session_id,
    incoming.name,
    incoming.feature,
    incoming.actions,
    incoming.platform,
    incoming.country,
    incoming.occurred_at,
    incoming.received_at,
    incoming.props
from incoming
{{- not_yet_loaded(['event_id']) }}
-- Of an event delivered twice the first delivery counts, as it does when the second comes with a later load.
order by incoming.event_id, incoming.received_at
