-- T8: attempts >= failures; numbers run 1, 2, ... without gaps; at most one success per invoice, and nothing after it.
with counted as (

    select
        invoice_id,
        count(*) as attempts,
        count(*) filter (where is_failed) as failures,
        count(*) filter (where outcome = 'succeeded') as successes,
        min(attempt_number) as first_number,
        max(attempt_number) as last_number,
        count(distinct attempt_number) as numbers,
        max(attempt_number) filter (where outcome = 'succeeded') as succeeded_number,
        bool_and(in_time) as in_time
    from (
        select
            invoice_id,
            attempt_number,
            outcome,
            is_failed,
            attempted_at >= lag(attempted_at, 1, '-infinity') over (
                partition by invoice_id order by attempt_number
            ) as in_time
        from {{ ref('fct_payment_attempt') }}
    ) as attempt
    group by invoice_id

)

select *
from counted
where
    failures > attempts
    or first_number <> 1
    or last_number <> attempts
    or numbers <> attempts
    or successes > 1
    or succeeded_number < last_number
    or not in_time
