-- Grain: one row per month in which invoices were due and reason category in which anything failed.
-- Attempts count under their own reason; an invoice and its value count once, under the reason of its first failure.
with attempt as (

    select
        due_month as month_start,
        reason_category,
        max(failure_class) as failure_class,
        count(*) as failed_attempts
    from {{ ref('fct_payment_attempt') }}
    where is_auto_charged and is_failed
    group by due_month, reason_category

),

invoice as (

    select
        due_month as month_start,
        first_reason_category as reason_category,
        count(*) as failed_invoices,
        count(*) filter (where episode_outcome = 'recovered') as recovered_invoices,
        sum(failed_usd) as failed_usd,
        sum(recovered_usd) as recovered_usd,
        coalesce(sum(failed_usd - recovered_usd) filter (where episode_outcome = 'in_dunning'), 0.00) as in_dunning_usd,
        coalesce(sum(failed_usd - recovered_usd) filter (where episode_outcome = 'written_off'), 0.00) as written_off_usd,
        coalesce(sum(failed_usd - recovered_usd) filter (where episode_outcome = 'voided'), 0.00) as voided_usd
    from {{ ref('fct_dunning_episode') }}
    group by due_month, first_reason_category

),

joined as (

    select
        attempt.month_start,
        attempt.reason_category,
        attempt.failure_class,
        attempt.failed_attempts,
        sum(attempt.failed_attempts) over (partition by attempt.month_start) as month_failed_attempts,
        coalesce(invoice.failed_invoices, 0) as failed_invoices,
        sum(coalesce(invoice.failed_invoices, 0)) over (partition by attempt.month_start) as month_failed_invoices,
        coalesce(invoice.recovered_invoices, 0) as recovered_invoices,
        coalesce(invoice.failed_usd, 0.00) as failed_usd,
        coalesce(invoice.recovered_usd, 0.00) as recovered_usd,
        coalesce(invoice.in_dunning_usd, 0.00) as in_dunning_usd,
        coalesce(invoice.written_off_usd, 0.00) as written_off_usd,
        coalesce(invoice.voided_usd, 0.00) as voided_usd
    from attempt
    left join invoice
        on invoice.month_start = attempt.month_start and invoice.reason_category = attempt.reason_category

)

select
    joined.month_start,
    joined.reason_category,
    joined.failure_class,
    month.is_closed,
    month.is_mature,
    joined.failed_attempts,
    joined.failed_invoices,
    joined.recovered_invoices,
    joined.failed_usd,
    joined.recovered_usd,
    joined.in_dunning_usd,
    joined.written_off_usd,
    joined.voided_usd,
    {{ rate('joined.failed_attempts', 'joined.month_failed_attempts') }} as failed_attempt_share_rate,
    {{ rate('joined.failed_invoices', 'joined.month_failed_invoices') }} as failed_invoice_share_rate,
    {{ rate('joined.recovered_invoices', 'joined.failed_invoices') }} as recovery_rate,
    {{ rate('joined.recovered_usd', 'joined.failed_usd') }} as recovery_value_rate,
    {{ rate('joined.written_off_usd', 'joined.failed_usd') }} as leakage_rate
from joined
inner join {{ ref('dim_month') }} as month on month.month_start = joined.month_start
