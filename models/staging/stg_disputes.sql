-- Grain: one row per dispute that passed; the others are in dq_rejects.
select
    dispute_id,
    attempt_id,
    invoice_id,
    customer_id,
    currency,
    amount_minor,
    amount_usd,
    dispute_reason,
    status,
    opened_at,
    opened_month,
    resolved_at,
    resolved_date,
    resolved_month,
    updated_at
from {{ ref('base_disputes') }}
where reject_reason is null
