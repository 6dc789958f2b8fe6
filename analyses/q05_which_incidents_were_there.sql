-- Which incidents were there in the last year? The beginning of each run of alerts.
select
    metric,
    cut_value,
    alert_window,
    activity_date,
    value,
    median,
    robust_z
from {{ ref('mart_alerts') }}
cross join {{ ref('as_of') }} as as_of
where is_first_day and activity_date >= as_of.as_of_date - 365
order by robust_z desc
limit 8
