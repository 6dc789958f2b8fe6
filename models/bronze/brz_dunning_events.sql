{{ config(indexes=[{'columns': ['dunning_event_id', 'updated_at'], 'unique': true}]) }}

-- Grain: one row per version of a dunning message. Append-only: each is taken in once.
with incoming as (

    select
        dunning_event_id,
        invoice_id,
        customer_id,
        kind,
        step,
        sent_at,
        opened_at,
        clicked_at,
        updated_at
    from {{ source('raw', 'dunning_events') }}
    {{- since_last_load('updated_at') }}

)

select distinct on (incoming.dunning_event_id, incoming.updated_at)
    incoming.dunning_event_id,
    incoming.invoice_id,
    incoming.customer_id,
    incoming.kind,
    incoming.step,
    incoming.sent_at,
    incoming.opened_at,
    incoming.clicked_at,
    incoming.updated_at
from incoming
{{- not_yet_loaded(['dunning_event_id', 'updated_at']) }}
