-- T8: an invoice with something due is paid if and only if an attempt of that amount succeeded.
with success as (

    select
        invoice_id,
        count(*) as successes,
        sum(amount_minor) as amount_minor
    from {{ ref('fct_payment_attempt') }}
    where outcome = 'succeeded'
    group by invoice_id

)

select
    invoice.invoice_id,
    invoice.status,
    invoice.amount_due_minor,
    success.successes,
    success.amount_minor
from {{ ref('fct_invoice') }} as invoice
left join success on success.invoice_id = invoice.invoice_id
where
    (invoice.status = 'paid' and invoice.amount_due_minor > 0) <> (success.invoice_id is not null)
    or success.amount_minor <> invoice.amount_due_minor
