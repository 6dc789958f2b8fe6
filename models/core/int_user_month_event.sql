{{ config(
    materialized='incremental',
    unique_key=['user_id', 'month_start', 'event_name'],
    incremental_strategy='delete+insert',
    indexes=[{'columns': ['user_id', 'month_start', 'event_name'], 'unique': true}, {'columns': ['month_start']}]
) }}

-- Grain: one row per user, month and kind of product event. A later load recomputes all months from the earliest one for
-- which an event came in since, so an event may be late by any time.
with event as (

    select
        event.user_id,
        event.customer_id,
        date_trunc('month', event.activity_date::timestamp)::date as month_start,
        event.event_name,
        event.feature,
        event.is_core_action,
        event.actions,
        event.received_at
    from {{ ref('stg_product_events') }} as event
    inner join {{ ref('dim_customer') }} as customer on customer.customer_id = event.customer_id
    {%- if is_incremental() %}
    where event.activity_date >= (
        select coalesce(date_trunc('month', min(arrived.activity_date)::timestamp)::date, 'infinity')
        from {{ ref('stg_product_events') }} as arrived
        where arrived.received_at >= (select coalesce(max(loaded.last_received_at), '-infinity') from {{ this }} as loaded)
    )
    {%- endif %}

)

select
    user_id,
    month_start,
    event_name,
    min(customer_id) as customer_id,
    min(feature) as feature,
    bool_or(is_core_action) as is_core_action,
    count(*)::integer as events,
    sum(actions)::integer as actions,
    max(received_at) as last_received_at
from event
group by user_id, month_start, event_name
