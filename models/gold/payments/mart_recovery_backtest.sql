-- Grain: one row per mature month: what would have been expected of the episodes that began in it, from the shares by reason
-- known at its beginning, beside what was paid. Known at a month's beginning is what began at least 30 days before it.
-- The 80 % interval has the chance of each invoice, the uncertainty of each share, and the skewness that few invoices give.
with episode as (

    select
        date_trunc('month', opened_date::timestamp)::date as month_start,
        first_reason_category as reason_category,
        count(*) as episodes,
        count(*) filter (where episode_outcome = 'recovered' and days_to_recovery <= 30) as recovered,
        sum(failed_usd) as failed_usd,
        sum(failed_usd ^ 2) as failed_squared,
        sum(failed_usd ^ 3) as failed_cubed,
        coalesce(sum(failed_usd) filter (where episode_outcome = 'recovered' and days_to_recovery <= 30), 0.00) as recovered_usd
    from {{ ref('fct_dunning_episode') }}
    group by date_trunc('month', opened_date::timestamp), first_reason_category

),

-- Every reason in every month, so that the running sums have no holes.
spine as (

    select
        month.month_start,
        month.is_mature,
        reason.reason_category,
        coalesce(episode.episodes, 0) as episodes,
        coalesce(episode.recovered, 0) as recovered,
        coalesce(episode.failed_usd, 0.00) as failed_usd,
        coalesce(episode.failed_squared, 0) as failed_squared,
        coalesce(episode.failed_cubed, 0) as failed_cubed,
        coalesce(episode.recovered_usd, 0.00) as recovered_usd
    from {{ ref('dim_month') }} as month
    cross join (select distinct reason_category from episode) as reason
    left join episode on episode.month_start = month.month_start and episode.reason_category = reason.reason_category

),

known as (

    select
        spine.*,
        coalesce(sum(episodes) over reason_before, 0) as reason_episodes,
        coalesce(sum(recovered) over reason_before, 0) as reason_recovered
    from spine
    window reason_before as (
        partition by reason_category order by month_start rows between unbounded preceding and 2 preceding
    )

),

overall as (

    select
        known.*,
        sum(reason_episodes) over (partition by month_start) as known_episodes,
        (sum(reason_recovered) over (partition by month_start) + 1)
        / (sum(reason_episodes) over (partition by month_start) + 2) as overall_probability
    from known

),

judged as (

    select
        overall.*,
        (reason_recovered + 20 * overall_probability) / (reason_episodes + 20) as probability
    from overall
    where is_mature and known_episodes >= 30

),

summed as (

    select
        month_start,
        sum(episodes) as episodes,
        sum(failed_usd) as failed_usd,
        sum(failed_usd * probability) as expected_usd,
        sum(recovered_usd) as recovered_usd,
        sqrt(
            sum(failed_squared * probability * (1 - probability))
            + sum(failed_usd ^ 2 * probability * (1 - probability) / (reason_episodes + 21))
        ) as standard_error,
        sum(failed_cubed * probability * (1 - probability) * (1 - 2 * probability)) as third_moment
    from judged
    group by month_start
    having sum(episodes) > 0

),

skewed as (

    select
        summed.*,
        coalesce(third_moment / nullif(standard_error, 0) ^ 3, 0) as skewness
    from summed

),

bounded as (

    select
        skewed.*,
        greatest(expected_usd + {{ skewed_quantile(-1.281552, 'skewness') }} * standard_error, 0) as expected_low_usd,
        least(expected_usd + {{ skewed_quantile(1.281552, 'skewness') }} * standard_error, failed_usd) as expected_high_usd
    from skewed

)

select
    month_start,
    episodes::bigint as episodes,
    failed_usd,
    round(expected_usd, 2) as expected_usd,
    round(expected_low_usd, 2) as expected_low_usd,
    round(expected_high_usd, 2) as expected_high_usd,
    recovered_usd,
    recovered_usd between expected_low_usd and expected_high_usd as is_within_interval
from bounded
