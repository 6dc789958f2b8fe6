-- How good were the forecasts? Rolling backtest, one and three months ahead.
select
    horizon_months,
    method,
    origins,
    bias_usd,
    mean_absolute_error_usd as mae_usd,
    mase,
    pinball_usd,
    coverage_80_rate as coverage_80,
    coverage_95_rate as coverage_95,
    is_best
from {{ ref('mart_forecast_accuracy') }}
where horizon_months in (1, 3)
order by horizon_months, mean_absolute_error_usd
