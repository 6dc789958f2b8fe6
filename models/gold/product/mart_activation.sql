-- Grain: one row per month of signup: how many customers took up the product in their first 14 days (core actions on three days or
-- more), and how many paid within 30 days, with and without that. Null until the whole month has had its days.
with first_use as (

    select
        customer.customer_id,
        count(distinct user_day.activity_date) as active_days,
        count(distinct user_day.user_id) as active_users
    from {{ ref('dim_customer') }} as customer
    inner join {{ ref('fct_user_day') }} as user_day
        on user_day.customer_id = customer.customer_id
        and user_day.is_active
        and user_day.activity_date >= customer.signup_date
        and user_day.activity_date < customer.signup_date + 14
    group by customer.customer_id

),

trial as (

    select
        customer_id,
        bool_or(trial_start is not null) as had_trial
    from {{ ref('stg_subscriptions') }}
    group by customer_id

),

described as (

    select
        customer.signup_month,
        coalesce(trial.had_trial, false) as had_trial,
        coalesce(first_use.active_days, 0) >= 3 as is_activated,
        coalesce(first_use.active_users, 0) >= 2 as is_team,
        coalesce(customer.first_activated_at <= customer.signup_at + interval '30 days', false) as is_paid
    from {{ ref('dim_customer') }} as customer
    left join first_use on first_use.customer_id = customer.customer_id
    left join trial on trial.customer_id = customer.customer_id

),

counted as (

    select
        described.signup_month,
        month.month_end + 30 <= as_of.as_of_date as is_observable,
        count(*) as signups,
        count(*) filter (where described.had_trial) as trials,
        count(*) filter (where described.is_activated) as activated,
        count(*) filter (where described.is_team) as teams,
        count(*) filter (where described.is_paid) as paid,
        count(*) filter (where described.is_paid and described.had_trial) as paid_after_trial,
        count(*) filter (where described.is_paid and described.is_activated) as paid_activated
    from described
    inner join {{ ref('dim_month') }} as month on month.month_start = described.signup_month
    cross join {{ ref('as_of') }} as as_of
    group by described.signup_month, month.month_end, as_of.as_of_date

)

select
    signup_month,
    is_observable,
    signups,
    trials,
    case when is_observable then activated end as activated_14d,
    case when is_observable then teams end as teams_14d,
    case when is_observable then paid end as paid_30d,
    case when is_observable then {{ rate('activated', 'signups') }} end as activation_rate,
    case when is_observable then {{ rate('paid', 'signups') }} end as paid_rate,
    case when is_observable then {{ rate('paid_after_trial', 'trials') }} end as trial_conversion_rate,
    case when is_observable then {{ rate('paid_activated', 'activated') }} end as paid_of_activated_rate,
    case when is_observable then {{ rate('paid - paid_activated', 'signups - activated') }} end as paid_of_others_rate
from counted
