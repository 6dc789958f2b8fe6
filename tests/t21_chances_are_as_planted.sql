{{ config(tags=['truth']) }}

-- T21: counted chances agree with the planted ones: the score interval that misses once in five thousand holds the planted value.
with first_failure as (

    select
        attempt.invoice_id,
        attempt.decline_code
    from {{ ref('fct_payment_attempt') }} as attempt
    where attempt.is_auto_charged and attempt.attempt_number = 1 and attempt.is_failed

),

retry as (

    select
        case
            when failure.decline_code = 'insufficient_funds' then 'card/funds'
            when failure.decline_code = 'do_not_honor' then 'card/do_not_honor'
            when failure.decline_code in ('generic_decline', 'try_again_later', 'unknown') then 'card/generic'
            when failure.decline_code in ('processing_error', 'issuer_not_available', 'reenter_transaction') then 'card/technical'
            when failure.decline_code in ('card_velocity_exceeded', 'withdrawal_count_limit_exceeded') then 'card/velocity'
            when failure.decline_code = 'R01' then 'bank/funds'
        end as segment,
        attempt.outcome = 'succeeded' as happened
    from first_failure as failure
    inner join {{ ref('fct_payment_attempt') }} as attempt on attempt.invoice_id = failure.invoice_id
    where attempt.attempt_number = 2 and attempt.initiator = 'retry' and attempt.is_terminal

),

counted as (

    select
        'retry_success:' || segment as effect_id,
        count(*) as n,
        avg(happened::integer) as share
    from retry
    where segment is not null
    group by segment

),

judged as (

    select
        counted.effect_id,
        counted.n,
        counted.share,
        planted.value as planted,
        abs(counted.share - planted.value) / sqrt(planted.value * (1 - planted.value) / counted.n) as z
    from counted
    inner join {{ source('truth', 'effects') }} as planted on planted.effect_id = counted.effect_id
    where counted.n >= 10

)

select *
from judged
where z > 3.72
