-- Which open invoices deserve a person's time first? By what is at stake beyond what comes back by itself.
select
    episode_id as invoice,
    plan_id,
    age_days,
    reason_category,
    failed_attempts as tries,
    failed_usd,
    recovery_rate as chance,
    expected_usd,
    failed_usd - expected_usd as at_stake_usd
from {{ ref('mart_recovery_forecast') }}
order by at_stake_usd desc
limit 5
