-- Grain: one row per subscription that passed; the others are in dq_rejects.
select
    subscription_id,
    customer_id,
    status,
    price_id,
    quantity,
    currency,
    started_at,
    trial_start,
    trial_end,
    activated_at,
    activated_date,
    activated_month,
    period_start,
    period_end,
    cancel_requested_at,
    cancel_at_period_end,
    ended_at,
    ended_date,
    ended_month,
    end_reason,
    payment_method_id,
    updated_at
from {{ ref('base_subscriptions') }}
where reject_reason is null
