-- T9: failed = recovered + in dunning + written off + voided, by value, from the attempts on one side and the marts on the other.
with failed as (

    select
        due_month as month_start,
        sum(amount_usd) as failed_usd,
        count(*) as failed_invoices
    from {{ ref('fct_payment_attempt') }}
    where is_auto_charged and is_failed and attempt_number = 1
    group by due_month

),

by_reason as (

    select
        month_start,
        sum(failed_attempts) as failed_attempts,
        sum(failed_invoices) as failed_invoices,
        sum(recovered_usd + in_dunning_usd + written_off_usd + voided_usd) as ended_usd
    from {{ ref('mart_failure_reason_monthly') }}
    group by month_start

)

select
    reliability.month_start,
    failed.failed_usd,
    reliability.failed_usd as reliability_failed_usd,
    by_reason.ended_usd as reasons_ended_usd
from {{ ref('mart_payment_reliability') }} as reliability
left join failed on failed.month_start = reliability.month_start
left join by_reason on by_reason.month_start = reliability.month_start
where
    coalesce(failed.failed_usd, 0) <> reliability.failed_usd
    or reliability.failed_usd
    <> reliability.recovered_usd + reliability.in_dunning_usd + reliability.written_off_usd + reliability.voided_usd
    or coalesce(by_reason.ended_usd, 0) <> reliability.failed_usd
    or coalesce(failed.failed_invoices, 0) <> reliability.failed_invoices
    or coalesce(by_reason.failed_invoices, 0) <> reliability.failed_invoices
    or coalesce(by_reason.failed_attempts, 0) <> reliability.failed_attempts
