{{ config(indexes=[{'columns': ['customer_id']}]) }}

-- Grain: one row per customer and month in which it had a paid subscription at any time.
-- The baseline is the customer's own use per day over the three months before; a part month counts its days only.
with use_in_month as (

    select
        month.*,
        sum(active_user_days) over before as baseline_user_days,
        sum(covered_days) over before as baseline_days
    from {{ ref('fct_customer_month') }} as month
    window before as (partition by customer_id order by month_start rows between 3 preceding and 1 preceding)

),

feature_month as (

    select distinct
        customer_id,
        month_start,
        feature
    from {{ ref('int_user_month_event') }}
    where is_core_action

),

feature as (

    select
        customer_id,
        month_start,
        count(*)::integer as features_used
    from feature_month
    group by customer_id, month_start

),

compared as (

    select
        use_in_month.*,
        coalesce(feature.features_used, 0) as features_used,
        {{ rate('use_in_month.active_user_days', 'use_in_month.covered_days') }} as mean_daily_active_users,
        {{ rate('use_in_month.baseline_user_days', 'use_in_month.baseline_days') }} as baseline_daily_active_users
    from use_in_month
    left join feature
        on feature.customer_id = use_in_month.customer_id and feature.month_start = use_in_month.month_start
    where use_in_month.is_subscribed

),

changed as (

    select
        compared.*,
        {{ rate('mean_daily_active_users - baseline_daily_active_users', 'baseline_daily_active_users') }}
            as change_against_baseline
    from compared

)

select
    month_start,
    customer_id,
    plan_id,
    is_closed,
    tenure_months,
    covered_days,
    seats,
    active_users,
    active_days,
    active_user_days,
    sessions,
    core_actions,
    features_used,
    mean_daily_active_users,
    {{ rate('mean_daily_active_users', 'active_users') }} as stickiness_rate,
    baseline_daily_active_users,
    change_against_baseline,
    case
        when change_against_baseline is null then 'no_baseline'
        when change_against_baseline <= -0.5 then 'down'
        when change_against_baseline >= 0.5 then 'up'
        else 'flat'
    end as engagement_trend,
    cancel_page_views,
    cancel_requests,
    has_cancel_intent as cancel_intent
from changed
