-- Which plan fails most? First tries of the last three closed months, with Wilson's 95 % interval.
with recent as (

    select month_start
    from {{ ref('dim_month') }}
    where is_closed
    order by month_start desc
    limit 3

),

counted as (

    select
        reliability.plan_id,
        sum(reliability.invoices_attempted)::numeric as n,
        sum(reliability.first_attempt_failures)::numeric as x
    from {{ ref('mart_payment_reliability_plan_monthly') }} as reliability
    inner join recent on recent.month_start = reliability.month_start
    group by reliability.plan_id

)

select
    plan_id,
    n as charged,
    x as failed_first,
    round(x / n, 4) as failure_rate,
    round((x / n + 1.9208 / n - 1.96 * sqrt(x / n * (1 - x / n) / n + 0.9604 / n ^ 2)) / (1 + 3.8416 / n), 4) as low,
    round((x / n + 1.9208 / n + 1.96 * sqrt(x / n * (1 - x / n) / n + 0.9604 / n ^ 2)) / (1 + 3.8416 / n), 4) as high
from counted
where n > 0
order by failure_rate desc
