-- Grain: one row per failure episode: what the customer did after the first failure, and how far we can see by now.
-- Failure leads to involuntary churn by definition: only voluntary churn and cancel intent are a signal.
with intent as (

    select
        episode.episode_id,
        min(day.intent_date) as first_intent_date
    from {{ ref('fct_dunning_episode') }} as episode
    inner join {{ ref('int_cancel_intent_day') }} as day
        on day.customer_id = episode.customer_id and day.intent_date > episode.opened_date
    group by episode.episode_id

),

churn as (

    select
        episode.episode_id,
        min(event.occurred_at) filter (where event.churn_kind = 'voluntary') as voluntary_churned_at,
        min(event.occurred_at) filter (where event.churn_kind = 'involuntary') as involuntary_churned_at,
        min(event.occurred_at) as churned_at
    from {{ ref('fct_dunning_episode') }} as episode
    inner join {{ ref('stg_churn_events') }} as event
        on event.customer_id = episode.customer_id and event.occurred_at > episode.opened_at
    where event.event_type = 'churned'
    group by episode.episode_id

),

lagged as (

    select
        episode.*,
        landmark.tenure_months,
        landmark.tenure_band,
        -- Two invoices can fail in one month: only the first is a landmark of the comparison.
        landmark.invoice_id is not distinct from episode.episode_id as is_landmark,
        as_of.as_of_at - episode.opened_at as seen_for,
        intent.first_intent_date - episode.opened_date as days_to_cancel_intent,
        extract(epoch from churn.voluntary_churned_at - episode.opened_at) / 86400.0 as days_to_voluntary_churn,
        extract(epoch from churn.involuntary_churned_at - episode.opened_at) / 86400.0 as days_to_involuntary_churn,
        extract(epoch from churn.churned_at - episode.opened_at) / 86400.0 as days_to_churn
    from {{ ref('fct_dunning_episode') }} as episode
    cross join {{ ref('as_of') }} as as_of
    left join {{ ref('int_payment_landmark') }} as landmark
        on landmark.customer_id = episode.customer_id and landmark.due_month = episode.due_month
    left join intent on intent.episode_id = episode.episode_id
    left join churn on churn.episode_id = episode.episode_id

)

select
    episode_id,
    customer_id,
    plan_id,
    billing_interval,
    tenure_months,
    tenure_band,
    is_landmark,
    due_month,
    opened_at,
    closed_at,
    episode_outcome,
    first_reason_category,
    first_failure_class,
    failed_usd,
    attempts,
    days_to_recovery,
    days_to_cancel_intent,
    round(days_to_voluntary_churn, 3) as days_to_voluntary_churn,
    round(days_to_involuntary_churn, 3) as days_to_involuntary_churn,
    seen_for >= interval '30 days' as is_observable_30d,
    seen_for >= interval '60 days' as is_observable_60d,
    seen_for >= interval '90 days' as is_observable_90d,
    -- NULL until the window has passed: not yet seen is not the same as did not happen.
    case when seen_for >= interval '30 days' then coalesce(days_to_cancel_intent <= 30, false) end as cancel_intent_30d,
    case when seen_for >= interval '30 days' then coalesce(days_to_voluntary_churn <= 30, false) end as voluntary_churn_30d,
    case when seen_for >= interval '60 days' then coalesce(days_to_voluntary_churn <= 60, false) end as voluntary_churn_60d,
    case when seen_for >= interval '90 days' then coalesce(days_to_voluntary_churn <= 90, false) end as voluntary_churn_90d,
    case when seen_for >= interval '30 days' then coalesce(days_to_churn <= 30, false) end as churn_30d,
    case when seen_for >= interval '60 days' then coalesce(days_to_churn <= 60, false) end as churn_60d,
    case when seen_for >= interval '90 days' then coalesce(days_to_churn <= 90, false) end as churn_90d
from lagged
