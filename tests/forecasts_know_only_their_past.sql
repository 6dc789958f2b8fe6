-- What a baseline forecast at an origin follows from the closed months up to it: naive is the origin's MRR, drift adds the mean step
-- from the first month to the origin. A forecast that read a later month, or the open one, differs.
with closed as (

    select
        month_start,
        closing_usd,
        row_number() over (order by month_start) as n,
        first_value(closing_usd) over (order by month_start) as first_usd
    from {{ ref('mart_mrr_movements') }}
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
where
    closed.month_start is null
    or forecast.method = 'naive' and forecast.forecast_usd <> closed.closing_usd
    -- Rounded once more or less, it is a cent off.
    or forecast.method = 'drift' and abs(
        forecast.forecast_usd - greatest(
            closed.closing_usd + forecast.horizon_months * (closed.closing_usd - closed.first_usd) / (closed.n - 1), 0
        )
    ) > 0.01
