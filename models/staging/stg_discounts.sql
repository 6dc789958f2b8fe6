-- Grain: one row per discount that passed; the others are in dq_rejects.
select
    discount_id,
    subscription_id,
    customer_id,
    promo_code,
    percent_off,
    amount_off_minor,
    currency,
    duration,
    start_at,
    end_at,
    created_at
from {{ ref('base_discounts') }}
where reject_reason is null
