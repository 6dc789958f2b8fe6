-- T8: attempts >= failures; numbers run 1, 2, ... without gaps; nothing is tried once all is paid, and no part is paid beyond it.
with counted as (

    select
        invoice_id,
        count(*) as attempts,
        count(*) filter (where is_failed) as failures,
        min(attempt_number) as first_number,
        max(attempt_number) as last_number,
        count(distinct attempt_number) as numbers,
        bool_or(paid_before_minor >= amount_due_minor) as is_tried_when_paid,
        bool_or(paid_before_minor + amount_minor > amount_due_minor and outcome = 'succeeded') as is_paid_too_much,
        bool_and(in_time) as in_time
    from (
        select
            attempt.invoice_id,
            attempt_number,
            outcome,
            is_failed,
            attempt.amount_minor,
            invoice.amount_due_minor,
            coalesce(sum(attempt.amount_minor) filter (where outcome = 'succeeded') over (
                partition by attempt.invoice_id order by attempt_number rows between unbounded preceding and 1 preceding
            ), 0) as paid_before_minor,
            attempted_at >= lag(attempted_at, 1, '-infinity') over (
                partition by attempt.invoice_id order by attempt_number
            ) as in_time
        from {{ ref('fct_payment_attempt') }} as attempt
        inner join {{ ref('fct_invoice') }} as invoice on invoice.invoice_id = attempt.invoice_id
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
    or is_tried_when_paid
    or is_paid_too_much
    or not in_time
