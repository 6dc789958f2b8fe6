-- Grain: one row per customer, as of the data's last instant.
with current_subscription as (

    select
        version.customer_id,
        bool_or(version.state = 'active') as has_active,
        bool_or(version.state = 'past_due') as has_past_due,
        bool_or(version.state = 'trialing') as has_trial,
        bool_or(version.state = 'paused') as has_pause,
        sum(version.mrr_list_usd) as mrr_list_usd,
        sum(version.mrr_net_usd) as mrr_net_usd,
        sum(version.quantity) filter (where version.bears_mrr) as seats,
        (array_agg(version.plan_id order by version.bears_mrr desc, version.mrr_list_usd desc, version.subscription_id))[1]
            as plan_id,
        (array_agg(version.billing_interval order by version.bears_mrr desc, version.mrr_list_usd desc, version.subscription_id))[1]
            as billing_interval
    from {{ ref('int_subscription_version') }} as version
    cross join {{ ref('as_of') }} as as_of
    where version.valid_from < as_of.as_of_at and (version.valid_to is null or version.valid_to >= as_of.as_of_at)
    group by version.customer_id

),

last_churn as (

    select distinct on (customer_id)
        customer_id,
        occurred_at as last_churned_at,
        churn_kind as last_churn_kind,
        churn_reason as last_churn_reason
    from {{ ref('stg_churn_events') }}
    where event_type = 'churned'
    order by customer_id, occurred_at desc, event_id

),

invoiced as (

    select
        customer_id,
        count(*) filter (where is_billed) as invoices_billed,
        sum(billed_usd) as billed_usd,
        sum(collected_usd) as collected_usd,
        sum(collected_usd - refunded_usd - lost_disputes_usd) as collected_net_usd,
        sum(outstanding_usd) filter (where due_at < as_of.as_of_at) as past_due_usd,
        max(paid_at) as last_paid_at
    from {{ ref('fct_invoice') }}
    cross join {{ ref('as_of') }} as as_of
    group by customer_id

),

billing as (

    select
        episode.customer_id,
        count(*) as failure_episodes,
        max(episode.opened_at) as last_failed_at,
        bool_or(episode.episode_outcome = 'in_dunning') as is_in_dunning,
        bool_or(
            episode.episode_outcome in ('written_off', 'voided') and episode.closed_at >= as_of.as_of_at - interval '90 days'
        ) as is_exhausted,
        bool_or(
            episode.episode_outcome = 'recovered' and episode.closed_at >= as_of.as_of_at - interval '60 days'
        ) as is_recovered_recently,
        (array_agg(episode.first_reason_category order by episode.opened_at desc, episode.episode_id))[1] as last_failure_reason
    from {{ ref('fct_dunning_episode') }} as episode
    cross join {{ ref('as_of') }} as as_of
    group by episode.customer_id

),

used as (

    select
        user_day.customer_id,
        max(user_day.activity_date) filter (where user_day.is_active) as last_active_date,
        count(*) filter (where user_day.is_active and user_day.activity_date >= as_of.as_of_date - 28) as user_days_28d,
        count(*) filter (
            where user_day.is_active
            and user_day.activity_date >= as_of.as_of_date - 56 and user_day.activity_date < as_of.as_of_date - 28
        ) as user_days_28d_before,
        count(distinct user_day.user_id) filter (
            where user_day.is_active and user_day.activity_date >= as_of.as_of_date - 28
        ) as active_users_28d
    from {{ ref('fct_user_day') }} as user_day
    cross join {{ ref('as_of') }} as as_of
    group by user_day.customer_id

),

intent as (

    select
        day.customer_id,
        max(day.intent_date) as last_cancel_intent_date,
        bool_or(day.intent_date >= as_of.as_of_date - 28) as has_cancel_intent_28d
    from {{ ref('int_cancel_intent_day') }} as day
    cross join {{ ref('as_of') }} as as_of
    group by day.customer_id

),

joined as (

    select
        customer.*,
        as_of.as_of_date,
        case
            when current_subscription.has_past_due then 'past_due'
            when current_subscription.has_active then 'active'
            when current_subscription.has_trial then 'trialing'
            when current_subscription.has_pause then 'paused'
            when customer.first_activated_at is null then 'never_activated'
            else 'churned'
        end as customer_state,
        current_subscription.plan_id,
        current_subscription.billing_interval,
        coalesce(current_subscription.seats, 0) as seats,
        coalesce(current_subscription.mrr_list_usd, 0.00) as mrr_list_usd,
        coalesce(current_subscription.mrr_net_usd, 0.00) as mrr_net_usd,
        last_churn.last_churned_at,
        last_churn.last_churn_kind,
        last_churn.last_churn_reason,
        coalesce(invoiced.invoices_billed, 0) as invoices_billed,
        coalesce(invoiced.billed_usd, 0.00) as billed_usd,
        coalesce(invoiced.collected_usd, 0.00) as collected_usd,
        coalesce(invoiced.collected_net_usd, 0.00) as collected_net_usd,
        coalesce(invoiced.past_due_usd, 0.00) as past_due_usd,
        invoiced.last_paid_at,
        coalesce(billing.failure_episodes, 0) as failure_episodes,
        billing.last_failed_at,
        billing.last_failure_reason,
        case
            when billing.is_in_dunning then 'in_dunning'
            when billing.is_exhausted then 'exhausted'
            when billing.is_recovered_recently then 'recovered_recently'
            else 'clean'
        end as billing_state,
        used.last_active_date,
        coalesce(used.active_users_28d, 0) as active_users_28d,
        coalesce(used.user_days_28d, 0) as user_days_28d,
        coalesce(used.user_days_28d_before, 0) as user_days_28d_before,
        intent.last_cancel_intent_date,
        coalesce(intent.has_cancel_intent_28d, false) as cancel_intent
    from {{ ref('dim_customer') }} as customer
    cross join {{ ref('as_of') }} as as_of
    left join current_subscription on current_subscription.customer_id = customer.customer_id
    left join last_churn on last_churn.customer_id = customer.customer_id
    left join invoiced on invoiced.customer_id = customer.customer_id
    left join billing on billing.customer_id = customer.customer_id
    left join used on used.customer_id = customer.customer_id
    left join intent on intent.customer_id = customer.customer_id

),

classified as (

    select
        joined.*,
        {{ rate('user_days_28d - user_days_28d_before', 'user_days_28d_before') }} as usage_change_28d,
        case
            when user_days_28d_before = 0 then 'no_baseline'
            when user_days_28d <= user_days_28d_before * 0.5 then 'down'
            when user_days_28d >= user_days_28d_before * 1.5 then 'up'
            else 'flat'
        end as engagement_trend
    from joined

),

segmented as (

    select
        classified.*,
        case
            when customer_state in ('churned', 'never_activated', 'trialing', 'paused') then customer_state
            when cancel_intent and billing_state in ('in_dunning', 'exhausted') then 'leaving_with_open_payment'
            when cancel_intent then 'leaving'
            when billing_state in ('in_dunning', 'exhausted') and engagement_trend = 'down' then 'fading_with_open_payment'
            when billing_state in ('in_dunning', 'exhausted') then 'payment_at_risk'
            when engagement_trend = 'down' then 'fading'
            when billing_state = 'recovered_recently' then 'recovered_recently'
            else 'healthy'
        end as segment
    from classified

),

-- A rule that people can check, not a model: points add up, at most 100, and each is named in the reasons.
scored as (

    select
        segmented.*,
        rfm.rfm_segment,
        round(segmented.mrr_net_usd * {{ var('gross_margin_rate') }} * ltv.expected_months, 2) as ltv_survival_usd,
        case when segmented.cancel_intent then 35 else 0 end as intent_points,
        case when segmented.billing_state in ('in_dunning', 'exhausted') then 25 else 0 end as payment_points,
        case when segmented.engagement_trend = 'down' then 20 else 0 end as usage_points,
        case when segmented.billing_state = 'recovered_recently' then 10 else 0 end as recovered_points,
        case when segmented.as_of_date - segmented.first_activated_date < 90 then 10 else 0 end as tenure_points
    from segmented
    left join {{ ref('mart_segments') }} as rfm on rfm.customer_id = segmented.customer_id
    left join {{ ref('mart_ltv_survival') }} as ltv on ltv.stratum = 'plan' and ltv.stratum_value = segmented.plan_id

)

select
    customer_id,
    as_of_date,
    case when is_deleted then '(deleted)' else company_name end as company_name,
    industry,
    company_size,
    country,
    channel,
    signup_date,
    first_activated_date,
    customer_state,
    plan_id,
    billing_interval,
    seats,
    mrr_list_usd,
    mrr_net_usd,
    case when first_activated_date is not null then as_of_date - first_activated_date end as tenure_days,
    last_churned_at,
    last_churn_kind,
    last_churn_reason,
    invoices_billed,
    billed_usd,
    collected_usd,
    collected_net_usd,
    past_due_usd,
    last_paid_at,
    billing_state,
    failure_episodes,
    last_failed_at,
    last_failure_reason,
    last_active_date,
    active_users_28d,
    user_days_28d,
    user_days_28d_before,
    usage_change_28d,
    engagement_trend,
    cancel_intent,
    last_cancel_intent_date,
    segment,
    rfm_segment,
    ltv_survival_usd,
    case
        when customer_state in ('active', 'past_due')
            then intent_points + payment_points + usage_points + recovered_points + tenure_points
    end as risk_score,
    case
        when customer_state in ('active', 'past_due') then concat_ws(
            '; ',
            case when intent_points > 0 then 'thinks of cancelling (' || intent_points || ')' end,
            case when payment_points > 0 then 'payment failed and is not settled (' || payment_points || ')' end,
            case when usage_points > 0 then 'use fell by half (' || usage_points || ')' end,
            case when recovered_points > 0 then 'payment failed lately (' || recovered_points || ')' end,
            case when tenure_points > 0 then 'with us for less than 90 days (' || tenure_points || ')' end
        )
    end as risk_reasons,
    case segment
        when 'leaving_with_open_payment' then 'call'
        when 'leaving' then 'call'
        when 'fading_with_open_payment' then 'call'
        when 'payment_at_risk' then 'fix_payment'
        when 'fading' then 're_engage'
        when 'recovered_recently' then 'watch'
        when 'trialing' then 'help_to_activate'
        when 'churned' then 'win_back'
        when 'paused' then 'ask_to_resume'
        else 'none'
    end as next_action
from scored
