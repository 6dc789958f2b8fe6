-- Grain: one row per month. A user belongs to one customer, so users add up over customers, but never over months.
with counted as (

    select
        engagement.month_start,
        bool_and(engagement.is_closed) as is_closed,
        max(month.covered_days) as covered_days,
        count(*) as subscribed_customers,
        count(*) filter (where engagement.active_users > 0) as active_customers,
        sum(engagement.active_users)::bigint as active_users,
        sum(engagement.active_user_days)::bigint as active_user_days,
        sum(engagement.sessions)::bigint as sessions,
        sum(engagement.core_actions)::bigint as core_actions,
        count(*) filter (where engagement.cancel_intent) as cancel_intent_customers,
        count(*) filter (where engagement.cancel_requests > 0) as cancel_requesting_customers,
        count(*) filter (where engagement.engagement_trend = 'up') as up_customers,
        count(*) filter (where engagement.engagement_trend = 'flat') as flat_customers,
        count(*) filter (where engagement.engagement_trend = 'down') as down_customers
    from {{ ref('mart_engagement') }} as engagement
    inner join {{ ref('dim_month') }} as month on month.month_start = engagement.month_start
    group by engagement.month_start

)

select
    month_start,
    is_closed,
    subscribed_customers,
    active_customers,
    active_users,
    active_user_days,
    sessions,
    core_actions,
    cancel_intent_customers,
    cancel_requesting_customers,
    up_customers,
    flat_customers,
    down_customers,
    {{ rate('active_user_days', 'covered_days', 2) }} as mean_daily_active_users,
    {{ rate('active_user_days', 'covered_days * active_users') }} as stickiness_rate,
    {{ rate('active_customers', 'subscribed_customers') }} as active_customer_rate,
    {{ rate('cancel_intent_customers', 'subscribed_customers') }} as cancel_intent_rate,
    {{ rate('down_customers', 'up_customers + flat_customers + down_customers') }} as down_rate
from counted
