-- T7: collected <= billed, for every invoice in minor units and in USD; what was paid is never more than what was due.
select
    invoice_id,
    status,
    amount_due_minor,
    amount_paid_minor,
    billed_usd,
    collected_usd
from {{ ref('fct_invoice') }}
where
    amount_paid_minor > amount_due_minor
    or collected_usd > billed_usd
    or (status = 'paid') <> (amount_paid_minor = amount_due_minor and paid_at is not null)
    or (status <> 'paid' and amount_paid_minor <> 0)
