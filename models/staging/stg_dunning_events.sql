-- Grain: one row per dunning message that passed; the others are in dq_rejects.
select
    dunning_event_id,
    invoice_id,
    customer_id,
    message_kind,
    step,
    sent_at,
    opened_at,
    clicked_at,
    updated_at
from {{ ref('base_dunning_events') }}
where reject_reason is null
