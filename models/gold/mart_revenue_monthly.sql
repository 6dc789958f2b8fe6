-- Grain: one row per month and plan, and one per month with plan_id ALL.
-- Billed, collected and refunded belong to the month in which the invoice was due (its cohort); the cash columns
-- belong to the month in which money moved; customers and MRR are measured at the month's end.
with invoice_cohort as (

    select
        due_month as month_start,
        coalesce(plan_id, 'ALL') as plan_id,
        count(*) filter (where is_billed) as invoices_billed,
        sum(billed_usd) as billed_usd,
        sum(billed_tax_usd) as billed_tax_usd,
        sum(credit_applied_usd) as credit_applied_usd,
        sum(collected_usd) as collected_usd,
        sum(billed_on_first_try_usd) as billed_on_first_try_usd,
        sum(billed_on_retry_usd) as billed_on_retry_usd,
        sum(outstanding_usd) as outstanding_usd,
        sum(written_off_usd) as written_off_usd,
        sum(refunded_usd) as refunded_usd,
        sum(lost_disputes_usd) as lost_disputes_usd,
        sum(credit_noted_usd) as credit_noted_usd
    from {{ ref('fct_invoice') }}
    group by grouping sets ((due_month, plan_id), (due_month))

),

cash_in as (

    select
        paid_month as month_start,
        coalesce(plan_id, 'ALL') as plan_id,
        sum(collected_usd) as cash_collected_usd
    from {{ ref('fct_payment') }}
    group by grouping sets ((paid_month, plan_id), (paid_month))

),

cash_out as (

    select
        succeeded_month as month_start,
        coalesce(plan_id, 'ALL') as plan_id,
        sum(amount_usd) as cash_refunded_usd
    from {{ ref('fct_refund') }}
    where is_succeeded
    group by grouping sets ((succeeded_month, plan_id), (succeeded_month))

),

cash_disputed as (

    select
        resolved_month as month_start,
        coalesce(plan_id, 'ALL') as plan_id,
        sum(amount_usd) as cash_lost_disputes_usd
    from {{ ref('fct_dispute') }}
    where is_lost
    group by grouping sets ((resolved_month, plan_id), (resolved_month))

),

-- A customer with two plans is one paying customer: counted per plan and for ALL, never added up.
recurring as (

    select
        month_start,
        coalesce(plan_id, 'ALL') as plan_id,
        count(distinct customer_id) filter (where mrr_net_minor > 0) as paying_customers,
        sum(mrr_list_usd) as mrr_list_usd,
        sum(mrr_net_usd) as mrr_net_usd
    from {{ ref('fct_mrr_subscription_month') }}
    group by grouping sets ((month_start, plan_id), (month_start))

),

plan as (

    select plan_id from {{ ref('dim_plan') }}
    union all
    select 'ALL' as plan_id

),

spine as (

    select
        month.month_start,
        plan.plan_id,
        month.is_closed,
        month.is_mature
    from {{ ref('dim_month') }} as month
    cross join plan

)

select
    spine.month_start,
    spine.plan_id,
    spine.is_closed,
    spine.is_mature,
    coalesce(invoice_cohort.invoices_billed, 0) as invoices_billed,
    coalesce(invoice_cohort.billed_usd, 0.00) as billed_usd,
    coalesce(invoice_cohort.billed_tax_usd, 0.00) as billed_tax_usd,
    coalesce(invoice_cohort.credit_applied_usd, 0.00) as credit_applied_usd,
    coalesce(invoice_cohort.collected_usd, 0.00) as collected_usd,
    coalesce(invoice_cohort.billed_on_first_try_usd, 0.00) as billed_on_first_try_usd,
    coalesce(invoice_cohort.billed_on_retry_usd, 0.00) as billed_on_retry_usd,
    coalesce(invoice_cohort.outstanding_usd, 0.00) as outstanding_usd,
    coalesce(invoice_cohort.written_off_usd, 0.00) as written_off_usd,
    coalesce(invoice_cohort.refunded_usd, 0.00) as refunded_usd,
    coalesce(invoice_cohort.lost_disputes_usd, 0.00) as lost_disputes_usd,
    coalesce(
        invoice_cohort.collected_usd - invoice_cohort.refunded_usd - invoice_cohort.lost_disputes_usd, 0.00
    ) as collected_net_usd,
    coalesce(invoice_cohort.credit_noted_usd, 0.00) as credit_noted_usd,
    coalesce(cash_in.cash_collected_usd, 0.00) as cash_collected_usd,
    coalesce(cash_out.cash_refunded_usd, 0.00) as cash_refunded_usd,
    coalesce(cash_disputed.cash_lost_disputes_usd, 0.00) as cash_lost_disputes_usd,
    coalesce(cash_in.cash_collected_usd, 0.00) - coalesce(cash_out.cash_refunded_usd, 0.00)
    - coalesce(cash_disputed.cash_lost_disputes_usd, 0.00) as cash_net_usd,
    coalesce(recurring.paying_customers, 0) as paying_customers,
    coalesce(recurring.mrr_list_usd, 0.00) as mrr_list_usd,
    coalesce(recurring.mrr_net_usd, 0.00) as mrr_net_usd,
    {{ rate('recurring.mrr_net_usd', 'recurring.paying_customers', 2) }} as arpa_usd,
    {{ rate('invoice_cohort.collected_usd', 'invoice_cohort.billed_usd') }} as collected_rate,
    {{ rate('invoice_cohort.billed_on_retry_usd', 'invoice_cohort.collected_usd') }} as on_retry_rate
from spine
left join invoice_cohort
    on invoice_cohort.month_start = spine.month_start and invoice_cohort.plan_id = spine.plan_id
left join cash_in on cash_in.month_start = spine.month_start and cash_in.plan_id = spine.plan_id
left join cash_out on cash_out.month_start = spine.month_start and cash_out.plan_id = spine.plan_id
left join cash_disputed
    on cash_disputed.month_start = spine.month_start and cash_disputed.plan_id = spine.plan_id
left join recurring on recurring.month_start = spine.month_start and recurring.plan_id = spine.plan_id
