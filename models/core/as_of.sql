-- Grain: one row: the instant up to which the data is complete, from the data itself and never from the clock.
with latest as (

    select max(updated_at) as instant from {{ ref('brz_customers') }}
    union all
    select max(updated_at) as instant from {{ ref('brz_users') }}
    union all
    select max(updated_at) as instant from {{ ref('brz_payment_methods') }}
    union all
    select max(updated_at) as instant from {{ ref('brz_subscriptions') }}
    union all
    select max(received_at) as instant from {{ ref('brz_subscription_events') }}
    union all
    select max(updated_at) as instant from {{ ref('brz_invoices') }}
    union all
    select max(updated_at) as instant from {{ ref('brz_payment_attempts') }}
    union all
    select max(updated_at) as instant from {{ ref('brz_refunds') }}
    union all
    select max(updated_at) as instant from {{ ref('brz_dunning_events') }}
    union all
    select max(received_at) as instant from {{ ref('brz_churn_events') }}
    union all
    select max(received_at) as instant from {{ ref('brz_product_events') }}

),

-- Loads bring whole days, so the data is complete to the end of the last day seen.
day_after_latest as (

    select ({{ local_date("max(instant) - interval '1 microsecond'") }} + 1) as as_of_date
    from latest

),

chosen as (

    select
        {% if var('as_of', '') -%}
        timestamptz '{{ var("as_of") }}' as as_of_at
        {%- else -%}
        {{ day_start('as_of_date') }} as as_of_at
        {%- endif %}
    from day_after_latest

)

select
    as_of_at,
    {{ local_date("as_of_at") }} as as_of_date,
    {{ local_month("as_of_at - interval '1 microsecond'") }} as as_of_month,
    as_of_at - interval '{{ var("maturity_days") }} days' as matured_at
from chosen
