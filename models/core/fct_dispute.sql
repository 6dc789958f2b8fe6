{{ config(
    materialized='incremental',
    unique_key='dispute_id',
    incremental_strategy='delete+insert',
    indexes=[{'columns': ['dispute_id'], 'unique': true}, {'columns': ['invoice_id']}]
) }}

-- Grain: one row per payment that the cardholder disputed. Taken again when it is won or lost.
with dispute as (

    select *
    from {{ ref('stg_disputes') }}
    {{- changed_since_last_run('updated_at') }}

)

select
    dispute.dispute_id,
    dispute.attempt_id,
    dispute.invoice_id,
    dispute.customer_id,
    plan.plan_id,
    invoice.due_month,
    dispute.dispute_reason,
    dispute.status,
    dispute.status = 'lost' as is_lost,
    dispute.opened_at,
    dispute.opened_month,
    dispute.resolved_at,
    dispute.resolved_date,
    dispute.resolved_month,
    dispute.currency,
    dispute.amount_minor,
    dispute.amount_usd,
    dispute.updated_at
from dispute
inner join {{ ref('stg_invoices') }} as invoice on invoice.invoice_id = dispute.invoice_id
inner join {{ ref('dim_customer') }} as customer on customer.customer_id = invoice.customer_id
inner join {{ ref('int_invoice_plan') }} as plan on plan.invoice_id = dispute.invoice_id
