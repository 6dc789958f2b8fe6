-- Grain: one row per day, cut (all, platform, country) and value: distinct users with a core action on the day and in the 7 and
-- 28 days that end with it. Exact and linear: each active day of a user covers the days until the window ends or until
-- the user's next active day, so the pieces never overlap and their running sum counts each user once.
with active_day as (

    select
        user_day.user_id,
        user_day.activity_date,
        lead(user_day.activity_date) over (partition by user_day.user_id order by user_day.activity_date) as next_date,
        app_user.platform,
        customer.country
    from {{ ref('fct_user_day') }} as user_day
    inner join {{ ref('stg_users') }} as app_user on app_user.user_id = user_day.user_id
    inner join {{ ref('dim_customer') }} as customer on customer.customer_id = user_day.customer_id
    where user_day.is_active

),

piece as (

    select
        platform,
        country,
        activity_date as from_date,
        activity_date + 1 as day_to,
        least(activity_date + 7, next_date) as week_to,
        least(activity_date + 28, next_date) as month_to
    from active_day

),

-- Counted by platform and country first; the cuts are then made of a few thousand rows. One pass over the pieces counts their
-- beginnings and the three kinds of end, so that millions of them need not be kept for four.
changed as (

    select
        platform,
        country,
        coalesce(from_date, day_to, week_to, month_to) as activity_date,
        case when grouping(from_date) = 0 then count(*) when grouping(day_to) = 0 then -count(*) else 0 end as daily,
        case when grouping(from_date) = 0 then count(*) when grouping(week_to) = 0 then -count(*) else 0 end as weekly,
        case when grouping(from_date) = 0 then count(*) when grouping(month_to) = 0 then -count(*) else 0 end as monthly
    from piece
    group by grouping sets (
        (platform, country, from_date),
        (platform, country, day_to),
        (platform, country, week_to),
        (platform, country, month_to)
    )

),

change as (

    select
        cut.cut,
        cut.cut_value,
        changed.activity_date,
        changed.daily,
        changed.weekly,
        changed.monthly
    from changed
    cross join lateral (
        values ('all', 'ALL'), ('platform', changed.platform), ('country', changed.country)
    ) as cut (cut, cut_value)

),

listed as (

    select
        cut,
        cut_value,
        min(activity_date) as first_date
    from change
    group by cut, cut_value

),

-- Days without a change count too. They come in as rows of zeros: the planner joins two groupings by three columns badly.
every_day as (

    select cut, cut_value, activity_date, daily, weekly, monthly
    from change
    union all
    select listed.cut, listed.cut_value, day.date_day, 0, 0, 0
    from listed
    cross join {{ ref('as_of') }} as as_of
    inner join {{ ref('dim_date') }} as day on day.date_day >= listed.first_date and day.date_day < as_of.as_of_date

),

summed as (

    select
        cut,
        cut_value,
        activity_date,
        sum(daily) as daily,
        sum(weekly) as weekly,
        sum(monthly) as monthly
    from every_day
    group by cut, cut_value, activity_date

),

running as (

    select
        summed.cut,
        summed.cut_value,
        summed.activity_date,
        day.is_workday,
        (sum(summed.daily) over in_time)::bigint as dau,
        (sum(summed.weekly) over in_time)::bigint as wau,
        (sum(summed.monthly) over in_time)::bigint as mau
    from summed
    inner join {{ ref('dim_date') }} as day on day.date_day = summed.activity_date
    cross join {{ ref('as_of') }} as as_of
    where summed.activity_date < as_of.as_of_date
    window in_time as (partition by summed.cut, summed.cut_value order by summed.activity_date)

),

averaged as (

    select
        running.*,
        count(*) over four_weeks = 28 as is_full_window,
        avg(dau) over four_weeks as mean_dau,
        avg(case when is_workday then dau end) over four_weeks as mean_workday_dau
    from running
    window four_weeks as (
        partition by cut, cut_value order by activity_date rows between 27 preceding and current row
    )

)

select
    activity_date,
    cut,
    cut_value,
    is_workday,
    dau,
    wau,
    mau,
    case when is_full_window then {{ rate('mean_dau', 'mau') }} end as stickiness_rate,
    case when is_full_window then {{ rate('mean_workday_dau', 'mau') }} end as workday_stickiness_rate
from averaged
