-- Grain: one row per day and channel of spend that passed; the others are in dq_rejects.
select
    spend_id,
    spent_on,
    month_start,
    channel,
    currency,
    amount_minor,
    amount_usd,
    updated_at
from {{ ref('base_marketing_spend') }}
where reject_reason is null
