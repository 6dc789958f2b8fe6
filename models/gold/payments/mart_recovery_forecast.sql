{{ config(indexes=[{'columns': ['customer_id']}]) }}

-- Grain: one row per invoice in dunning: how likely it is paid by day 30 after its failure, from like episodes that were open
-- at the same age. Cells with few episodes lean on the reason's and the overall share (a Beta prior worth twenty).
with open_invoice as (

    select
        episode.episode_id,
        episode.customer_id,
        episode.subscription_id,
        episode.plan_id,
        episode.opened_at,
        episode.first_reason_category as reason_category,
        episode.first_failure_class as failure_class,
        episode.failed_attempts,
        episode.messages_sent,
        coalesce(attempt.method_type, 'unknown') as method_type,
        -- What is still open of it.
        episode.failed_usd - episode.recovered_usd as failed_usd,
        floor(extract(epoch from as_of.as_of_at - episode.opened_at) / 86400)::integer as age_days
    from {{ ref('fct_dunning_episode') }} as episode
    left join {{ ref('fct_payment_attempt') }} as attempt
        on attempt.invoice_id = episode.episode_id and attempt.attempt_number = 1
    cross join {{ ref('as_of') }} as as_of
    where episode.episode_outcome = 'in_dunning'

),

current_mrr as (

    select
        version.subscription_id,
        sum(version.mrr_net_usd) as mrr_net_usd
    from {{ ref('int_subscription_version') }} as version
    cross join {{ ref('as_of') }} as as_of
    where
        version.bears_mrr
        and version.valid_from < as_of.as_of_at
        and (version.valid_to is null or version.valid_to >= as_of.as_of_at)
    group by version.subscription_id

),

judged as (

    select
        open_invoice.*,
        -- A subscription with two open invoices is at risk once.
        case
            when row_number() over (partition by open_invoice.subscription_id order by open_invoice.opened_at, open_invoice.episode_id) = 1
                then coalesce(current_mrr.mrr_net_usd, 0.00)
            else 0.00
        end as mrr_at_risk_usd,
        coalesce(odds.episodes_open, 0) as like_episodes,
        coalesce(odds.recovery_probability, 0) as probability
    from open_invoice
    left join current_mrr on current_mrr.subscription_id = open_invoice.subscription_id
    -- From day 30 on there is nothing left to expect of the first 30 days.
    left join {{ ref('int_recovery_odds') }} as odds
        on odds.reason_category = open_invoice.reason_category
        and odds.method_type = open_invoice.method_type
        and odds.age_days = open_invoice.age_days

),

spread as (

    select
        judged.*,
        sqrt(probability * (1 - probability) / (like_episodes + 21)) as standard_error
    from judged

)

select
    episode_id,
    customer_id,
    subscription_id,
    plan_id,
    opened_at,
    age_days,
    reason_category,
    failure_class,
    method_type,
    failed_attempts,
    messages_sent,
    failed_usd,
    mrr_at_risk_usd,
    like_episodes,
    round(probability, 6) as recovery_rate,
    round(greatest(probability - 1.281552 * standard_error, 0), 6) as recovery_low_rate,
    round(least(probability + 1.281552 * standard_error, 1), 6) as recovery_high_rate,
    round(failed_usd * probability, 2) as expected_usd
from spread
