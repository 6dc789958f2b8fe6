{{ config(indexes=[{'columns': ['attempt_id'], 'unique': true}, {'columns': ['paid_month']}]) }}

-- Grain: one row per payment: an attempt that succeeded, of all that was due or of a part.
-- A part is worth what the parts so far are worth, less those before it: so they add up to the invoice to the cent.
with running as (

    select
        attempt.attempt_id,
        attempt.invoice_id,
        attempt.customer_id,
        attempt.plan_id,
        attempt.attempt_number,
        attempt.settled_at,
        attempt.settled_date,
        attempt.currency,
        attempt.amount_minor,
        invoice.amount_due_minor,
        sum(attempt.amount_minor) over (
            partition by attempt.invoice_id, attempt.currency order by attempt.attempt_number rows unbounded preceding
        ) as paid_so_far_minor
    from {{ ref('fct_payment_attempt') }} as attempt
    inner join {{ ref('fct_invoice') }} as invoice on invoice.invoice_id = attempt.invoice_id
    where attempt.outcome = 'succeeded' and invoice.is_billed

),

worth as (

    select
        running.*,
        {{ to_usd('running.paid_so_far_minor') }} as paid_so_far_usd,
        {{ to_usd('running.paid_so_far_minor - running.amount_minor') }} as paid_before_usd
    from running
    inner join {{ ref('fixed_fx_rates') }} as fx on fx.currency = running.currency

)

select
    attempt_id,
    invoice_id,
    customer_id,
    plan_id,
    attempt_number,
    amount_minor < amount_due_minor as is_part,
    settled_at as paid_at,
    settled_date as paid_date,
    date_trunc('month', settled_date)::date as paid_month,
    currency,
    amount_minor,
    paid_so_far_usd - paid_before_usd as collected_usd
from worth
