-- Grain: one row per day and currency of the market rate that passed; the others are in dq_rejects.
select
    rate_id,
    rate_date,
    currency,
    usd_per_unit,
    updated_at
from {{ ref('base_fx_rates') }}
where reject_reason is null
