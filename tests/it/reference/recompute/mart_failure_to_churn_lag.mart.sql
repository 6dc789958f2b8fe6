select * from (
select metric, 'lag ' || lag_months as period, value::numeric(24, 6) as value
from gold.mart_failure_to_churn_lag
cross join lateral (
    values
        ('customer_months', customer_months),
        ('cancel_intents', cancel_intents),
        ('voluntary_churns', voluntary_churns),
        ('involuntary_churns', involuntary_churns)
) as figure (metric, value)
) as figures
where value <> 0
order by 1, 2
