{{ config(indexes=[{'columns': ['metric', 'cut_value', 'activity_date'], 'unique': true}]) }}

-- Grain: one row per metric, value of its cut and day, days without anything included: the counts that alerts watch. Days are
-- those on which it happened, so a late row changes its own day and not today. Failures are those of first attempts: a retry that
-- fails again echoes them, and echoes come in bursts. What can only happen to payments is counted from the first of them on: a
-- reason that was never seen before is loud on its first day.
with counted as (

    select
        'first_failures' as metric,
        reason_category as cut_value,
        attempted_date as activity_date,
        count(*) as value
    from {{ ref('fct_payment_attempt') }}
    where is_failed and attempt_number = 1
    group by reason_category, attempted_date
    union all
    select
        'first_failures_by_plan' as metric,
        plan_id || ' / ' || reason_category as cut_value,
        attempted_date as activity_date,
        count(*) as value
    from {{ ref('fct_payment_attempt') }}
    where is_failed and attempt_number = 1
    group by plan_id, reason_category, attempted_date
    union all
    select
        'attempts' as metric,
        'ALL' as cut_value,
        attempted_date as activity_date,
        count(*) as value
    from {{ ref('fct_payment_attempt') }}
    group by attempted_date
    union all
    select
        'signups' as metric,
        'ALL' as cut_value,
        signup_date as activity_date,
        count(*) as value
    from {{ ref('dim_customer') }}
    group by signup_date
    union all
    select
        'cancel_requests' as metric,
        'ALL' as cut_value,
        occurred_date as activity_date,
        count(*) as value
    from {{ ref('stg_churn_events') }}
    where event_type = 'cancel_requested'
    group by occurred_date
    union all
    select
        'refunds' as metric,
        'ALL' as cut_value,
        succeeded_date as activity_date,
        count(*) as value
    from {{ ref('fct_refund') }}
    where is_succeeded
    group by succeeded_date
    union all
    select
        'active_users' as metric,
        'ALL' as cut_value,
        activity_date,
        count(*) as value
    from {{ ref('fct_user_day') }}
    where is_active
    group by activity_date

),

listed as (

    select
        metric,
        cut_value,
        case
            when metric in ('first_failures', 'first_failures_by_plan', 'refunds')
                then (select min(attempted_date) from {{ ref('fct_payment_attempt') }})
            else min(activity_date)
        end as first_date
    from counted
    group by metric, cut_value

),

-- Quiet days come in as zeros, see mart_active_users.
every_day as (

    select metric, cut_value, activity_date, value
    from counted
    union all
    select listed.metric, listed.cut_value, day.date_day, 0
    from listed
    cross join {{ ref('as_of') }} as as_of
    inner join {{ ref('dim_date') }} as day on day.date_day >= listed.first_date and day.date_day < as_of.as_of_date

)

select
    every_day.metric,
    every_day.cut_value,
    every_day.activity_date,
    sum(every_day.value)::bigint as value
from every_day
cross join {{ ref('as_of') }} as as_of
where every_day.activity_date < as_of.as_of_date
group by every_day.metric, every_day.cut_value, every_day.activity_date
