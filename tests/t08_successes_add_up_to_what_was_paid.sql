-- T8: what succeeded of an invoice adds up to what was paid of it, whole or in parts: nothing is paid without a success, and the
-- parts' worth in USD is the invoice's to the cent.
with success as (

    select
        invoice_id,
        count(*) as successes,
        sum(amount_minor) as amount_minor,
        min(amount_minor) as least_minor
    from {{ ref('fct_payment_attempt') }}
    where outcome = 'succeeded'
    group by invoice_id

),

payment as (

    select
        invoice_id,
        sum(collected_usd) as collected_usd
    from {{ ref('fct_payment') }}
    group by invoice_id

)

select
    invoice.invoice_id,
    invoice.status,
    invoice.amount_due_minor,
    invoice.amount_paid_minor,
    success.successes,
    success.amount_minor,
    invoice.collected_usd,
    payment.collected_usd as payments_usd
from {{ ref('fct_invoice') }} as invoice
left join success on success.invoice_id = invoice.invoice_id
left join payment on payment.invoice_id = invoice.invoice_id
where
    coalesce(success.amount_minor, 0) <> invoice.amount_paid_minor
    or success.least_minor <= 0
    or coalesce(payment.collected_usd, 0) <> invoice.collected_usd
