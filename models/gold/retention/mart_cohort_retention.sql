-- Grain: one row per cohort (month at whose end a customer first had MRR), starting plan (and ALL) and age in whole months up
-- to the age of the oldest cohort. What cannot be observed yet is null, not zero.
with balance as (

    select
        customer_id,
        month_start,
        plan_id,
        mrr_net_usd
    from {{ ref('fct_mrr_customer_month') }}
    where mrr_net_usd > 0

),

member as (

    select distinct on (customer_id)
        customer_id,
        month_start as cohort_month,
        plan_id as starting_plan_id,
        mrr_net_usd as starting_usd
    from balance
    order by customer_id, month_start

),

month as (

    select
        month_start,
        is_closed,
        row_number() over (order by month_start) as month_number
    from {{ ref('dim_month') }}

),

aged as (

    select
        member.cohort_month,
        cohort_plan.plan_id,
        month.month_number - cohort.month_number as age_months,
        count(*) as customers,
        sum(balance.mrr_net_usd) as mrr_net_usd,
        sum(least(balance.mrr_net_usd, member.starting_usd)) as kept_usd
    from member
    inner join balance on balance.customer_id = member.customer_id
    inner join month as cohort on cohort.month_start = member.cohort_month
    inner join month on month.month_start = balance.month_start
    cross join lateral (values ('ALL'), (member.starting_plan_id)) as cohort_plan (plan_id)
    group by member.cohort_month, cohort_plan.plan_id, month.month_number - cohort.month_number

),

cohort as (

    select
        aged.cohort_month,
        aged.plan_id,
        aged.customers as cohort_customers,
        aged.mrr_net_usd as cohort_mrr_usd,
        month.month_number
    from aged
    inner join month on month.month_start = aged.cohort_month
    where aged.age_months = 0

),

spine as (

    select
        cohort.*,
        age.age_months,
        (cohort.cohort_month + age.age_months * interval '1 month')::date as month_start,
        coalesce(month.is_closed, false) as is_observable
    from cohort
    cross join (select max(month_number) as months from month) as last_month
    cross join lateral generate_series(0, last_month.months - 1) as age (age_months)
    left join month on month.month_number = cohort.month_number + age.age_months

)

select
    spine.cohort_month,
    spine.plan_id,
    spine.age_months::integer as age_months,
    spine.month_start,
    spine.is_observable,
    spine.cohort_customers,
    spine.cohort_mrr_usd,
    case when spine.is_observable then coalesce(aged.customers, 0) end as customers,
    case when spine.is_observable then coalesce(aged.mrr_net_usd, 0.00) end as mrr_net_usd,
    case when spine.is_observable then {{ rate('coalesce(aged.customers, 0)', 'spine.cohort_customers') }} end as logo_retention_rate,
    case when spine.is_observable then {{ rate('coalesce(aged.kept_usd, 0)', 'spine.cohort_mrr_usd') }} end as gross_retention_rate,
    case when spine.is_observable then {{ rate('coalesce(aged.mrr_net_usd, 0)', 'spine.cohort_mrr_usd') }} end as net_retention_ratio
from spine
left join aged
    on aged.cohort_month = spine.cohort_month
    and aged.plan_id = spine.plan_id
    and aged.age_months = spine.age_months
