-- T2: closing(m-1) = opening(m), for each cut and value, to the cent and to the customer.
with followed as (

    select
        month_start,
        cut,
        cut_value,
        closing_usd,
        closing_customers,
        lead(opening_usd) over in_time as next_opening_usd,
        lead(opening_customers) over in_time as next_opening_customers,
        lead(month_start) over in_time as next_month
    from {{ ref('mart_mrr_movements') }}
    window in_time as (partition by cut, cut_value order by month_start)

)

select *
from followed
where
    next_month is not null
    and (
        next_month <> (month_start + interval '1 month')::date
        or next_opening_usd <> closing_usd
        or next_opening_customers <> closing_customers
    )
