{{ config(indexes=[{'columns': ['dispute_id', 'updated_at'], 'unique': true}]) }}

-- Grain: one row per version of a dispute. Append-only: each is taken in once.
with incoming as (

    select
        dispute_id,
        attempt_id,
        invoice_id,
        customer_id,
        currency,
        amount,
        reason,
        status,
        opened_at,
        resolved_at,
        updated_at
    from {{ source('raw', 'disputes') }}
    {{- since_last_load('updated_at') }}

)

select distinct on (incoming.dispute_id, incoming.updated_at)
    incoming.dispute_id,
    incoming.attempt_id,
    incoming.invoice_id,
    incoming.customer_id,
    incoming.currency,
    incoming.amount,
    incoming.reason,
    incoming.status,
    incoming.opened_at,
    incoming.resolved_at,
    incoming.updated_at
from incoming
{{- not_yet_loaded(['dispute_id', 'updated_at']) }}
