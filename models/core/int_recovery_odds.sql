-- Grain: one row per reason category, payment method and age in days (0 to 29): of the episodes old enough to be judged,
-- those still open at that age, and those of them that were paid by day 30. Rows exist for all cells, also empty ones.
with episode as (

    select
        episode.episode_id,
        episode.first_reason_category as reason_category,
        coalesce(attempt.method_type, 'unknown') as method_type,
        episode.episode_outcome,
        extract(epoch from episode.closed_at - episode.opened_at) / 86400.0 as days_open
    from {{ ref('fct_dunning_episode') }} as episode
    left join {{ ref('fct_payment_attempt') }} as attempt
        on attempt.invoice_id = episode.episode_id and attempt.attempt_number = 1
    cross join {{ ref('as_of') }} as as_of
    where episode.opened_at + interval '30 days' <= as_of.as_of_at

),

cell as (

    select
        reason.reason_category,
        method.method_type,
        age.age_days
    from (select distinct category as reason_category from {{ ref('decline_codes') }}) as reason
    cross join (
        select distinct method_type from {{ ref('stg_payment_methods') }}
        union
        select 'unknown' as method_type
    ) as method
    cross join generate_series(0, 29) as age (age_days)

),

watched as (

    select
        episode.reason_category,
        episode.method_type,
        age.age_days,
        count(*) as episodes_open,
        count(*) filter (where episode.episode_outcome = 'recovered' and episode.days_open <= 30) as episodes_recovered
    from episode
    cross join generate_series(0, 29) as age (age_days)
    where episode.days_open is null or episode.days_open > age.age_days
    group by episode.reason_category, episode.method_type, age.age_days

),

counted as (

    select
        cell.reason_category,
        cell.method_type,
        cell.age_days,
        coalesce(watched.episodes_open, 0) as episodes_open,
        coalesce(watched.episodes_recovered, 0) as episodes_recovered
    from cell
    left join watched
        on watched.reason_category = cell.reason_category
        and watched.method_type = cell.method_type
        and watched.age_days = cell.age_days

),

-- Each level is the prior of the next, worth twenty episodes: all, the reason, the reason and the method.
overall as (

    select
        counted.*,
        (sum(episodes_recovered) over whole + 1) / (sum(episodes_open) over whole + 2) as overall_probability,
        sum(episodes_open) over by_reason as reason_open,
        sum(episodes_recovered) over by_reason as reason_recovered
    from counted
    window
        whole as (partition by age_days),
        by_reason as (partition by age_days, reason_category)

),

by_reason as (

    select
        overall.*,
        (reason_recovered + 20 * overall_probability) / (reason_open + 20) as reason_probability
    from overall

)

select
    reason_category,
    method_type,
    age_days,
    episodes_open,
    episodes_recovered,
    round(overall_probability, 6) as overall_probability,
    round(reason_probability, 6) as reason_probability,
    round((episodes_recovered + 20 * reason_probability) / (episodes_open + 20), 6) as recovery_probability
from by_reason
