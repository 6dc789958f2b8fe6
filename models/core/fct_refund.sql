{{ config(
    materialized='incremental',
    unique_key='refund_id',
    incremental_strategy='delete+insert',
    indexes=[{'columns': ['refund_id'], 'unique': true}, {'columns': ['invoice_id']}]
) }}

-- Grain: one row per refund of a payment. Taken again when it succeeds.
with refund as (

    select *
    from {{ ref('stg_refunds') }}
    {{- changed_since_last_run('updated_at') }}

)

select
    refund.refund_id,
    refund.attempt_id,
    refund.invoice_id,
    refund.customer_id,
    plan.plan_id,
    invoice.due_month,
    refund.refund_reason,
    refund.status,
    refund.status = 'succeeded' as is_succeeded,
    refund.created_at,
    refund.succeeded_at,
    refund.succeeded_date,
    refund.succeeded_month,
    refund.currency,
    refund.amount_minor,
    refund.amount_usd,
    refund.updated_at
from refund
inner join {{ ref('stg_invoices') }} as invoice on invoice.invoice_id = refund.invoice_id
inner join {{ ref('dim_customer') }} as customer on customer.customer_id = invoice.customer_id
inner join {{ ref('int_invoice_plan') }} as plan on plan.invoice_id = refund.invoice_id
