-- Grain: one row per churn event that passed; the others are in dq_rejects.
select
    event_id,
    customer_id,
    subscription_id,
    event_type,
    churn_kind,
    churn_reason,
    occurred_at,
    occurred_date,
    occurred_month,
    received_at
from {{ ref('base_churn_events') }}
where reject_reason is null
