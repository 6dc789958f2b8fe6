select
    label as "KPI",
    to_char(period_month, 'Mon YYYY') as "month",
    case
        when unit = 'USD' then to_char(value, 'FM$999,999,999,990.00')
        when unit = 'rate' then to_char(100 * value, 'FM990.00') || ' %'
        when unit = 'attempts' then to_char(value, 'FM990.000')
        else to_char(value, 'FM999,999,990')
    end as "value",
    case
        when previous_value is null then null
        when unit = 'rate' then to_char(100 * change_absolute, 'FMS990.00') || ' points'
        else to_char(100 * change_relative, 'FMS990.0') || ' %'
    end as "change on the month before",
    case
        when change_absolute = 0 or change_absolute is null then null
        when (change_absolute > 0) = is_higher_better then 'better'
        else 'worse'
    end as "is"
from {{ ref('mart_executive_kpis') }}
order by display_order
