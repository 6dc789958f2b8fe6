-- The intervals of a backtested forecast rest on errors whose target month had come at its origin, and on no other.
with counted as (

    select
        backtest.method,
        backtest.origin_month,
        backtest.horizon_months,
        backtest.known_errors,
        (
            select count(*)
            from {{ ref('mart_forecast_backtest') }} as earlier
            where
                earlier.method = backtest.method
                and earlier.horizon_months = backtest.horizon_months
                and earlier.target_month <= backtest.origin_month
        ) as errors_then
    from {{ ref('mart_forecast_backtest') }} as backtest

)

select *
from counted
where known_errors <> errors_then
