{{ config(indexes=[{'columns': ['refund_id', 'updated_at'], 'unique': true}]) }}

-- Grain: one row per version of a refund. Append-only: each is taken in once.
with incoming as (

    select
        refund_id,
        attempt_id,
        invoice_id,
        customer_id,
        currency,
        amount,
        reason,
        status,
        created_at,
        succeeded_at,
        updated_at
    from {{ source('raw', 'refunds') }}
    {{- since_last_load('updated_at') }}

)

select distinct on (incoming.refund_id, incoming.updated_at)
    incoming.refund_id,
    incoming.attempt_id,
    incoming.invoice_id,
    incoming.customer_id,
    incoming.currency,
    incoming.amount,
    incoming.reason,
    incoming.status,
    incoming.created_at,
    incoming.succeeded_at,
    incoming.updated_at
from incoming
{{- not_yet_loaded(['refund_id', 'updated_at']) }}
