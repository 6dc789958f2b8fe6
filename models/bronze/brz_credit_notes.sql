{{ config(indexes=[{'columns': ['credit_note_id', 'updated_at'], 'unique': true}]) }}

-- Grain: one row per version of a credit note. Append-only: each is taken in once.
with incoming as (

    select
        credit_note_id,
        invoice_id,
        customer_id,
        currency,
        amount,
        reason,
        status,
        issued_at,
        updated_at
    from {{ source('raw', 'credit_notes') }}
    {{- since_last_load('updated_at') }}

)

select distinct on (incoming.credit_note_id, incoming.updated_at)
    incoming.credit_note_id,
    incoming.invoice_id,
    incoming.customer_id,
    incoming.currency,
    incoming.amount,
    incoming.reason,
    incoming.status,
    incoming.issued_at,
    incoming.updated_at
from incoming
{{- not_yet_loaded(['credit_note_id', 'updated_at']) }}
