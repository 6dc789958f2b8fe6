-- Grain: one row per month and feature with core actions. Users are distinct within the feature and never add up over
-- features or months; adoption is of the month's active users.
with used as (

    select
        month_start,
        feature,
        user_id,
        min(customer_id) as customer_id,
        sum(actions) as actions
    from {{ ref('int_user_month_event') }}
    where is_core_action
    group by month_start, feature, user_id

),

ranked as (

    select
        used.*,
        row_number() over (partition by feature, user_id order by month_start) = 1 as is_first_month
    from used

),

counted as (

    select
        month_start,
        feature,
        count(*) as users,
        count(distinct customer_id) as customers,
        count(*) filter (where is_first_month) as new_users,
        sum(actions)::bigint as actions
    from ranked
    group by month_start, feature

),

active as (

    select
        month_start,
        count(distinct user_id) as active_users
    from used
    group by month_start

)

select
    counted.month_start,
    counted.feature,
    month.is_closed,
    counted.users,
    counted.customers,
    counted.new_users,
    counted.actions,
    active.active_users,
    {{ rate('counted.users', 'active.active_users') }} as adoption_rate,
    {{ rate('counted.actions', 'counted.users', 2) }} as actions_per_user
from counted
inner join active on active.month_start = counted.month_start
inner join {{ ref('dim_month') }} as month on month.month_start = counted.month_start
