-- How fast do failed payments come back, and for which reasons? Share paid by day, with all open invoices censored.
select
    stratum_value as reason,
    max(recovered_rate) filter (where t_days = 1) as day_1,
    max(recovered_rate) filter (where t_days = 3) as day_3,
    max(recovered_rate) filter (where t_days = 7) as day_7,
    max(recovered_rate) filter (where t_days = 14) as day_14,
    max(recovered_rate) filter (where t_days = 30) as day_30,
    max(recovered_low_rate) filter (where t_days = 30) as low,
    max(recovered_high_rate) filter (where t_days = 30) as high,
    max(at_risk) filter (where t_days = 0) as episodes
from {{ ref('mart_recovery_curve') }}
group by stratum_value
order by day_30 desc
