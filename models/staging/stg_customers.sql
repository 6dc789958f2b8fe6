-- Grain: one row per customer that passed; the others are in dq_rejects.
select
    customer_id,
    company_name,
    industry,
    company_size,
    country,
    currency,
    timezone,
    channel,
    campaign,
    signup_at,
    signup_date,
    signup_month,
    is_test,
    deleted_at,
    updated_at
from {{ ref('base_customers') }}
where reject_reason is null
