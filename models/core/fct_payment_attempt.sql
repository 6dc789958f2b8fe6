{{ config(
    materialized='incremental',
    unique_key='attempt_id',
    incremental_strategy='delete+insert',
    indexes=[{'columns': ['attempt_id'], 'unique': true}, {'columns': ['invoice_id']}]
) }}

-- Grain: one row per payment attempt. Taken again when it settles.
with attempt as (

    select *
    from {{ ref('stg_payment_attempts') }}
    {{- changed_since_last_run('updated_at') }}

)

select
    attempt.attempt_id,
    attempt.invoice_id,
    invoice.subscription_id,
    attempt.customer_id,
    plan.plan_id,
    plan.billing_interval,
    attempt.payment_method_id,
    method.method_type,
    invoice.due_month,
    invoice.collection_method = 'charge_automatically' and invoice.amount_due_minor > 0 as is_auto_charged,
    attempt.attempt_number,
    attempt.initiator,
    attempt.attempted_at,
    attempt.attempted_date,
    attempt.attempted_month,
    attempt.settled_at,
    attempt.settled_date,
    attempt.currency,
    attempt.amount_minor,
    attempt.amount_usd,
    attempt.outcome,
    attempt.is_terminal,
    attempt.is_failed,
    attempt.decline_code,
    attempt.reason_category,
    attempt.failure_class,
    attempt.is_decline_unmapped,
    attempt.updated_at
from attempt
inner join {{ ref('stg_invoices') }} as invoice on invoice.invoice_id = attempt.invoice_id
inner join {{ ref('dim_customer') }} as customer on customer.customer_id = invoice.customer_id
inner join {{ ref('int_invoice_plan') }} as plan on plan.invoice_id = attempt.invoice_id
left join {{ ref('stg_payment_methods') }} as method on method.payment_method_id = attempt.payment_method_id
