{{ config(
    materialized='incremental',
    unique_key='invoice_id',
    incremental_strategy='delete+insert',
    indexes=[{'columns': ['invoice_id'], 'unique': true}, {'columns': ['due_month']}]
) }}

-- Grain: one row per invoice, with what its attempts, refunds and credit notes came to.
-- Taken again when any of them changes. Nothing here depends on the as-of instant: that is the marts' business.
with attempts as (

    select
        invoice_id,
        count(*) filter (where is_terminal)::integer as attempts,
        count(*) filter (where not is_terminal)::integer as pending_attempts,
        count(*) filter (where is_failed)::integer as failed_attempts,
        min(attempted_at) as first_attempted_at,
        min(attempted_month) as first_attempted_month,
        max(attempted_at) as last_attempted_at,
        coalesce(bool_or(is_failed) filter (where attempt_number = 1), false) as is_first_attempt_failed,
        min(settled_at) filter (where is_failed) as first_failed_at,
        min(settled_date) filter (where is_failed) as first_failed_date,
        max(decline_code) filter (where is_failed and attempt_number = 1) as first_decline_code,
        max(reason_category) filter (where is_failed and attempt_number = 1) as first_reason_category,
        max(failure_class) filter (where is_failed and attempt_number = 1) as first_failure_class,
        min(attempt_number) filter (where outcome = 'succeeded') as succeeded_attempt_number,
        sum(amount_usd) filter (where outcome = 'succeeded' and attempt_number < first_failed_number) as before_failure_usd,
        max(settled_date) filter (where outcome = 'succeeded') as last_collected_date,
        max(updated_at) as updated_at
    from (
        select
            attempt.*,
            min(attempt_number) filter (where is_failed) over (partition by invoice_id) as first_failed_number
        from {{ ref('fct_payment_attempt') }} as attempt
    ) as numbered
    group by invoice_id

),

refunds as (

    select
        invoice_id,
        currency,
        sum(amount_minor) filter (where is_succeeded) as refunded_minor,
        sum(amount_usd) filter (where is_succeeded) as refunded_usd,
        max(updated_at) as updated_at
    from {{ ref('fct_refund') }}
    group by invoice_id, currency

),

disputes as (

    select
        invoice_id,
        sum(amount_usd) filter (where is_lost) as lost_disputes_usd,
        max(updated_at) as updated_at
    from {{ ref('fct_dispute') }}
    group by invoice_id

),

credit_notes as (

    select
        invoice_id,
        sum(amount_usd) filter (where status = 'issued') as credit_noted_usd,
        max(updated_at) as updated_at
    from {{ ref('stg_credit_notes') }}
    group by invoice_id

),

joined as (

    select
        invoice.*,
        plan.plan_id,
        plan.billing_interval,
        invoice.collection_method = 'charge_automatically' and invoice.amount_due_minor > 0 as is_auto_charged,
        invoice.finalized_at is not null and invoice.status not in ('draft', 'void') as is_billed,
        coalesce(attempts.attempts, 0) as attempts,
        coalesce(attempts.pending_attempts, 0) as pending_attempts,
        coalesce(attempts.failed_attempts, 0) as failed_attempts,
        attempts.first_attempted_at,
        attempts.first_attempted_month,
        attempts.last_attempted_at,
        coalesce(attempts.is_first_attempt_failed, false) as is_first_attempt_failed,
        attempts.first_failed_at,
        attempts.first_failed_date,
        attempts.first_decline_code,
        attempts.first_reason_category,
        attempts.first_failure_class,
        attempts.succeeded_attempt_number,
        attempts.last_collected_date,
        -- What came in before anything failed, be it in parts.
        case
            when coalesce(attempts.failed_attempts, 0) = 0 then invoice.amount_paid_usd
            else least(coalesce(attempts.before_failure_usd, 0.00), invoice.amount_paid_usd)
        end as paid_on_first_try_usd,
        coalesce(refunds.refunded_minor, 0) as refunded_minor,
        coalesce(refunds.refunded_usd, 0.00) as refunded_usd,
        coalesce(disputes.lost_disputes_usd, 0.00) as lost_disputes_usd,
        coalesce(credit_notes.credit_noted_usd, 0.00) as credit_noted_usd,
        greatest(
            invoice.updated_at, attempts.updated_at, refunds.updated_at, disputes.updated_at, credit_notes.updated_at
        ) as last_changed_at
    from {{ ref('stg_invoices') }} as invoice
    inner join {{ ref('dim_customer') }} as customer on customer.customer_id = invoice.customer_id
    inner join {{ ref('int_invoice_plan') }} as plan on plan.invoice_id = invoice.invoice_id
    left join attempts on attempts.invoice_id = invoice.invoice_id
    left join refunds on refunds.invoice_id = invoice.invoice_id and refunds.currency = invoice.currency
    left join disputes on disputes.invoice_id = invoice.invoice_id
    left join credit_notes on credit_notes.invoice_id = invoice.invoice_id

),

changed as (

    select *
    from joined
    {{- changed_since_last_run('last_changed_at') }}

)

select
    invoice_id,
    subscription_id,
    customer_id,
    plan_id,
    billing_interval,
    currency,
    status,
    billing_reason,
    collection_method,
    is_auto_charged,
    is_billed,
    case
        when status = 'draft' then 'draft'
        when status = 'void' and failed_attempts > 0 then 'voided_after_failure'
        when status = 'void' then 'void'
        when status = 'uncollectible' then 'written_off'
        when status = 'paid' and amount_due_minor = 0 then 'nothing_due'
        when status = 'paid' and failed_attempts > 0 then 'recovered'
        when status = 'paid' then 'paid_on_first_try'
        when failed_attempts > 0 then 'in_dunning'
        else 'open'
    end as payment_state,
    period_start,
    period_end,
    finalized_at,
    due_at,
    due_date,
    due_month,
    paid_at,
    paid_date,
    paid_month,
    voided_at,
    uncollectible_at,
    subtotal_minor,
    discount_minor,
    tax_minor,
    total_minor,
    credit_applied_minor,
    amount_due_minor,
    amount_paid_minor,
    refunded_minor,
    amount_due_usd,
    case when is_billed then total_usd else 0.00 end as billed_usd,
    case when is_billed then tax_usd else 0.00 end as billed_tax_usd,
    -- What is due is rounded; the credit takes the remainder, so that billed = credit + due holds to the cent.
    case when is_billed then total_usd - amount_due_usd else 0.00 end as credit_applied_usd,
    case when is_billed then amount_paid_usd else 0.00 end as collected_usd,
    case when is_billed then paid_on_first_try_usd else 0.00 end as billed_on_first_try_usd,
    case when is_billed then amount_paid_usd - paid_on_first_try_usd else 0.00 end as billed_on_retry_usd,
    case when status = 'uncollectible' then amount_due_usd - amount_paid_usd else 0.00 end as written_off_usd,
    case when is_billed and status = 'open' then amount_due_usd - amount_paid_usd else 0.00 end as outstanding_usd,
    refunded_usd,
    lost_disputes_usd,
    credit_noted_usd,
    attempts,
    pending_attempts,
    failed_attempts,
    last_collected_date,
    first_attempted_at,
    first_attempted_month,
    last_attempted_at,
    is_auto_charged and attempts > 0 as is_attempted,
    is_first_attempt_failed,
    first_failed_at,
    first_failed_date,
    first_decline_code,
    first_reason_category,
    first_failure_class,
    succeeded_attempt_number,
    last_changed_at
from changed
