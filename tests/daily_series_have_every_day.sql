-- A watched series has a row for each day from its first to the last day of the data: a quiet day is a zero, not a gap.
select
    series.metric,
    series.cut_value,
    count(*) as days,
    as_of.as_of_date - min(series.activity_date) as expected_days
from {{ ref('int_daily_series') }} as series
cross join {{ ref('as_of') }} as as_of
group by series.metric, series.cut_value, as_of.as_of_date
having count(*) <> as_of.as_of_date - min(series.activity_date)
