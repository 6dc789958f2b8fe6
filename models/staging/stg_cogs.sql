-- Grain: one row per month and category of cost that passed; the others are in dq_rejects.
select
    cost_id,
    month_start,
    category,
    currency,
    amount_minor,
    amount_usd,
    updated_at
from {{ ref('base_cogs') }}
where reject_reason is null
