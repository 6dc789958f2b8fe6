-- Grain: one row per horizon in days and kind of churn (voluntary, total).
-- The relative risk is Mantel-Haenszel's over strata of plan, interval, tenure band and month; its 95 % interval uses
-- Greenland and Robins' variance. Strata without both groups say nothing and drop out of it by themselves.
with horizon as (

    select horizon_days
    from (values (30), (60), (90)) as listed (horizon_days)

),

watched as (

    select
        horizon.horizon_days,
        landmark.is_exposed,
        landmark.plan_id,
        landmark.billing_interval,
        landmark.tenure_band,
        landmark.due_month,
        coalesce(
            landmark.voluntary_churned_at <= landmark.landmark_at + horizon.horizon_days * interval '1 day', false
        ) as churned_voluntarily,
        coalesce(
            landmark.churned_at <= landmark.landmark_at + horizon.horizon_days * interval '1 day', false
        ) as churned
    from {{ ref('int_payment_landmark') }} as landmark
    cross join horizon
    cross join {{ ref('as_of') }} as as_of
    where landmark.landmark_at + horizon.horizon_days * interval '1 day' <= as_of.as_of_at

),

stratum as (

    select
        watched.horizon_days,
        kind.churn_kind,
        count(*) filter (where watched.is_exposed)::numeric as exposed,
        count(*) filter (where not watched.is_exposed)::numeric as control,
        count(*) filter (
            where watched.is_exposed
            and case kind.churn_kind when 'total' then watched.churned else watched.churned_voluntarily end
        )::numeric as exposed_churned,
        count(*) filter (
            where not watched.is_exposed
            and case kind.churn_kind when 'total' then watched.churned else watched.churned_voluntarily end
        )::numeric as control_churned
    from watched
    cross join (values ('voluntary'), ('total')) as kind (churn_kind)
    group by
        watched.horizon_days,
        kind.churn_kind,
        watched.plan_id,
        watched.billing_interval,
        watched.tenure_band,
        watched.due_month

),

summed as (

    select
        horizon_days,
        churn_kind,
        sum(exposed) as exposed,
        sum(control) as control,
        sum(exposed_churned) as exposed_churned,
        sum(control_churned) as control_churned,
        sum(exposed_churned * control / (exposed + control)) as risk_exposed,
        sum(control_churned * exposed / (exposed + control)) as risk_control,
        sum(
            (
                (exposed_churned + control_churned) * exposed * control
                - exposed_churned * control_churned * (exposed + control)
            ) / (exposed + control) ^ 2
        ) as spread
    from stratum
    group by horizon_days, churn_kind

),

compared as (

    select
        summed.*,
        case when risk_exposed > 0 and risk_control > 0 then ln(risk_exposed / risk_control) end as log_relative_risk,
        case
            when risk_exposed > 0 and risk_control > 0 then sqrt(greatest(spread, 0) / (risk_exposed * risk_control))
        end as log_standard_error
    from summed

)

select
    horizon_days,
    churn_kind,
    exposed::bigint as exposed,
    exposed_churned::bigint as exposed_churned,
    control::bigint as control,
    control_churned::bigint as control_churned,
    {{ rate('exposed_churned', 'exposed') }} as exposed_churn_rate,
    {{ rate('control_churned', 'control') }} as control_churn_rate,
    round(exp(log_relative_risk), 4) as relative_risk,
    round(exp(log_relative_risk - 1.959964 * log_standard_error), 4) as relative_risk_low,
    round(exp(log_relative_risk + 1.959964 * log_standard_error), 4) as relative_risk_high
from compared
