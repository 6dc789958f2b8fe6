{{ config(severity='warn') }}

-- T24: on the last day no volume is far below its own past. A warning: people decide whether a day was quiet or a load was cut off.
select
    alert.metric,
    alert.alert_window,
    alert.activity_date,
    alert.value,
    alert.median,
    alert.robust_z
from {{ ref('mart_alerts') }} as alert
cross join {{ ref('as_of') }} as as_of
where alert.direction = 'low' and alert.activity_date = as_of.as_of_date - 1
