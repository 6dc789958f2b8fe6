-- Grain: one row per payment method, its latest version, typed, with the reason why it may not pass (null: it may).
with latest as (

    select distinct on (payment_method_id)
        payment_method_id,
        customer_id,
        type,
        brand,
        issuer_country,
        exp_month,
        exp_year,
        attached_at,
        detached_at,
        updated_by,
        updated_at
    from {{ ref('brz_payment_methods') }}
    order by payment_method_id, updated_at desc

)

select
    latest.payment_method_id,
    latest.customer_id,
    latest.type as method_type,
    latest.brand,
    latest.issuer_country::text as issuer_country,
    latest.exp_month,
    latest.exp_year,
    latest.attached_at,
    latest.detached_at,
    latest.updated_by,
    latest.updated_at,
    case
        when customer.customer_id is null then 'orphan_customer'
    end as reject_reason
from latest
left join {{ ref('stg_customers') }} as customer on customer.customer_id = latest.customer_id
