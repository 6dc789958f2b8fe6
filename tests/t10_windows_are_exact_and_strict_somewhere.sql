-- T10: DAU, WAU and MAU of the last day equal a plain count of distinct users; stickiness is the share of 28 days on which a user
-- of the month was active; DAU < WAU < MAU somewhere; MAU within users.
with last_day as (

    select max(activity_date) as activity_date
    from {{ ref('mart_active_users') }}

),

counted as (

    select
        count(distinct user_day.user_id) filter (where user_day.activity_date = last_day.activity_date) as dau,
        count(distinct user_day.user_id) filter (where user_day.activity_date > last_day.activity_date - 7) as wau,
        count(distinct user_day.user_id) as mau,
        count(user_day.user_id) as user_days
    from last_day
    left join {{ ref('fct_user_day') }} as user_day
        on user_day.is_active and user_day.activity_date between last_day.activity_date - 27 and last_day.activity_date
    having count(user_day.user_id) > 0

),

mart as (

    select
        active.dau,
        active.wau,
        active.mau,
        active.stickiness_rate
    from {{ ref('mart_active_users') }} as active
    inner join last_day on last_day.activity_date = active.activity_date
    where active.cut = 'all'

)

select
    'the last day differs from a plain count' as problem,
    mart.dau,
    mart.wau,
    mart.mau
from mart
cross join counted
where (mart.dau, mart.wau, mart.mau) is distinct from (counted.dau, counted.wau, counted.mau)
union all
select
    'stickiness differs from days per user' as problem,
    mart.dau,
    mart.wau,
    mart.mau
from mart
cross join counted
where abs(mart.stickiness_rate - counted.user_days / (28.0 * counted.mau)) > 0.000001
union all
select
    'never strictly ordered' as problem,
    max(dau) as dau,
    max(wau) as wau,
    max(mau) as mau
from {{ ref('mart_active_users') }}
having count(*) > 28 and not bool_or(dau < wau and wau < mau)
union all
select
    'more active users than users' as problem,
    max(dau) as dau,
    max(wau) as wau,
    max(mau) as mau
from {{ ref('mart_active_users') }}
having max(mau) > (select count(*) from {{ ref('stg_users') }})
