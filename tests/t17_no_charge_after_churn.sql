-- T17: nothing is charged after its subscription has ended.
select
    attempt.attempt_id,
    attempt.subscription_id,
    attempt.attempted_at,
    subscription.ended_at
from {{ ref('fct_payment_attempt') }} as attempt
inner join {{ ref('stg_subscriptions') }} as subscription on subscription.subscription_id = attempt.subscription_id
where attempt.attempted_at > subscription.ended_at
