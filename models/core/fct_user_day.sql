{{ config(
    materialized='incremental',
    unique_key=['user_id', 'activity_date'],
    incremental_strategy='delete+insert',
    indexes=[
        {'columns': ['user_id', 'activity_date'], 'unique': true},
        {'columns': ['customer_id', 'activity_date']}
    ]
) }}

-- Grain: one row per user and day with any product event. A later load recomputes all days from the earliest one
-- for which an event came in since, so an event may be late by any time.
with event as (

    select
        event.user_id,
        event.customer_id,
        event.activity_date,
        event.session_id,
        event.actions,
        event.is_core_action,
        event.is_cancel_intent,
        event.received_at
    from {{ ref('stg_product_events') }} as event
    inner join {{ ref('dim_customer') }} as customer on customer.customer_id = event.customer_id
    {%- if is_incremental() %}
    where event.activity_date >= (
        select coalesce(min(arrived.activity_date), 'infinity')
        from {{ ref('stg_product_events') }} as arrived
        where arrived.received_at >= (select coalesce(max(loaded.last_received_at), '-infinity') from {{ this }} as loaded)
    )
    {%- endif %}

),

-- Sittings first: counting rows per day is far cheaper than counting distinct sessions in each of millions of days.
session as (

    select
        user_id,
        activity_date,
        session_id,
        min(customer_id) as customer_id,
        count(*) as events,
        coalesce(sum(actions) filter (where is_core_action), 0) as core_actions,
        bool_or(is_core_action) as is_active,
        count(*) filter (where is_cancel_intent) as cancel_page_views,
        max(received_at) as last_received_at
    from event
    group by user_id, activity_date, session_id

)

select
    user_id,
    activity_date,
    min(customer_id) as customer_id,
    sum(events)::integer as events,
    sum(core_actions)::integer as core_actions,
    bool_or(is_active) as is_active,
    count(*)::integer as sessions,
    sum(cancel_page_views)::integer as cancel_page_views,
    max(last_received_at) as last_received_at
from session
group by user_id, activity_date
