-- Grain: one row per day: the day's active users as new (never active before), returning (active within the 28 days before)
-- and resurrected (active before that).
with active_day as (

    select
        user_id,
        activity_date,
        lag(activity_date) over (partition by user_id order by activity_date) as previous_date
    from {{ ref('fct_user_day') }}
    where is_active

),

counted as (

    select
        activity_date,
        count(*) as active_users,
        count(*) filter (where previous_date is null) as new_users,
        count(*) filter (where previous_date >= activity_date - 28) as returning_users,
        count(*) filter (where previous_date < activity_date - 28) as resurrected_users
    from active_day
    group by activity_date

),

created as (

    select
        {{ local_date('app_user.created_at') }} as created_date,
        count(*) as created_users
    from {{ ref('stg_users') }} as app_user
    inner join {{ ref('dim_customer') }} as customer on customer.customer_id = app_user.customer_id
    group by {{ local_date('app_user.created_at') }}

),

spine as (

    select day.date_day as activity_date
    from (select min(created_date) as first_date from created) as first_day
    cross join {{ ref('as_of') }} as as_of
    inner join {{ ref('dim_date') }} as day on day.date_day >= first_day.first_date and day.date_day < as_of.as_of_date

)

select
    spine.activity_date,
    coalesce(created.created_users, 0) as created_users,
    coalesce(counted.active_users, 0) as active_users,
    coalesce(counted.new_users, 0) as new_users,
    coalesce(counted.returning_users, 0) as returning_users,
    coalesce(counted.resurrected_users, 0) as resurrected_users,
    sum(coalesce(counted.new_users, 0)) over (order by spine.activity_date)::bigint as users_ever_active
from spine
left join counted on counted.activity_date = spine.activity_date
left join created on created.created_date = spine.activity_date
