-- Grain: one row per metric, value of its cut, window (day, week) and day on which the count was far from its own past: the
-- median of the same weekday in the twelve weeks before, measured in median absolute deviations, of which Poisson noise
-- is the least. A week is the seven days that end with the day. Counts per plan and reason are judged by the week only.
with windowed as (

    select
        metric,
        cut_value,
        'day' as alert_window,
        activity_date,
        value
    from {{ ref('int_daily_series') }}
    where metric <> 'first_failures_by_plan'
    union all
    select
        metric,
        cut_value,
        'week' as alert_window,
        activity_date,
        sum(value) over (
            partition by metric, cut_value order by activity_date rows between 6 preceding and current row
        )::bigint as value
    from {{ ref('int_daily_series') }}

),

-- The same weekday of earlier weeks, side by side in one array: no join of the series with itself.
past as (

    select
        windowed.*,
        array_agg(value) over (
            partition by metric, cut_value, alert_window, extract(isodow from activity_date)
            order by activity_date rows between 12 preceding and 1 preceding
        ) as earlier_values
    from windowed

),

centred as (

    select
        past.*,
        (select percentile_cont(0.5) within group (order by v) from unnest(past.earlier_values) as v)::numeric as median,
        (select avg(v) from unnest(past.earlier_values) as v) as mean
    from past
    where array_length(past.earlier_values, 1) >= 8

),

spread as (

    select
        centred.*,
        (
            select percentile_cont(0.5) within group (order by abs(v - centred.median))
            from unnest(centred.earlier_values) as v
        )::numeric as mad
    from centred
    -- No deviation can make up for less than this, so most rows need none.
    where abs(value - median) >= 3.5 * sqrt(greatest(median, 1))

),

scored as (

    select
        spread.*,
        -- Of rare events most days have none: there the median says too little, and the mean speaks for it.
        (value - case when value > median then greatest(median, mean) else least(median, mean) end)
        / greatest(1.4826 * mad, sqrt(greatest(median, mean, 1))) as robust_z
    from spread

),

alert as (

    select
        scored.*,
        lag(activity_date) over (
            partition by metric, cut_value, alert_window, sign(robust_z) order by activity_date
        ) as previous_date
    from scored
    -- Many failures are bad and few users are; the other ways round are good news. Below three failures chance is all there is.
    where
        case
            when metric in ('attempts', 'signups', 'active_users') then robust_z <= -3.5
            else robust_z >= 3.5 and value >= 3
        end

)

select
    metric,
    cut_value,
    alert_window,
    activity_date,
    value,
    round(median, 2) as median,
    round(mad, 2) as mad,
    round(robust_z, 2) as robust_z,
    case when robust_z > 0 then 'high' else 'low' end as direction,
    coalesce(previous_date < activity_date - 1, true) as is_first_day
from alert
