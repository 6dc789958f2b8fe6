-- T20: what was refunded of a payment or taken back in a dispute is at most the payment, and only of one that succeeded.
with taken as (

    select attempt_id, amount_minor, created_at as taken_at
    from {{ ref('fct_refund') }}
    union all
    select attempt_id, amount_minor, opened_at as taken_at
    from {{ ref('fct_dispute') }}

),

summed as (

    select
        attempt_id,
        sum(amount_minor) as taken_minor,
        min(taken_at) as first_taken_at
    from taken
    group by attempt_id

)

select
    attempt.attempt_id,
    attempt.outcome,
    attempt.amount_minor,
    summed.taken_minor
from summed
inner join {{ ref('fct_payment_attempt') }} as attempt on attempt.attempt_id = summed.attempt_id
where
    summed.taken_minor > attempt.amount_minor
    or attempt.outcome <> 'succeeded'
    or summed.first_taken_at < attempt.settled_at
