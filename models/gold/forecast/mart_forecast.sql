-- Grain: one row per method and horizon, from the last closed month: MRR after discounts forecast for the next six months, with
-- intervals from the errors of the whole backtest at that horizon.
with last_origin as (

    select max(origin_month) as origin_month
    from {{ ref('int_mrr_forecast') }}

),

spread as (

    select
        method,
        horizon_months,
        count(*) as known_errors,
        sqrt(avg(error_usd ^ 2)) as spread
    from {{ ref('mart_forecast_backtest') }}
    group by method, horizon_months

)

select
    forecast.method,
    forecast.horizon_months,
    forecast.origin_month,
    forecast.target_month,
    forecast.origin_usd,
    forecast.forecast_usd,
    round(greatest(forecast.forecast_usd - 1.281552 * spread.spread, 0), 2) as low_80_usd,
    round(forecast.forecast_usd + 1.281552 * spread.spread, 2) as high_80_usd,
    round(greatest(forecast.forecast_usd - 1.959964 * spread.spread, 0), 2) as low_95_usd,
    round(forecast.forecast_usd + 1.959964 * spread.spread, 2) as high_95_usd,
    coalesce(spread.known_errors, 0) as known_errors,
    coalesce(accuracy.is_best, false) as is_best
from {{ ref('int_mrr_forecast') }} as forecast
inner join last_origin on last_origin.origin_month = forecast.origin_month
left join spread on spread.method = forecast.method and spread.horizon_months = forecast.horizon_months
left join {{ ref('mart_forecast_accuracy') }} as accuracy
    on accuracy.method = forecast.method and accuracy.horizon_months = forecast.horizon_months
