-- Grain: one row per month and kind of product event, such as projects created and reports exported.
select
    event.month_start,
    event.event_name,
    min(event.feature) as feature,
    bool_or(event.is_core_action) as is_core_action,
    month.is_closed,
    count(*) as users,
    count(distinct event.customer_id) as customers,
    sum(event.events)::bigint as events,
    sum(event.actions)::bigint as actions
from {{ ref('int_user_month_event') }} as event
inner join {{ ref('dim_month') }} as month on month.month_start = event.month_start
group by event.month_start, event.event_name, month.is_closed
