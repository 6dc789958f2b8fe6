-- T4: for each measure that adds up over plans, the sum of a month's plans is its ALL row, which was made from the invoices.
with summed as (

    select
        month_start,
        plan_id = 'ALL' as is_all,
        sum(invoices_billed) as invoices_billed,
        sum(billed_usd) as billed_usd,
        sum(credit_applied_usd) as credit_applied_usd,
        sum(collected_usd) as collected_usd,
        sum(billed_on_retry_usd) as billed_on_retry_usd,
        sum(outstanding_usd) as outstanding_usd,
        sum(written_off_usd) as written_off_usd,
        sum(refunded_usd) as refunded_usd,
        sum(cash_net_usd) as cash_net_usd,
        sum(mrr_net_usd) as mrr_net_usd
    from {{ ref('mart_revenue_monthly') }}
    group by month_start, plan_id = 'ALL'

)

select
    by_plan.month_start,
    by_plan.billed_usd as billed_by_plan_usd,
    overall.billed_usd as billed_overall_usd
from summed as by_plan
inner join summed as overall on overall.month_start = by_plan.month_start and overall.is_all
where
    not by_plan.is_all
    and (
        by_plan.invoices_billed, by_plan.billed_usd, by_plan.credit_applied_usd, by_plan.collected_usd,
        by_plan.billed_on_retry_usd, by_plan.outstanding_usd, by_plan.written_off_usd, by_plan.refunded_usd,
        by_plan.cash_net_usd, by_plan.mrr_net_usd
    ) is distinct from (
        overall.invoices_billed, overall.billed_usd, overall.credit_applied_usd, overall.collected_usd,
        overall.billed_on_retry_usd, overall.outstanding_usd, overall.written_off_usd, overall.refunded_usd,
        overall.cash_net_usd, overall.mrr_net_usd
    )
