-- T20: what was refunded of a payment is at most the payment, and only a payment that succeeded is refunded.
with refunded as (

    select
        attempt_id,
        sum(amount_minor) as refunded_minor,
        min(created_at) as first_refund_at
    from {{ ref('fct_refund') }}
    group by attempt_id

)

select
    attempt.attempt_id,
    attempt.outcome,
    attempt.amount_minor,
    refunded.refunded_minor
from refunded
inner join {{ ref('fct_payment_attempt') }} as attempt on attempt.attempt_id = refunded.attempt_id
where
    refunded.refunded_minor > attempt.amount_minor
    or attempt.outcome <> 'succeeded'
    or refunded.first_refund_at < attempt.settled_at
