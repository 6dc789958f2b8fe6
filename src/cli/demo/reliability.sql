with latest as (
    select *
    from {{ ref('mart_payment_reliability') }}
    order by month_start desc
    limit 6
)

select
    to_char(month_start, 'Mon YYYY') as "due in",
    to_char(invoices_attempted, 'FM999,999,990') as "charged",
    to_char(100 * first_attempt_failure_rate, 'FM990.0') || ' %' as "first try failed",
    to_char(avg_attempts, 'FM990.00') as "tries each",
    to_char(100 * recovery_rate, 'FM990.0') || ' %' as "recovered",
    to_char(100 * final_failure_rate, 'FM990.0') || ' %' as "finally failed",
    case when is_mature then 'final' else 'still open' end as "state"
from latest
order by month_start
