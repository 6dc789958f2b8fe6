-- Grain: one row per method and horizon: how far the rolling backtest was off, beside the mean step of the series (MASE), and
-- how often the intervals held. The best method of a horizon is the one with the smallest mean absolute error.
with scale as (

    select avg(abs(change_usd)) as mean_step
    from (
        select closing_usd - opening_usd as change_usd
        from {{ ref('mart_mrr_movements') }}
        where cut = 'all' and is_closed and opening_usd > 0
    ) as step

),

scored as (

    select
        backtest.method,
        backtest.horizon_months,
        count(*) as origins,
        count(backtest.low_80_usd) as origins_with_interval,
        avg(backtest.error_usd) as bias,
        avg(abs(backtest.error_usd)) as mean_absolute_error,
        avg(abs(backtest.error_usd) / nullif(backtest.actual_usd, 0)) as mean_absolute_share,
        avg(case when backtest.actual_usd between backtest.low_80_usd and backtest.high_80_usd then 1.0 else 0.0 end)
            filter (where backtest.low_80_usd is not null) as coverage_80,
        avg(case when backtest.actual_usd between backtest.low_95_usd and backtest.high_95_usd then 1.0 else 0.0 end)
            filter (where backtest.low_95_usd is not null) as coverage_95,
        -- Pinball loss of the two ends of the 80 % interval: the 10 % and the 90 % quantile.
        avg(
            (
                greatest(0.1 * (backtest.actual_usd - backtest.low_80_usd), 0.9 * (backtest.low_80_usd - backtest.actual_usd))
                + greatest(0.9 * (backtest.actual_usd - backtest.high_80_usd), 0.1 * (backtest.high_80_usd - backtest.actual_usd))
            ) / 2
        ) as pinball
    from {{ ref('mart_forecast_backtest') }} as backtest
    group by backtest.method, backtest.horizon_months

)

select
    scored.method,
    scored.horizon_months,
    scored.origins,
    scored.origins_with_interval,
    round(scored.bias, 2) as bias_usd,
    round(scored.mean_absolute_error, 2) as mean_absolute_error_usd,
    round(scored.mean_absolute_share, 6) as mean_absolute_share_rate,
    round(scored.mean_absolute_error / nullif(scale.mean_step, 0), 4) as mase,
    round(scored.pinball, 2) as pinball_usd,
    round(scored.coverage_80, 6) as coverage_80_rate,
    round(scored.coverage_95, 6) as coverage_95_rate,
    row_number() over (
        partition by scored.horizon_months order by scored.mean_absolute_error, scored.method
    ) = 1 as is_best
from scored
cross join scale
