-- Why do payments fail? Reasons of the last three mature months, by value.
with recent as (

    select month_start
    from {{ ref('dim_month') }}
    where is_mature
    order by month_start desc
    limit 3

),

summed as (

    select
        reason.reason_category,
        max(reason.failure_class) as failure_class,
        sum(reason.failed_invoices) as failed_invoices,
        sum(reason.failed_usd) as failed_usd,
        sum(reason.recovered_usd) as recovered_usd,
        sum(reason.written_off_usd) as lost_usd
    from {{ ref('mart_failure_reason_monthly') }} as reason
    inner join recent on recent.month_start = reason.month_start
    group by reason.reason_category

)

select
    reason_category,
    failure_class,
    failed_invoices,
    round(failed_invoices / sum(failed_invoices) over (), 3) as share,
    failed_usd,
    round(recovered_usd / nullif(failed_usd, 0), 3) as recovered_value_rate,
    lost_usd
from summed
order by failed_usd desc
