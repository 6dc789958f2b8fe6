-- Grain: one row per method, origin (a closed month) and horizon of 1 to 6 months: what the method forecast at that origin, and
-- what came (null: not yet). Naive: the last value. Drift: the mean step so far goes on. Damped Holt: level and trend
-- smoothed with fixed weights (0.8, 0.2), the trend damped by 0.9 a month; fixed, so that no origin sees its future. Drivers: each
-- month adds the mean of new MRR so far, and what is there grows by the net rate of all else so far.
with recursive series as (

    select
        month_start,
        closing_usd as value,
        opening_usd,
        new_usd,
        row_number() over (order by month_start)::integer as n
    from {{ ref('mart_mrr_movements') }}
    where cut = 'all' and is_closed

),

step as (

    select
        n,
        month_start,
        value,
        first_value(value) over (order by n) as first_value,
        value - lag(value) over (order by n) as change,
        avg(new_usd) over so_far as mean_new,
        -- The first month opens with nothing: all of it is new.
        coalesce(
            avg(value - opening_usd - new_usd) over so_far / nullif(avg(opening_usd) over so_far, 0), 0
        ) as net_rate
    from series
    window so_far as (order by n rows between unbounded preceding and current row)

),

holt as (

    select
        step.n,
        step.value as level,
        step.change as trend
    from step
    where step.n = 2
    union all
    select
        step.n,
        round(0.8 * step.value + 0.2 * (holt.level + 0.9 * holt.trend), 6) as level,
        round(
            0.2 * (0.8 * step.value + 0.2 * (holt.level + 0.9 * holt.trend) - holt.level) + 0.8 * 0.9 * holt.trend, 6
        ) as trend
    from holt
    inner join step on step.n = holt.n + 1

),

origin as (

    select
        step.n,
        step.month_start as origin_month,
        step.value,
        (step.value - step.first_value) / (step.n - 1) as mean_change,
        holt.level,
        holt.trend,
        step.mean_new,
        step.net_rate
    from step
    inner join holt on holt.n = step.n
    where step.n >= 6

)

select
    method.method,
    origin.origin_month,
    horizon.horizon_months,
    (origin.origin_month + horizon.horizon_months * interval '1 month')::date as target_month,
    origin.value as origin_usd,
    round(
        greatest(
            case method.method
                when 'naive' then origin.value
                when 'drift' then origin.value + horizon.horizon_months * origin.mean_change
                when 'drivers'
                    then origin.value * (1 + origin.net_rate) ^ horizon.horizon_months
                        + origin.mean_new * (
                            select sum((1 + origin.net_rate) ^ months.n)
                            from generate_series(0, horizon.horizon_months - 1) as months (n)
                        )
                else origin.level + origin.trend * 0.9 * (1 - 0.9 ^ horizon.horizon_months) / (1 - 0.9)
            end, 0
        ), 2
    ) as forecast_usd,
    target.value as actual_usd
from origin
cross join (values ('naive'), ('drift'), ('damped_holt'), ('drivers')) as method (method)
cross join generate_series(1, 6) as horizon (horizon_months)
left join step as target on target.n = origin.n + horizon.horizon_months
