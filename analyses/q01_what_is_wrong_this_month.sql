-- What is wrong this month? The failure rate of each of the last six months beside the six before it.
select
    month_start,
    invoices_attempted as charged,
    first_attempt_failures as failed_first,
    first_attempt_failure_rate as failure_rate,
    round(
        sum(first_attempt_failures) over (order by month_start rows between 6 preceding and 1 preceding)::numeric
        / nullif(sum(invoices_attempted) over (order by month_start rows between 6 preceding and 1 preceding), 0), 6
    ) as usual_rate,
    avg_attempts,
    recovery_rate,
    is_mature
from {{ ref('mart_payment_reliability') }}
order by month_start desc
limit 6
