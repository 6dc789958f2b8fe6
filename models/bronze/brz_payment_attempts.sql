{{ config(indexes=[{'columns': ['attempt_id', 'updated_at'], 'unique': true}]) }}

-- Grain: one row per version of a payment attempt. Append-only: each is taken in once.
with incoming as (

    select
        attempt_id,
        invoice_id,
        customer_id,
        payment_method_id,
        attempt_number,
        initiator,
        attempted_at,
        currency,
        amount,
        outcome,
        settled_at,
        decline_code,
        network_code,
        updated_at
    from {{ source('raw', 'payment_attempts') }}
    {{- since_last_load('updated_at') }}

)

select distinct on (incoming.attempt_id, incoming.updated_at)
    incoming.attempt_id,
    incoming.invoice_id,
    incoming.customer_id,
    incoming.payment_method_id,
    incoming.attempt_number,
    incoming.initiator,
    incoming.attempted_at,
    incoming.currency,
    incoming.amount,
    incoming.outcome,
    incoming.settled_at,
    incoming.decline_code,
    incoming.network_code,
    incoming.updated_at
from incoming
{{- not_yet_loaded(['attempt_id', 'updated_at']) }}
