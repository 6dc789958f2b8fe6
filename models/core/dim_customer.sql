{{ config(indexes=[{'columns': ['customer_id'], 'unique': true}]) }}

-- Grain: one row per customer, as it is now. Our own staff's test accounts are left out here, so of every figure.
with activation as (

    select
        customer_id,
        min(activated_at) as first_activated_at,
        min(activated_date) as first_activated_date
    from {{ ref('stg_subscriptions') }}
    group by customer_id

)

select
    customer.customer_id,
    customer.company_name,
    customer.industry,
    customer.company_size,
    customer.country,
    customer.currency,
    customer.channel,
    customer.campaign,
    customer.signup_at,
    customer.signup_date,
    customer.signup_month,
    activation.first_activated_at,
    activation.first_activated_date,
    customer.deleted_at is not null as is_deleted
from {{ ref('stg_customers') }} as customer
left join activation on activation.customer_id = customer.customer_id
where not customer.is_test
