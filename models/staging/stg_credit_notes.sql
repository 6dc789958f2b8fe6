-- Grain: one row per credit note that passed; the others are in dq_rejects.
select
    credit_note_id,
    invoice_id,
    customer_id,
    currency,
    amount_minor,
    amount_usd,
    credit_reason,
    status,
    issued_at,
    issued_month,
    updated_at
from {{ ref('base_credit_notes') }}
where reject_reason is null
