{{ config(tags=['truth']) }}

-- T21: where nothing was planted, a series is loud on one day in a hundred at most. The expiry waves of January and the season of
-- cancelling (late November to early January) are planted too.
with watched as (

    select
        series.metric,
        series.cut_value,
        series.activity_date
    from {{ ref('int_daily_series') }} as series
    where
        not (series.metric = 'cancel_requests' and extract(month from series.activity_date) in (11, 12, 1))
        and not exists (
            select 1
            from {{ source('truth', 'incidents') }} as planted
            where
                (planted.metric = series.metric or planted.metric = series.metric || '_by_plan' or series.metric = planted.metric || '_by_plan')
                and series.activity_date between {{ local_date('planted.starts_at') }} and {{ local_date('planted.ends_at') }} + 10
        )

),

loud as (

    select
        watched.metric,
        count(*) as days,
        count(*) filter (
            where exists (
                select 1
                from {{ ref('mart_alerts') }} as alert
                where
                    alert.metric = watched.metric
                    and alert.cut_value = watched.cut_value
                    and alert.activity_date = watched.activity_date
            )
        ) as alert_days
    from watched
    group by watched.metric

)

select
    sum(days) as days,
    sum(alert_days) as alert_days
from loud
having sum(alert_days) > greatest(0.01 * sum(days), 20)
