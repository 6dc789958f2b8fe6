select kpi as metric, to_char(period_month, 'YYYY-MM') as period, value::numeric(24, 6) as value
from gold.mart_executive_kpis
where value is not null
union all
select kpi || ' before', to_char(previous_month, 'YYYY-MM'), previous_value::numeric(24, 6)
from gold.mart_executive_kpis
where previous_value is not null
order by 1, 2
