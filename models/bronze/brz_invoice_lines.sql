{{ config(indexes=[{'columns': ['line_id'], 'unique': true}]) }}

-- Grain: one row per invoice line. Append-only: each is taken in once.
with incoming as (

    select
        line_id,
        invoice_id,
        subscription_id,
        price_id,
        type,
        quantity,
        currency,
        amount,
        discount,
        tax,
        period_start,
        period_end,
        is_proration,
        created_at
    from {{ source('raw', 'invoice_lines') }}
    {{- since_last_load('created_at') }}

)

select distinct on (incoming.line_id)
    incoming.line_id,
    incoming.invoice_id,
    incoming.subscription_id,
    incoming.price_id,
    incoming.type,
    incoming.quantity,
    incoming.currency,
    incoming.amount,
    incoming.discount,
    incoming.tax,
    incoming.period_start,
    incoming.period_end,
    incoming.is_proration,
    incoming.created_at
from incoming
{{- not_yet_loaded(['line_id']) }}
