-- Where are we heading? The best method of each horizon.
select
    horizon_months,
    target_month,
    method,
    forecast_usd,
    low_80_usd,
    high_80_usd,
    low_95_usd,
    high_95_usd
from {{ ref('mart_forecast') }}
where is_best
order by horizon_months
