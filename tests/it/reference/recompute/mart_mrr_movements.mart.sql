select * from (
select figure.metric || ' ' || cut || ' ' || cut_value as metric, to_char(month_start, 'YYYY-MM') as period, figure.value::numeric(24, 6) as value
from gold.mart_mrr_movements
cross join lateral (
    values
        ('opening_usd', case when cut <> 'plan' then opening_usd end),
        ('new_usd', case when cut <> 'plan' then new_usd end),
        ('reactivation_usd', case when cut <> 'plan' then reactivation_usd end),
        ('expansion_usd', case when cut <> 'plan' then expansion_usd end),
        ('contraction_usd', case when cut <> 'plan' then contraction_usd end),
        ('churn_usd', case when cut <> 'plan' then churn_usd end),
        ('closing_usd', closing_usd),
        ('new_customers', case when cut <> 'plan' then new_customers end),
        ('churned_customers', case when cut <> 'plan' then churned_customers end),
        ('closing_customers', case when cut = 'plan' then closing_customers end)
) as figure (metric, value)
) as figures
where value <> 0
order by 1, 2
