-- Grain: one row per stratum and day t on which a first paying life of it ended, and t = 0: the Kaplan-Meier estimate of the
-- share that is still with us after t days, Greenwood's standard error and the log-log 95 % interval.
with life as (

    select
        stratum.stratum,
        stratum.stratum_value,
        lifetime.duration_days,
        lifetime.is_ended
    from {{ ref('int_customer_lifetime') }} as lifetime
    cross join lateral (
        values
            ('all', 'ALL'),
            ('plan', lifetime.plan_id),
            ('interval', lifetime.billing_interval),
            ('channel', lifetime.channel),
            ('discount', case when lifetime.had_discount then 'with' else 'without' end)
    ) as stratum (stratum, stratum_value)

),

day as (

    select
        stratum,
        stratum_value,
        duration_days as t_days,
        count(*) as left_at_t,
        count(*) filter (where is_ended) as ended
    from life
    group by stratum, stratum_value, duration_days

),

exposed as (

    select
        day.*,
        sum(left_at_t) over (partition by stratum, stratum_value order by t_days desc) as at_risk
    from day

),

stepped as (

    select
        exposed.*,
        -- A product as a sum of logarithms; once nobody is left the estimate is zero and stays there.
        sum(case when ended < at_risk then ln(1 - ended::numeric / at_risk) else 0 end) over up_to_here as log_survival,
        bool_or(ended = at_risk) over up_to_here as is_over,
        sum(case when ended < at_risk then ended::numeric / (at_risk * (at_risk - ended)) end) over up_to_here as greenwood
    from exposed
    window up_to_here as (partition by stratum, stratum_value order by t_days)

),

estimated as (

    select
        stratum,
        stratum_value,
        t_days,
        at_risk,
        ended,
        case when is_over then 0 else exp(log_survival) end as survival,
        coalesce(greenwood, 0) as greenwood
    from stepped
    where ended > 0
    union all
    select
        stratum,
        stratum_value,
        0 as t_days,
        count(*) as at_risk,
        0 as ended,
        1 as survival,
        0 as greenwood
    from life
    group by stratum, stratum_value
    having min(duration_days) > 0 or count(*) filter (where duration_days = 0 and is_ended) = 0

)

select
    stratum,
    stratum_value,
    t_days,
    at_risk::bigint as at_risk,
    ended::bigint as ended,
    round(survival, 6) as survival_rate,
    round(survival * sqrt(greenwood), 6) as standard_error,
    case
        when survival in (0, 1) then round(survival, 6)
        else round(exp(ln(survival) * exp(1.959964 * sqrt(greenwood) / -ln(survival))), 6)
    end as survival_low_rate,
    case
        when survival in (0, 1) then round(survival, 6)
        else round(exp(ln(survival) * exp(-1.959964 * sqrt(greenwood) / -ln(survival))), 6)
    end as survival_high_rate
from estimated
