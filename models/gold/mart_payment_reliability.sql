-- Grain: one row per month in which invoices were due. An invoice has one plan, so its counts add up over plans;
-- the rates are made anew from the sums.
with counted as (

    select
        month_start,
        bool_and(is_closed) as is_closed,
        bool_and(is_mature) as is_mature
        {%- for column in payment_reliability_counts() %},
        sum({{ column }}){{ '' if column.endswith('_usd') else '::bigint' }} as {{ column }}
        {%- endfor %}
    from {{ ref('mart_payment_reliability_plan_monthly') }}
    group by month_start

)

select
    month_start,
    is_closed,
    is_mature,
    {{ payment_reliability_columns() }}
from counted
