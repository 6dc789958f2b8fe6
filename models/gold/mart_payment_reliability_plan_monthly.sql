-- Grain: one row per month in which invoices were due and plan. A retry across the month's end stays in its cohort.
-- Only automatically charged invoices with something due count: manual and zero-amount ones are never tried.
with invoice as (

    select
        invoice.*,
        invoice.due_at + interval '{{ var("maturity_days") }} days' <= as_of.as_of_at as is_mature,
        invoice.is_attempted and invoice.failed_attempts > 0 as is_failed,
        invoice.first_failed_at + interval '7 days' <= as_of.as_of_at as is_observable_7d,
        invoice.first_failed_at + interval '14 days' <= as_of.as_of_at as is_observable_14d,
        invoice.first_failed_at + interval '30 days' <= as_of.as_of_at as is_observable_30d,
        case when invoice.payment_state = 'recovered' then invoice.paid_at - invoice.first_failed_at end as recovered_after
    from {{ ref('fct_invoice') }} as invoice
    cross join {{ ref('as_of') }} as as_of
    where invoice.is_auto_charged and invoice.status <> 'draft'

),

cohort as (

    select
        due_month as month_start,
        plan_id,
        count(*) as invoices,
        count(*) filter (where is_attempted) as invoices_attempted,
        sum(attempts)::bigint as attempts,
        sum(failed_attempts)::bigint as failed_attempts,
        count(*) filter (where attempts = 1) as invoices_with_1_attempt,
        count(*) filter (where attempts = 2) as invoices_with_2_attempts,
        count(*) filter (where attempts = 3) as invoices_with_3_attempts,
        count(*) filter (where attempts >= 4) as invoices_with_4_or_more_attempts,
        count(*) filter (where is_attempted and is_first_attempt_failed) as first_attempt_failures,
        count(*) filter (where is_attempted and is_mature) as mature_invoices_attempted,
        count(*) filter (where is_attempted and is_mature and payment_state = 'written_off') as final_failures,
        count(*) filter (where is_failed) as failed_invoices,
        count(*) filter (where is_failed and payment_state = 'recovered') as recovered_invoices,
        count(*) filter (where is_failed and payment_state = 'in_dunning') as in_dunning_invoices,
        count(*) filter (where is_failed and payment_state = 'written_off') as written_off_invoices,
        count(*) filter (where is_failed and payment_state = 'voided_after_failure') as voided_invoices,
        coalesce(sum(amount_due_usd) filter (where is_failed), 0.00) as failed_usd,
        coalesce(sum(collected_usd) filter (where is_failed), 0.00) as recovered_usd,
        coalesce(sum(amount_due_usd - collected_usd) filter (where is_failed and payment_state = 'in_dunning'), 0.00) as in_dunning_usd,
        coalesce(sum(written_off_usd) filter (where is_failed), 0.00) as written_off_usd,
        coalesce(
            sum(amount_due_usd) filter (where is_failed and payment_state = 'voided_after_failure'), 0.00
        ) as voided_usd,
        count(*) filter (where is_failed and is_observable_7d) as observable_7d_invoices,
        count(*) filter (where is_observable_7d and recovered_after <= interval '7 days') as recovered_7d_invoices,
        count(*) filter (where is_failed and is_observable_14d) as observable_14d_invoices,
        count(*) filter (where is_observable_14d and recovered_after <= interval '14 days') as recovered_14d_invoices,
        count(*) filter (where is_failed and is_observable_30d) as observable_30d_invoices,
        count(*) filter (where is_observable_30d and recovered_after <= interval '30 days') as recovered_30d_invoices
    from invoice
    group by due_month, plan_id

),

-- Beside the cohorts: the same first attempts by the month in which they were made.
by_attempt_month as (

    select
        first_attempted_month as month_start,
        plan_id,
        count(*) as attempt_month_invoices,
        count(*) filter (where is_first_attempt_failed) as attempt_month_first_failures
    from invoice
    where is_attempted
    group by first_attempted_month, plan_id

),

counted as (

    select
        month.month_start,
        plan.plan_id,
        month.is_closed,
        month.is_mature,
        coalesce(cohort.invoices, 0) as invoices,
        coalesce(cohort.invoices_attempted, 0) as invoices_attempted,
        coalesce(cohort.attempts, 0) as attempts,
        coalesce(cohort.failed_attempts, 0) as failed_attempts,
        coalesce(cohort.invoices_with_1_attempt, 0) as invoices_with_1_attempt,
        coalesce(cohort.invoices_with_2_attempts, 0) as invoices_with_2_attempts,
        coalesce(cohort.invoices_with_3_attempts, 0) as invoices_with_3_attempts,
        coalesce(cohort.invoices_with_4_or_more_attempts, 0) as invoices_with_4_or_more_attempts,
        coalesce(cohort.first_attempt_failures, 0) as first_attempt_failures,
        coalesce(cohort.mature_invoices_attempted, 0) as mature_invoices_attempted,
        coalesce(cohort.final_failures, 0) as final_failures,
        coalesce(cohort.failed_invoices, 0) as failed_invoices,
        coalesce(cohort.recovered_invoices, 0) as recovered_invoices,
        coalesce(cohort.in_dunning_invoices, 0) as in_dunning_invoices,
        coalesce(cohort.written_off_invoices, 0) as written_off_invoices,
        coalesce(cohort.voided_invoices, 0) as voided_invoices,
        coalesce(cohort.failed_usd, 0.00) as failed_usd,
        coalesce(cohort.recovered_usd, 0.00) as recovered_usd,
        coalesce(cohort.in_dunning_usd, 0.00) as in_dunning_usd,
        coalesce(cohort.written_off_usd, 0.00) as written_off_usd,
        coalesce(cohort.voided_usd, 0.00) as voided_usd,
        coalesce(cohort.observable_7d_invoices, 0) as observable_7d_invoices,
        coalesce(cohort.recovered_7d_invoices, 0) as recovered_7d_invoices,
        coalesce(cohort.observable_14d_invoices, 0) as observable_14d_invoices,
        coalesce(cohort.recovered_14d_invoices, 0) as recovered_14d_invoices,
        coalesce(cohort.observable_30d_invoices, 0) as observable_30d_invoices,
        coalesce(cohort.recovered_30d_invoices, 0) as recovered_30d_invoices,
        coalesce(by_attempt_month.attempt_month_invoices, 0) as attempt_month_invoices,
        coalesce(by_attempt_month.attempt_month_first_failures, 0) as attempt_month_first_failures
    from {{ ref('dim_month') }} as month
    cross join {{ ref('dim_plan') }} as plan
    left join cohort on cohort.month_start = month.month_start and cohort.plan_id = plan.plan_id
    left join by_attempt_month
        on by_attempt_month.month_start = month.month_start and by_attempt_month.plan_id = plan.plan_id

)

select
    month_start,
    plan_id,
    is_closed,
    is_mature,
    {{ payment_reliability_columns() }}
from counted
