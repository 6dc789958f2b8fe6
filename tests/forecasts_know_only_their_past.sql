-- What a baseline forecast at an origin follows from the closed months up to it: naive is the origin's MRR, drift adds the mean step
-- from the first month to the origin, drivers adds the mean of new MRR to what the net rate of the rest leaves, month by month. A
-- forecast that read a later month, or the open one, differs.
with closed as (

    select
        month_start,
        closing_usd,
        row_number() over (order by month_start) as n,
        first_value(closing_usd) over (order by month_start) as first_usd,
        (
            select avg(earlier.new_usd)
            from {{ ref('mart_mrr_movements') }} as earlier
            where earlier.cut = 'all' and earlier.month_start <= month.month_start
        ) as mean_new_usd,
        (
            select avg(earlier.closing_usd - earlier.opening_usd - earlier.new_usd) / nullif(avg(earlier.opening_usd), 0)
            from {{ ref('mart_mrr_movements') }} as earlier
            where earlier.cut = 'all' and earlier.month_start <= month.month_start
        ) as net_rate
    from {{ ref('mart_mrr_movements') }} as month
    where cut = 'all' and is_closed

)

select
    forecast.method,
    forecast.origin_month,
    forecast.horizon_months,
    forecast.forecast_usd,
    closed.closing_usd
from {{ ref('int_mrr_forecast') }} as forecast
left join closed on closed.month_start = forecast.origin_month
left join {{ ref('int_mrr_forecast') }} as month_before
    on month_before.method = forecast.method
    and month_before.origin_month = forecast.origin_month
    and month_before.horizon_months = forecast.horizon_months - 1
where
    closed.month_start is null
    or forecast.method = 'naive' and forecast.forecast_usd <> closed.closing_usd
    -- Rounded once more or less, it is a cent off.
    or forecast.method = 'drift' and abs(
        forecast.forecast_usd - greatest(
            closed.closing_usd + forecast.horizon_months * (closed.closing_usd - closed.first_usd) / (closed.n - 1), 0
        )
    ) > 0.01
    or forecast.method = 'drivers' and abs(
        forecast.forecast_usd - greatest(
            coalesce(month_before.forecast_usd, closed.closing_usd) * (1 + coalesce(closed.net_rate, 0)) + closed.mean_new_usd, 0
        )
    ) > 0.03
