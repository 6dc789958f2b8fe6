-- Grain: one row per lag in whole months (-3 to 6) from the month of a failure. Failures in one month count once a customer.
with exposed as (

    select distinct
        customer_id,
        due_month
    from {{ ref('fct_dunning_episode') }}

),

lagged as (

    select
        lag.lag_months,
        month.active_user_days,
        month.covered_days,
        month.has_cancel_intent,
        month.voluntary_churns > 0 as churned_voluntarily,
        month.involuntary_churns > 0 as churned_involuntarily
    from exposed
    cross join generate_series(-3, 6) as lag (lag_months)
    inner join {{ ref('fct_customer_month') }} as month
        on month.customer_id = exposed.customer_id
        and month.month_start = (exposed.due_month + lag.lag_months * interval '1 month')::date
    -- Only months that are over, in which the customer was still with us: who has left can leave no more.
    where month.is_closed and month.is_subscribed

),

counted as (

    select
        lag_months,
        count(*) as customer_months,
        sum(active_user_days) as active_user_days,
        sum(covered_days) as covered_days,
        count(*) filter (where has_cancel_intent) as cancel_intents,
        count(*) filter (where churned_voluntarily) as voluntary_churns,
        count(*) filter (where churned_involuntarily) as involuntary_churns
    from lagged
    group by lag_months

)

select
    lag_months,
    customer_months,
    cancel_intents,
    voluntary_churns,
    involuntary_churns,
    {{ rate('active_user_days', 'covered_days', 4) }} as mean_daily_active_users,
    {{ rate('cancel_intents', 'customer_months') }} as cancel_intent_rate,
    {{ rate('voluntary_churns', 'customer_months') }} as voluntary_churn_rate,
    {{ rate('involuntary_churns', 'customer_months') }} as involuntary_churn_rate
from counted
