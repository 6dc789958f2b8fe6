{{ config(indexes=[{'columns': ['event_id'], 'unique': true}]) }}

-- Grain: one row per subscription event. Append-only: each is taken in once.
with incoming as (

    select
        event_id,
        subscription_id,
        customer_id,
        type,
        effective_at,
        price_id,
        quantity,
        discount_id,
        received_at
    from {{ source('raw', 'subscription_events') }}
    {{- since_last_load('received_at') }}

)

select distinct on (incoming.event_id)
    incoming.event_id,
    incoming.subscription_id,
    incoming.customer_id,
    incoming.type,
    incoming.effective_at,
    incoming.price_id,
    incoming.quantity,
    incoming.discount_id,
    incoming.received_at
from incoming
{{- not_yet_loaded(['event_id']) }}
-- Of an event delivered twice the first delivery counts, as it does when the second comes with a later load.
order by incoming.event_id, incoming.received_at
