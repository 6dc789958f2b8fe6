-- The method that is called the best of a horizon has the smallest mean absolute error of it, and each horizon has one.
select
    horizon_months,
    min(mean_absolute_error_usd) filter (where is_best) as best_error_usd,
    min(mean_absolute_error_usd) as smallest_error_usd
from {{ ref('mart_forecast_accuracy') }}
group by horizon_months
having
    count(*) filter (where is_best) <> 1
    or min(mean_absolute_error_usd) filter (where is_best) > min(mean_absolute_error_usd)
