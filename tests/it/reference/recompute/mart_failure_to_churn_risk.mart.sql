select * from (
select metric, horizon_days || ' days ' || churn_kind as period, value::numeric(24, 6) as value
from gold.mart_failure_to_churn_risk
cross join lateral (
    values
        ('exposed', exposed),
        ('exposed_churned', exposed_churned),
        ('control', control),
        ('control_churned', control_churned)
) as figure (metric, value)
) as figures
where value <> 0
order by 1, 2
