-- Grain: one row per month and kind of product event, such as projects created and reports exported.
with used as (

    select
        month_start,
        event_name,
        customer_id,
        min(feature) as feature,
        bool_or(is_core_action) as is_core_action,
        count(*) as users,
        sum(events) as events,
        sum(actions) as actions
    from {{ ref('int_user_month_event') }}
    group by month_start, event_name, customer_id

)

-- Customers are rows here: counting rows is far cheaper than counting what is distinct among millions of them.
select
    used.month_start,
    used.event_name,
    min(used.feature) as feature,
    bool_or(used.is_core_action) as is_core_action,
    month.is_closed,
    sum(used.users)::bigint as users,
    count(*) as customers,
    sum(used.events)::bigint as events,
    sum(used.actions)::bigint as actions
from used
inner join {{ ref('dim_month') }} as month on month.month_start = used.month_start
group by used.month_start, used.event_name, month.is_closed
