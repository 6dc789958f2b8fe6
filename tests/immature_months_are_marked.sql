-- A month counts as mature only if every invoice due in it has had its 30 days, so its final failures no longer move.
select
    reliability.month_start,
    max(invoice.due_at) as last_due_at
from {{ ref('mart_payment_reliability') }} as reliability
inner join {{ ref('fct_invoice') }} as invoice on invoice.due_month = reliability.month_start
cross join {{ ref('as_of') }} as as_of
where reliability.is_mature
group by reliability.month_start, as_of.as_of_at
having max(invoice.due_at) + interval '{{ var("maturity_days") }} days' > as_of.as_of_at
