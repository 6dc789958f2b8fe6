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

first_used as (

    select
        feature,
        user_id,
        min(month_start) as month_start
    from used
    group by feature, user_id

),

newcomers as (

    select
        month_start,
        feature,
        count(*) as new_users
    from first_used
    group by month_start, feature

),

-- Customers, then users, are rows here: counting rows is far cheaper than counting what is distinct among millions of them.
by_customer as (

    select
        month_start,
        feature,
        customer_id,
        count(*) as users,
        sum(actions) as actions
    from used
    group by month_start, feature, customer_id

),

counted as (

    select
        month_start,
        feature,
        sum(users)::bigint as users,
        count(*) as customers,
        sum(actions)::bigint as actions
    from by_customer
    group by month_start, feature

),

active_user as (

    select
        month_start,
        user_id
    from used
    group by month_start, user_id

),

active as (

    select
        month_start,
        count(*) as active_users
    from active_user
    group by month_start

)

select
    counted.month_start,
    counted.feature,
    month.is_closed,
    counted.users,
    counted.customers,
    coalesce(newcomers.new_users, 0) as new_users,
    counted.actions,
    active.active_users,
    {{ rate('counted.users', 'active.active_users') }} as adoption_rate,
    {{ rate('counted.actions', 'counted.users', 2) }} as actions_per_user
from counted
inner join active on active.month_start = counted.month_start
left join newcomers on newcomers.month_start = counted.month_start and newcomers.feature = counted.feature
inner join {{ ref('dim_month') }} as month on month.month_start = counted.month_start
