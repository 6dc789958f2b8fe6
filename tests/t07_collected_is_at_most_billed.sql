-- T7: collected <= billed, for every invoice in minor units and in USD; what was paid is never more than what was due,
-- and all of it if and only if the invoice is paid. A part may be paid of one that is open or was written off.
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
    or (status = 'paid' and (amount_paid_minor <> amount_due_minor or paid_at is null))
    or (status in ('open', 'uncollectible') and (amount_paid_minor >= amount_due_minor or paid_at is not null))
    or (status in ('draft', 'void') and amount_paid_minor <> 0)
