-- Grain: one row per price that passed; the others are in dq_rejects.
select
    price_id,
    plan_id,
    currency,
    billing_interval,
    interval_count,
    interval_months,
    unit_minor,
    valid_from,
    valid_to,
    updated_at
from {{ ref('base_prices') }}
where reject_reason is null
