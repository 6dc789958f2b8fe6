{{ config(indexes=[{'columns': ['invoice_id', 'updated_at'], 'unique': true}]) }}

-- Grain: one row per version of an invoice. Append-only: each is taken in once.
with incoming as (

    select
        invoice_id,
        subscription_id,
        customer_id,
        currency,
        status,
        billing_reason,
        collection_method,
        subtotal,
        discount,
        tax,
        total,
        credit_applied,
        amount_due,
        amount_paid,
        period_start,
        period_end,
        created_at,
        finalized_at,
        due_at,
        paid_at,
        voided_at,
        uncollectible_at,
        updated_at
    from {{ source('raw', 'invoices') }}
    {{- since_last_load('updated_at') }}

)

select distinct on (incoming.invoice_id, incoming.updated_at)
    incoming.invoice_id,
    incoming.subscription_id,
    incoming.customer_id,
    incoming.currency,
    incoming.status,
    incoming.billing_reason,
    incoming.collection_method,
    incoming.subtotal,
    incoming.discount,
    incoming.tax,
    incoming.total,
    incoming.credit_applied,
    incoming.amount_due,
    incoming.amount_paid,
    incoming.period_start,
    incoming.period_end,
    incoming.created_at,
    incoming.finalized_at,
    incoming.due_at,
    incoming.paid_at,
    incoming.voided_at,
    incoming.uncollectible_at,
    incoming.updated_at
from incoming
{{- not_yet_loaded(['invoice_id', 'updated_at']) }}
