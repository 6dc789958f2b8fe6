-- Grain: one row per payment method that passed; the others are in dq_rejects.
select
    payment_method_id,
    customer_id,
    method_type,
    brand,
    issuer_country,
    exp_month,
    exp_year,
    attached_at,
    detached_at,
    updated_by,
    updated_at
from {{ ref('base_payment_methods') }}
where reject_reason is null
