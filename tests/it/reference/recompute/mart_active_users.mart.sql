select figure.metric || ' ' || cut || ' ' || cut_value as metric, activity_date::text as period, figure.value::numeric(24, 6) as value
from gold.mart_active_users
cross join lateral (values ('dau', dau), ('wau', wau), ('mau', mau)) as figure (metric, value)
where
    cut in ('all', 'platform')
    and figure.value <> 0
    and activity_date = (date_trunc('month', activity_date::timestamp) + interval '1 month - 1 day')::date
order by 1, 2
