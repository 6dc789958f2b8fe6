-- Grain: one row per refund that passed; the others are in dq_rejects.
select
    refund_id,
    attempt_id,
    invoice_id,
    customer_id,
    currency,
    amount_minor,
    amount_usd,
    refund_reason,
    status,
    created_at,
    succeeded_at,
    succeeded_date,
    succeeded_month,
    updated_at
from {{ ref('base_refunds') }}
where reject_reason is null
