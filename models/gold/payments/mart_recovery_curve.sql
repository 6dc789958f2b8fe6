-- Grain: one row per stratum (all, or a reason of first failure) and day 0 to 30 after the failure: the share paid by then,
-- 1 - Kaplan-Meier, with open invoices censored. What was written off or voided was seen not to be paid: it stays at risk.
with episode as (

    select
        stratum.stratum,
        stratum.stratum_value,
        episode.failed_usd,
        case
            when episode.episode_outcome = 'recovered' then ceil(episode.days_to_recovery)::integer
            when episode.episode_outcome = 'in_dunning' then floor(extract(epoch from as_of.as_of_at - episode.opened_at) / 86400)::integer
            else 1000
        end as t_days,
        episode.episode_outcome = 'recovered' as is_recovered
    from {{ ref('fct_dunning_episode') }} as episode
    cross join {{ ref('as_of') }} as as_of
    cross join lateral (
        values ('all', 'ALL'), ('reason', episode.first_reason_category)
    ) as stratum (stratum, stratum_value)

),

day as (

    select
        stratum,
        stratum_value,
        t_days,
        count(*) as left_at_t,
        count(*) filter (where is_recovered) as recovered
    from episode
    group by stratum, stratum_value, t_days

),

spine as (

    select
        listed.stratum,
        listed.stratum_value,
        t.t_days
    from (select distinct stratum, stratum_value from day) as listed
    cross join generate_series(0, 30) as t (t_days)
    union
    select stratum, stratum_value, t_days from day

),

exposed as (

    select
        spine.stratum,
        spine.stratum_value,
        spine.t_days,
        coalesce(day.recovered, 0) as recovered,
        coalesce(sum(day.left_at_t) over (
            partition by spine.stratum, spine.stratum_value order by spine.t_days desc
        ), 0) as at_risk
    from spine
    left join day
        on day.stratum = spine.stratum and day.stratum_value = spine.stratum_value and day.t_days = spine.t_days

),

stepped as (

    select
        exposed.*,
        sum(case when recovered < at_risk then ln(1 - recovered::numeric / at_risk) else 0 end) over up_to_here as log_open,
        bool_or(recovered > 0 and recovered = at_risk) over up_to_here as is_over,
        sum(case when recovered < at_risk then recovered::numeric / (at_risk * (at_risk - recovered)) else 0 end) over up_to_here
            as greenwood
    from exposed
    window up_to_here as (partition by stratum, stratum_value order by t_days)

),

estimated as (

    select
        stepped.*,
        case when is_over then 0 else exp(log_open) end as still_open
    from stepped

)

select
    stratum,
    stratum_value,
    t_days,
    at_risk::bigint as at_risk,
    recovered::bigint as recovered,
    round(1 - still_open, 6) as recovered_rate,
    case
        when still_open in (0, 1) then round(1 - still_open, 6)
        else round(1 - exp(ln(still_open) * exp(-1.959964 * sqrt(greenwood) / -ln(still_open))), 6)
    end as recovered_low_rate,
    case
        when still_open in (0, 1) then round(1 - still_open, 6)
        else round(1 - exp(ln(still_open) * exp(1.959964 * sqrt(greenwood) / -ln(still_open))), 6)
    end as recovered_high_rate
from estimated
where t_days <= 30
