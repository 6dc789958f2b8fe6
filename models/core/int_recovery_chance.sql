-- Grain: one row per failed invoice of a mature month and age in days (0, 3, 7, 14) at which it was still open: the chance that
-- mart_recovery_forecast would have told of it from what was known when its month began, and whether it was paid by day 30. Known
-- is what began at least a whole month before; months with fewer than thirty such episodes are left out.
with episode as (

    select
        episode.episode_id,
        date_trunc('month', episode.opened_date::timestamp)::date as month_start,
        episode.first_reason_category as reason_category,
        coalesce(attempt.method_type, 'unknown') as method_type,
        age.age_days,
        episode.episode_outcome = 'recovered' and episode.days_to_recovery <= 30 as is_recovered
    from {{ ref('fct_dunning_episode') }} as episode
    left join {{ ref('fct_payment_attempt') }} as attempt
        on attempt.invoice_id = episode.episode_id and attempt.attempt_number = 1
    cross join (values (0), (3), (7), (14)) as age (age_days)
    where
        episode.closed_at is null
        or extract(epoch from episode.closed_at - episode.opened_at) / 86400.0 > age.age_days

),

cell as (

    select distinct reason_category, method_type, age_days
    from episode

),

counted as (

    select
        month_start,
        reason_category,
        method_type,
        age_days,
        count(*) as episodes,
        count(*) filter (where is_recovered) as recovered
    from episode
    group by month_start, reason_category, method_type, age_days

),

-- Every cell in every month, so that the running sums have no holes.
known as (

    select
        month.month_start,
        month.is_mature,
        cell.reason_category,
        cell.method_type,
        cell.age_days,
        coalesce(sum(counted.episodes) over before, 0) as cell_episodes,
        coalesce(sum(counted.recovered) over before, 0) as cell_recovered
    from {{ ref('dim_month') }} as month
    cross join cell
    left join counted
        on counted.month_start = month.month_start
        and counted.reason_category = cell.reason_category
        and counted.method_type = cell.method_type
        and counted.age_days = cell.age_days
    window before as (
        partition by cell.reason_category, cell.method_type, cell.age_days
        order by month.month_start rows between unbounded preceding and 2 preceding
    )

),

-- Each level is the prior of the next, worth twenty episodes, as in int_recovery_odds.
overall as (

    select
        known.*,
        sum(cell_episodes) over whole as known_episodes,
        (sum(cell_recovered) over whole + 1) / (sum(cell_episodes) over whole + 2) as overall_probability,
        sum(cell_episodes) over by_reason as reason_episodes,
        sum(cell_recovered) over by_reason as reason_recovered
    from known
    window
        whole as (partition by month_start, age_days),
        by_reason as (partition by month_start, age_days, reason_category)

),

by_reason as (

    select
        overall.*,
        (reason_recovered + 20 * overall_probability) / (reason_episodes + 20) as reason_probability
    from overall

)

select
    episode.episode_id,
    episode.age_days,
    episode.month_start,
    episode.reason_category,
    episode.method_type,
    by_reason.known_episodes::bigint as known_episodes,
    round(
        (by_reason.cell_recovered + 20 * by_reason.reason_probability) / (by_reason.cell_episodes + 20), 6
    ) as recovery_probability,
    episode.is_recovered
from episode
inner join by_reason
    on by_reason.month_start = episode.month_start
    and by_reason.reason_category = episode.reason_category
    and by_reason.method_type = episode.method_type
    and by_reason.age_days = episode.age_days
where by_reason.is_mature and by_reason.known_episodes >= 30
