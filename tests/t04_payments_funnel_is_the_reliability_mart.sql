-- T4, T9: the funnel's steps are the sums of the payment reliability mart, and its ends make up what failed.
with funnel as (

    select
        month_start,
        max(invoices) filter (where step = 'billed') as invoices,
        max(invoices) filter (where step = 'attempted') as invoices_attempted,
        max(invoices) filter (where step = 'failed') as failed_invoices,
        max(amount_usd) filter (where step = 'failed') as failed_usd,
        sum(amount_usd) filter (where step in ('recovered', 'in_dunning', 'voided', 'leaked')) as ended_usd,
        max(amount_usd) filter (where step = 'leaked') as written_off_usd
    from {{ ref('mart_payments_funnel') }}
    group by month_start

)

select
    funnel.*,
    reliability.failed_usd as reliability_failed_usd
from funnel
left join {{ ref('mart_payment_reliability') }} as reliability on reliability.month_start = funnel.month_start
where
    funnel.failed_usd <> funnel.ended_usd
    or (
        funnel.invoices, funnel.invoices_attempted, funnel.failed_invoices, funnel.failed_usd, funnel.written_off_usd
    ) is distinct from (
        reliability.invoices, reliability.invoices_attempted, reliability.failed_invoices, reliability.failed_usd,
        reliability.written_off_usd
    )
