-- Grain: one row per invoice line that passed; the others are in dq_rejects.
select
    line_id,
    invoice_id,
    subscription_id,
    price_id,
    line_type,
    quantity,
    currency,
    amount_minor,
    discount_minor,
    tax_minor,
    period_start,
    period_end,
    is_proration,
    created_at
from {{ ref('base_invoice_lines') }}
where reject_reason is null
