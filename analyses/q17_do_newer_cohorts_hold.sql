-- Do newer cohorts hold? Cohorts of each half-year at three and six months; only cohorts that can be observed count.
select
    to_char(cohort_month, 'YYYY') || case when extract(month from cohort_month) <= 6 then ' H1' else ' H2' end as cohorts,
    age_months,
    sum(cohort_customers) as customers,
    round(sum(customers)::numeric / sum(cohort_customers), 4) as logo_retention,
    round(sum(mrr_net_usd) / sum(cohort_mrr_usd), 4) as net_retention
from {{ ref('mart_cohort_retention') }}
where plan_id = 'ALL' and is_observable and age_months in (3, 6)
group by 1, 2
order by 2, 1
