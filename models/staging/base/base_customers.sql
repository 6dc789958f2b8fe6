-- Grain: one row per customer, its latest version, typed, with the reason why it may not pass (null: it may).
with latest as (

    select distinct on (customer_id)
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
        is_test,
        updated_at,
        deleted_at
    from {{ ref('brz_customers') }}
    order by customer_id, updated_at desc

)

select
    latest.customer_id,
    latest.company_name,
    latest.industry,
    latest.company_size,
    latest.country::text as country,
    latest.currency::text as currency,
    latest.timezone,
    latest.channel,
    latest.campaign,
    latest.signup_at,
    {{ local_date('latest.signup_at') }} as signup_date,
    {{ local_month('latest.signup_at') }} as signup_month,
    latest.is_test,
    latest.deleted_at,
    latest.updated_at,
    case
        when fx.currency is null then 'unknown_currency'
    end as reject_reason
from latest
left join {{ ref('fixed_fx_rates') }} as fx on fx.currency = latest.currency
