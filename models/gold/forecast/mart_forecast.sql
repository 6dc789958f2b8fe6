-- Grain: one row per method and horizon, from the last closed month: MRR after discounts forecast for the next six months, with
-- intervals from the errors of the whole backtest at that horizon, as mart_forecast_backtest makes them at each origin.
with last_origin as (

    select max(origin_month) as origin_month
    from {{ ref('int_mrr_forecast') }}

),

spread as (

    select
        method,
        horizon_months,
        count(*) as known_errors,
        sqrt(avg({{ squared_error_per_dollar('error_usd', 'origin_usd') }})) as spread,
        {{ independent_errors('count(*)', 'horizon_months') }} as degrees
    from {{ ref('mart_forecast_backtest') }}
    group by method, horizon_months

),

bounds as (

    select
        forecast.*,
        coalesce(spread.known_errors, 0) as known_errors,
        {{ t_quantile(1.281552, 'spread.degrees') }} * spread.spread * sqrt(greatest(forecast.origin_usd, 1)) as half_80,
        {{ t_quantile(1.959964, 'spread.degrees') }} * spread.spread * sqrt(greatest(forecast.origin_usd, 1)) as half_95
    from {{ ref('int_mrr_forecast') }} as forecast
    inner join last_origin on last_origin.origin_month = forecast.origin_month
    left join spread on spread.method = forecast.method and spread.horizon_months = forecast.horizon_months

)

select
    bounds.method,
    bounds.horizon_months,
    bounds.origin_month,
    bounds.target_month,
    bounds.origin_usd,
    bounds.forecast_usd,
    {{ forecast_end('bounds.forecast_usd - bounds.half_80', 'bounds.known_errors') }} as low_80_usd,
    {{ forecast_end('bounds.forecast_usd + bounds.half_80', 'bounds.known_errors') }} as high_80_usd,
    {{ forecast_end('bounds.forecast_usd - bounds.half_95', 'bounds.known_errors') }} as low_95_usd,
    {{ forecast_end('bounds.forecast_usd + bounds.half_95', 'bounds.known_errors') }} as high_95_usd,
    bounds.known_errors,
    coalesce(accuracy.is_best, false) as is_best
from bounds
left join {{ ref('mart_forecast_accuracy') }} as accuracy
    on accuracy.method = bounds.method and accuracy.horizon_months = bounds.horizon_months
