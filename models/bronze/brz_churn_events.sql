{{ config(indexes=[{'columns': ['event_id'], 'unique': true}]) }}

-- Grain: one row per churn event. Append-only: each is taken in once.
with incoming as (

    select
        event_id,
        customer_id,
        subscription_id,
        event_type,
        kind,
        reason,
        occurred_at,
        received_at
    from {{ source('raw', 'churn_events') }}
    {{- since_last_load('received_at') }}

)

select distinct on (incoming.event_id)
    incoming.event_id,
    incoming.customer_id,
    incoming.subscription_id,
    incoming.event_type,
    incoming.kind,
    incoming.reason,
    incoming.occurred_at,
    incoming.received_at
from incoming
{{- not_yet_loaded(['event_id']) }}
-- Of an event delivered twice the first delivery counts, as it does when the second comes with a later load.
order by incoming.event_id, incoming.received_at
