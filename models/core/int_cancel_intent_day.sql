{{ config(indexes=[{'columns': ['customer_id', 'intent_date'], 'unique': true}]) }}

-- Grain: one row per customer and day on which it looked at the cancel page or asked to cancel.
with intent as (

    select
        customer_id,
        activity_date as intent_date,
        cancel_page_views,
        0 as cancel_requests
    from {{ ref('fct_user_day') }}
    where cancel_page_views > 0
    union all
    select
        event.customer_id,
        event.occurred_date as intent_date,
        0 as cancel_page_views,
        1 as cancel_requests
    from {{ ref('stg_churn_events') }} as event
    inner join {{ ref('dim_customer') }} as customer on customer.customer_id = event.customer_id
    where event.event_type = 'cancel_requested'

)

select
    customer_id,
    intent_date,
    sum(cancel_page_views)::integer as cancel_page_views,
    sum(cancel_requests)::integer as cancel_requests
from intent
group by customer_id, intent_date
