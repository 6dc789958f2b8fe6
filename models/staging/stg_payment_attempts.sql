-- Grain: one row per payment attempt that passed; the others are in dq_rejects.
select
    attempt_id,
    invoice_id,
    customer_id,
    payment_method_id,
    attempt_number,
    initiator,
    attempted_at,
    attempted_date,
    attempted_month,
    currency,
    amount_minor,
    amount_usd,
    outcome,
    is_terminal,
    is_failed,
    settled_at,
    settled_date,
    decline_code,
    network_code,
    reason_category,
    failure_class,
    is_decline_unmapped,
    updated_at
from {{ ref('base_payment_attempts') }}
where reject_reason is null
